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

--- One page of a run's rows, as it stands in answers.
function M.page(run, offset, limit)
  local first, last = paging.range(offset, limit, #run.rows)
  return encode.fields("count", #run.rows, "headers", paging.map(columns.of(run), header), "list",
    rows_json(run.rows, first, last), "page_index", paging.page(offset), "page_size", limit)
end

function M.list(request)
  local run = run_handlers.of(request)
  return reply.ok(request, M.page(run, request.query.offset, request.query.limit))
end

return M
