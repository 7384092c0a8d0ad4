--- Result pages. Rows lie there as JSON already, so that a page is cut out and not encoded again.

local columns = require("coreclaw.sandbox.platform.columns")
local encode = require("coreclaw.sandbox.encode")
local paging = require("coreclaw.sandbox.handlers.paging")
local reply = require("coreclaw.sandbox.reply")
local run_handlers = require("coreclaw.sandbox.handlers.runs")

local M = {}

local function header(column)
  return encode.fields("key", column.key, "label", column.label, "format", column.format)
end

local function rows_json(rows, first, last)
  if first > last then
    return encode.raw("[]")
  end
  return encode.raw("[" .. table.concat(rows, ",", first, last) .. "]")
end

-- What a fault does to a page of a run that is going on: the newest rows come late, or rows of the page before come
-- once more. Returns how many rows there are to see, and how far the page is moved back.
local function disturbed(run, fault)
  if not fault or run.ended then
    return #run.rows, 0
  end
  return math.max(0, #run.rows - (fault.late_rows or 0)), fault.repeat_rows or 0
end

--- One page of a run's rows, as it stands in answers.
function M.page(run, offset, limit, fault)
  local count, back = disturbed(run, fault)
  local first, last = paging.range(offset, limit, count)
  first, last = math.max(1, first - back), math.max(0, math.min(last, first + limit - 1) - back)
  return encode.fields("count", count, "headers", paging.map(columns.of(run), header), "list",
    rows_json(run.rows, first, last), "page_index", paging.page(offset), "page_size", limit)
end

function M.list(request)
  local run = run_handlers.of(request)
  return reply.ok(request, M.page(run, request.query.offset, request.query.limit, request.fault))
end

return M
