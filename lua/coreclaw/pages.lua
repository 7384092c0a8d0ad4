--- Pages and rows: iterators over numbered pages, in constant memory.
--
-- Pages are numbered from 1; row offsets are never used, since what the API made of them has
-- changed. The end is an empty or a short page; a total is not trusted, it moves while a run is
-- going on. A server that serves the same page again is noticed: `page_drift`.

local answer = require "coreclaw.answer"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"

local pages = {}

-- The platform's own row id: not declared among the headers, no data of the Worker.
local INTERNAL = { "__coreclaw_data_id__", "__cafe_data_id__" }

---@class coreclaw.Page
---@field list table[]       rows (or items) of this page
---@field headers table[]    columns: key, label, and sometimes format
---@field count integer?     total the platform speaks of, where it does
---@field page integer       number of this page, from 1
---@field limit integer      rows a page was asked to hold
---@field raw table          the answer's data as it came

local function list_of(data, key)
  local list = data[key]
  return type(list) == "table" and list or {}
end

local function strip(rows)
  for _, row in ipairs(rows) do
    if type(row) == "table" then
      for _, name in ipairs(INTERNAL) do row[name] = nil end
    end
  end
  return rows
end

---Makes a page object of an answer's data, or of the `results` of a sync answer.
---@return coreclaw.Page
function pages.read(data, list_key, page, limit, skip_internal)
  local list = list_of(data, list_key)
  return {
    list = skip_internal and strip(list) or list,
    headers = list_of(data, "headers"),
    count = type(data.count) == "number" and data.count or nil,
    page = page,
    limit = limit,
    raw = data,
  }
end

-- One row as a text that is equal for equal rows, whatever the order of its keys.
local function digest(value)
  if type(value) ~= "table" then return type(value) .. tostring(value) end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = tostring(k) .. "=" .. digest(v)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

-- What tells a page from the next one: its first and last row, taken before the caller may have
-- changed them. Rows that are all alike prove nothing; then only a long row of such pages does.
local REPEATS_IF_ALIKE = 1000

local function fingerprint(list)
  local first, last = digest(list[1]), digest(list[#list])
  local row = list[1]
  local proves = first ~= last or (type(row) == "table" and row[INTERNAL[1]] ~= nil)
  return { text = first .. last, size = #list, proves = proves, repeats = 0 }
end

-- Is this page the one before again? Counts on where it may be chance.
local function repeated(print, previous)
  if not previous or print.text ~= previous.text or print.size ~= previous.size then
    return false
  end
  print.repeats = previous.repeats + 1
  return print.proves or print.repeats >= REPEATS_IF_ALIKE
end

-- Why this answer cannot be the page asked for, or nil.
local function drift(data, list, page, limit)
  local served = data.page_index
  if type(served) == "number" and served ~= page and #list > 0 then
    return string.format("page %d was asked for and page %d came", page, served)
  end
  if #list > limit then
    return string.format("a page of %d rows was asked for and %d came", limit, #list)
  end
end

-- Does the server speak of rows behind this page? A live run may just have grown; a server that
-- caps its pages would otherwise lose us rows without a word.
local function counts_more(data, page, limit, size)
  return type(data.count) == "number" and data.count > (page - 1) * limit + size
end

local function drift_error(source, message)
  return errors.new {
    kind = "page_drift",
    message = "the server does not count pages as expected: " .. message
      .. "; rows would be lost or doubled, so reading stopped",
    operation = source.operation,
    sent = "yes",
  }
end

---Fetches one page of a paged operation.
---@param source { client: table, operation: string, params: table?, options: table? }
---@param page integer
---@param limit integer
---@return table? data  the answer's data
---@return coreclaw.Error?
local function fetch(source, page, limit)
  local query = { offset = page, limit = limit }
  for name, value in pairs(source.query or {}) do query[name] = value end
  local envelope, err = http.call(source.client, source.operation,
    { path = source.path, query = query }, source.options)
  if not envelope then return nil, err end
  return answer.data(envelope)
end

---One page, as an object.
---@return coreclaw.Page?
---@return coreclaw.Error?
function pages.one(source, page, limit, skip_internal)
  local data, err = fetch(source, page, limit)
  if not data then return nil, err end
  local key = source.client.operations[source.operation].list_key
  local why = drift(data, list_of(data, key), page, limit)
  if why then return nil, drift_error(source, why) end
  return pages.read(data, key, page, limit, skip_internal)
end

---An iterator over pages. Raises the error object when a page cannot be had.
---@return fun(): coreclaw.Page?
function pages.each(source, first, limit, skip_internal)
  local key = source.client.operations[source.operation].list_key
  local page, previous, short, done = first, nil, false, false
  return function()
    if done then return nil end
    local data, err = fetch(source, page, limit)
    if not data then error(err, 0) end
    local list = list_of(data, key)
    local why = drift(data, list, page, limit)
    if why then error(drift_error(source, why), 0) end
    if #list == 0 then
      done = true
      return nil
    end
    if short then error(drift_error(source, "a page in the middle was not full"), 0) end
    short = #list < limit
    -- A short page is the last one; only where the server counts more rows is that worth a look.
    done = short and not counts_more(data, page, limit, #list)
    local print = fingerprint(list)
    if repeated(print, previous) then
      error(drift_error(source, string.format("page %d is page %d again", page, page - 1)), 0)
    end
    previous, page = print, page + 1
    return pages.read(data, key, page - 1, limit, skip_internal)
  end
end

---An iterator over the items of all pages.
---@param next_page fun(): coreclaw.Page?
---@return fun(): any
function pages.items(next_page)
  local list, i = {}, 0
  return function()
    i = i + 1
    while list[i] == nil do
      local page = next_page()
      if not page then
        list, i = {}, 0
        return nil
      end
      list, i = page.list, 1
    end
    return list[i]
  end
end

return pages
