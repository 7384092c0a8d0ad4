--- Reads page after page, in constant memory.
--
-- The end is an empty or a short page; a total is not trusted, it moves while a run is going on. A server that serves
-- the same page again is noticed: `page_drift`.

local alone = require "coreclaw.alone"
local errors = require "coreclaw.errors"
local fingerprint = require "coreclaw.fingerprint"
local pages = require "coreclaw.pages"
local token = require "coreclaw.token"

local paging = {}

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
function paging.each(source, first, limit, skip_internal, from)
  local self = setmetatable({
    source = source, page = first, limit = limit, skip_internal = skip_internal, from = from,
  }, Reader)
  if from and from.n > 0 then self.page, self.place = pages.place(from.n, limit) end
  return alone.wrap(function() return self:next() end)
end

-- So many rows are handed out between two looks at what is on its way.
local LOOK_EVERY = 16

local NONE = {} -- never written to

---An iterator over the items of all pages; the second value names the position behind an item.
---@param next_page fun(): coreclaw.Page?, (fun(i: integer): string)?
---@param poll fun()?  called now and then
---@return fun(): any, string?
function paging.items(next_page, poll)
  local list, mark, i = NONE, nil, 0
  return function()
    i = i + 1
    local item = list[i]
    while item == nil do
      local page
      list, i, mark = NONE, 0, nil -- the page that was read need not be kept while the next one is made
      page, mark = next_page()
      if not page then return nil end
      list, i = page.list, 1
      item = list[1]
    end
    if poll and i % LOOK_EVERY == 0 then poll() end
    return item, mark and mark(i)
  end
end

return paging
