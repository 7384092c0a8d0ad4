--- Pages: fetching one, seeing whether it is the one asked for, and its rows.
--
-- Pages are numbered from 1; row offsets are never used, since what the API made of them has changed. How they are
-- read one after the other: see paging.lua.

local answer = require "coreclaw.answer"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"

local pages = {}

-- The platform's own row id: not declared among the headers, no data of the Worker.
local OWN_ID, OLD_ID = "__coreclaw_data_id__", "__cafe_data_id__"

---@class coreclaw.Page
---@field list table[]       rows (or items) of this page
---@field headers table[]    columns: key, label, and sometimes format
---@field count integer?     total the platform speaks of, where it does
---@field page integer       number of this page, from 1
---@field limit integer      rows a page was asked to hold
---@field raw table          the answer's data as it came

---@class coreclaw.PageSource
---@field client table
---@field operation string    id of a paged operation
---@field path table?         path parameters
---@field query table?        further query parameters
---@field options { timeout: number? }?  for each request
---@field fetched integer?   pages that have been fetched
---@field objects boolean?  must the items be objects?
---@field run coreclaw.Run?  whose pages they are
---@field token (fun(n: integer, id: any): string)?  names a position: rows read, id of the last one
---@field mark (fun(ids: any[], size: integer, before: integer): fun(i: integer): string)?  the same for a page
---@field ahead coreclaw.Ahead?  reads further pages meanwhile

local function list_of(data, key)
  local list = data[key]
  return type(list) == "table" and (rawget(list, 1) ~= nil or next(list) == nil) and list or {}
end

---The platform's own id of a row, nil where there is none.
---@return any
function pages.id(row)
  if type(row) ~= "table" then return nil end
  local id = row[OWN_ID]
  if type(id) ~= "string" and type(id) ~= "number" then id = row[OLD_ID] end
  return (type(id) == "string" or type(id) == "number") and id or nil
end

local function strip(rows)
  for i = 1, #rows do
    local row = rows[i]
    if type(row) == "table" then
      if row[OWN_ID] ~= nil then row[OWN_ID] = nil end
      if row[OLD_ID] ~= nil then row[OLD_ID] = nil end
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

-- Why this answer cannot be the page asked for, or nil.
local function misfit(data, list, page, limit)
  local served = data.page_index
  if type(served) == "number" and served ~= page and #list > 0 then
    return string.format("page %d was asked for and page %s came", page, tostring(served))
  end
  if type(data.count) == "number" and data.count > 0 and #list > 0 and (page - 1) * limit >= data.count then
    return string.format("page %d lies behind the %.0f rows that there are", page, data.count)
  end
  if #list > limit then
    return string.format("a page of %d rows was asked for and %d came", limit, #list)
  end
end

---Does the server speak of rows behind this page? A live run may just have grown; a server that
---caps its pages would otherwise lose us rows without a word.
function pages.counts_more(data, page, limit, size)
  return type(data.count) == "number" and data.count > (page - 1) * limit + size
end

---The error for pages that are not what was asked for.
---@return coreclaw.Error
function pages.drift(source, message)
  return errors.new {
    kind = "page_drift",
    message = "the server does not count pages as expected: " .. message
      .. "; rows would be lost or doubled, so reading stopped",
    operation = source.operation, sent = "yes",
  }
end

---Raises where a page is one too many for an iterator: a server may have no last page.
---@param source coreclaw.PageSource
---@param nth integer
function pages.bound(source, nth)
  local most = source.client.settings.max_pages
  if nth <= most then return end
  error(errors.new {
    kind = "too_large", operation = source.operation, sent = "yes",
    message = string.format("there are more than %.0f pages (max_pages of coreclaw.new)", most),
  }, 0)
end

local function size_of(source)
  local key = pages.key(source)
  return function(envelope)
    local data = answer.data(envelope) or {}
    return #list_of(data, key), data
  end
end

local function ask(source, page, limit)
  if source.ahead then return source.ahead:fetch(page, limit, size_of(source)) end
  local query = { offset = page, limit = limit }
  for name, value in pairs(source.query or {}) do query[name] = value end
  return http.call(source.client, source.operation, { path = source.path, query = query }, source.options)
end

---Fetches one page, and looks whether it can be the one asked for.
---@param source coreclaw.PageSource
---@param page integer
---@param limit integer
---@return table? data  the answer's data
---@return table|coreclaw.Error  its list; or the error
---@return coreclaw.Response?
function pages.fetch(source, page, limit)
  local envelope, err, behind = ask(source, page, limit)
  if not envelope then return nil, err end
  local data, list, why
  data, err = answer.data(envelope, source.operation)
  if not data then return nil, err end
  list, err = answer.page(data, pages.key(source), source.operation, source.objects)
  if not list then return nil, err end
  why = misfit(data, list, page, limit)
  if why then return nil, pages.drift(source, why) end
  return data, list, behind
end

---Where the items of a source's pages stand in the answer's data.
---@return string
function pages.key(source)
  return source.client.operations[source.operation].list_key
end

---One page, as an object.
---@return coreclaw.Page?
---@return coreclaw.Error?
function pages.one(source, page, limit, skip_internal)
  local data, err, behind = pages.fetch(source, page, limit)
  if not data then return nil, err end
  return pages.read(data, pages.key(source), page, limit, skip_internal), nil, behind
end

---On which page is the nth row, and at which place there?
---@return integer page
---@return integer place
function pages.place(n, limit)
  local page = math.floor((n - 1) / limit) + 1
  return page, n - (page - 1) * limit
end

return pages
