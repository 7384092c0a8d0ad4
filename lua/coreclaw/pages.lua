--- Pages and rows: iterators over numbered pages, in constant memory.
--
-- Pages are numbered from 1; row offsets are never used, since what the API made of them has changed. The end is an
-- empty or a short page; a total is not trusted, it moves while a run is going on. A server that serves the same page
-- again is noticed: `page_drift`.

local answer = require "coreclaw.answer"
local errors = require "coreclaw.errors"
local fingerprint = require "coreclaw.fingerprint"
local http = require "coreclaw.http"
local token = require "coreclaw.token"

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

-- A function that names the position behind the ith row of a page. The ids are taken at once: the
-- caller may change the rows.
local function marker(source, list, before)
  if not source.mark then return nil end
  local ids, size = {}, #list
  for i = 1, size do ids[i] = pages.id(list[i]) end
  return source.mark(ids, size, before)
end

local Reader = {}
Reader.__index = Reader

-- Raises an error that tells where to go on. Nobody wants what is on its way any more.
function Reader:fail(err)
  local source, from = self.source, self.from or { n = (self.page - 1) * self.limit }
  if source.ahead then source.ahead:close() end
  if source.token then err.token = from.text or source.token(from.n, from.id) end
  error(errors.about(err, source.run), 0)
end

-- Takes away the rows that were read before the token was made.
function Reader:resume(list)
  local place, position = self.place, self.from
  if not place then return list end
  if #list < place or not token.fits(position, pages.id(list[place])) then
    self:fail(pages.drift(self.source, "row " .. position.n .. " is not the one that the token was made at"))
  end
  self.place = nil
  local rest = {}
  for i = place + 1, #list do rest[#rest + 1] = list[i] end
  return rest
end

-- Is this page one that may come here? Raises if not; notes whether it is the last.
function Reader:check(data, list)
  local page, limit, source = self.page, self.limit, self.source
  if self.short then self:fail(pages.drift(source, "a page in the middle was not full")) end
  self.short = #list < limit
  self.count = type(data.count) == "number" and data.count or nil
  -- A short page is the last one; only where the server counts more rows is that worth a look.
  self.done = self.short and not pages.counts_more(data, page, limit, #list)
  local print = fingerprint.of(list, pages.id)
  if fingerprint.repeated(print, self.print) then
    self:fail(pages.drift(source, string.format("page %d is page %d again", page, page - 1)))
  end
  self.print = print
end

-- An empty page ends it, but not where the page before counted more rows and this one is silent.
function Reader:check_end(data)
  local read = (self.page - 1) * self.limit
  if type(data.count) == "number" or (self.count or 0) <= read then return end
  self:fail(pages.drift(self.source, string.format("of %.0f rows came only %d", self.count, read)))
end

function Reader:next()
  while not self.done do
    local page, limit = self.page, self.limit
    self.source.fetched = (self.source.fetched or 0) + 1
    pages.bound(self.source, self.source.fetched)
    local data, list = pages.fetch(self.source, page, limit)
    if not data then self:fail(list) end
    if #list == 0 and not self.place then
      self:check_end(data)
      break
    end
    local rest = self:resume(list)
    self:check(data, list)
    self.page, self.from = page + 1, { n = (page - 1) * limit + #list, id = pages.id(list[#list]) }
    if #rest > 0 then
      local mark = marker(self.source, rest, (page - 1) * limit + #list - #rest)
      local object = pages.read(data, pages.key(self.source), page, limit, self.skip_internal)
      object.list = rest
      return object, mark
    end
  end
  self.done = true
  if self.source.ahead then self.source.ahead:close() end -- of pages that there are not
end

---An iterator over pages. Raises the error object when a page cannot be had. The second value names
---the position behind each row of the page, if the source has a way to write that down.
---@param source coreclaw.PageSource
---@param first integer
---@param limit integer
---@param skip_internal boolean
---@param from coreclaw.Position?  instead of `first`: what was read already
---@return fun(): coreclaw.Page?, (fun(i: integer): string)?
function pages.each(source, first, limit, skip_internal, from)
  local reader = setmetatable({
    source = source, page = first, limit = limit, skip_internal = skip_internal, from = from,
  }, Reader)
  if from and from.n > 0 then reader.page, reader.place = pages.place(from.n, limit) end
  return function() return reader:next() end
end

-- So many rows are handed out between two looks at what is on its way.
local LOOK_EVERY = 16

---An iterator over the items of all pages; the second value names the position behind an item.
---@param next_page fun(): coreclaw.Page?, (fun(i: integer): string)?
---@param poll fun()?  called now and then
---@return fun(): any, string?
function pages.items(next_page, poll)
  local list, mark, i = {}, nil, 0
  return function()
    i = i + 1
    local item = list[i]
    while item == nil do
      local page
      page, mark = next_page()
      if not page then
        list, i = {}, 0
        return nil
      end
      list, i = page.list, 1
      item = list[1]
    end
    if poll and i % LOOK_EVERY == 0 then poll() end
    return item, mark and mark(i)
  end
end

return pages
