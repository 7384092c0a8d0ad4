--- Rows of a run that is still going on: each once, all of them, in bounded memory.
--
-- What the platform does with the pages of a live run is not written down, so little is taken for
-- granted. A row is known by its id (by its place, where it has none). The reader stands on one
-- page, and goes to the next when it is full. A page is firm when nothing has moved before it: its
-- first row is the one it was, or follows on the page before, just read. From one that is not, the
-- reader goes back until it stands firm, and comes forward again. Tokens are made on firm pages
-- only. When the run has ended, everything behind is read a last time; if the platform then counts
-- more rows than came, the pages are swept from as far back as ids are remembered.

local errors = require "coreclaw.errors"
local fingerprint = require "coreclaw.fingerprint"
local pages = require "coreclaw.pages"
local token = require "coreclaw.token"
local watch = require "coreclaw.watch"

-- How many ids are remembered at least. At about 100 bytes each, for two generations.
local REMEMBERED = 20000

-- Rounds in which a platform may set right what looks wrong, before it is taken as it is.
local PATIENCE = 3

-- Pages to go back before a pause.
local BACK = 3

-- First rows are remembered of so many pages.
local FIRSTS = 20

-- Failures in a row after which reading the rows of an ended run is given up.
local FAILURES = 10

---@class coreclaw.Follow
---@field source coreclaw.PageSource
---@field watch coreclaw.Watch
---@field page integer       the page on which the reader stands
---@field n integer          rows read, those before the first page or the token included
---@field safe coreclaw.Position  all rows up to here have been read; what tokens are made of
local Follow = {}
Follow.__index = Follow

local follow = {}

local function fail(self, err)
  errors.about(err, self.watch.run)
  err.token = self.safe.text or self.source.token(self.safe.n, self.safe.id)
  error(err, 0)
end

local function drift(self, message)
  fail(self, pages.drift(self.source, message))
end

-- Says whether a row is new, and remembers it. Two generations of ids: when the younger is full,
-- the older is forgotten.
local function is_new(self, place, id)
  if id == nil then
    if place <= self.top then return false end
    self.top = place
    return true
  end
  if self.young[id] or self.old[id] then return false end
  if self.size >= self.memory then self.young, self.old, self.size = {}, self.young, 0 end
  self.young[id], self.size = true, self.size + 1
  return true
end

-- Is none of these rows among those of the page before?
local function follows_on(before, list)
  for _, row in ipairs(list) do
    local id = pages.id(row)
    if id ~= nil and before.ids[id] then return false end
  end
  return true
end

-- Have all rows before this page been read, as far as can be seen?
local function is_firm(self, list)
  local first, before = pages.id(list[1]), self.before
  if self.page == 1 or first == nil then return true end
  if before and before.page == self.page - 1 and before.firm then
    return follows_on(before, list)
  end
  local known = self.firsts[self.page]
  if known == nil then return self.page == self.floor end
  return known == first
end

-- Notes what the next page, or this one when it is read again, will be compared with.
local function note_firm(self, list, firm)
  if #list == 0 then return end
  local ids = {}
  for _, row in ipairs(list) do
    local id = pages.id(row)
    if id ~= nil then ids[id] = true end
  end
  self.before = { page = self.page, ids = ids, firm = firm and #list == self.limit }
  if firm then self.firsts[self.page] = pages.id(list[1]) end
  self.firsts[self.page - FIRSTS] = nil
end

-- Takes the new rows of a page; beside each, the position up to which all have been read.
local function take(self, list, firm)
  local before = (self.page - 1) * self.limit
  local fresh, marks = {}, {}
  for i, row in ipairs(list) do
    local id = pages.id(row)
    if firm then self.safe = { n = before + i, id = id } end
    if is_new(self, before + i, id) then
      local nth = #fresh + 1
      fresh[nth], marks[nth] = row, self.safe
    end
  end
  self.n = self.n + #fresh
  -- With its last new row, a page is read to its end.
  if #fresh > 0 then marks[#fresh] = self.safe end
  return fresh, marks
end

-- After a token: do the rows stand where they stood? Then those before it are known.
local function resume(self, list)
  local place, position = self.place, self.from
  if #list >= place and token.fits(position, pages.id(list[place])) then
    self.place = nil
    for i = 1, place do is_new(self, 0, pages.id(list[i])) end
    self.safe = { n = position.n, id = pages.id(list[place]) }
    return true
  end
  self.misfits = self.misfits + 1
  if self.ending or self.misfits > PATIENCE then
    drift(self, "row " .. position.n .. " is not the one that the token was made at")
  end
  self.resting = true
end

-- How many rows the platform speaks of; the run's own figure may be behind the pages', or before.
local function expected(self)
  return math.max(self.count, self.watch.run.results_count or 0)
end

-- The first page of a sweep: the ids of its rows must still be remembered.
local function sweep_start(self)
  local oldest = self.n - self.memory
  return math.max(self.floor, oldest > 0 and pages.place(oldest, self.limit) + 2 or 1)
end

-- The run has ended and so have its pages. Is anything missing?
local function finish(self)
  if self.n >= expected(self) or self.sweeps >= PATIENCE then
    self.done = true
    if self.n < self.count and sweep_start(self) > self.floor then
      self.missing = string.format("%d rows came of %d, and not all pages can be compared", self.n, self.count)
    end
    return
  end
  self.sweeps, self.resting = self.sweeps + 1, true
  self.page = sweep_start(self)
end

-- Something has moved before this page: to the one before it. False when that is in vain.
local function step_back(self, fresh)
  if self.stuck_at ~= self.page or fresh > 0 then self.stuck_at, self.stuck = self.page, 0 end
  self.stuck = self.stuck + 1
  if self.stuck > PATIENCE or self.page <= sweep_start(self) then return false end
  self.page, self.back = self.page - 1, self.back + 1
  self.resting = self.back > BACK
  return true
end

-- The same rows on page after page would go on for ever.
local function check_progress(self, list, fresh)
  local before = (self.page - 1) * self.limit
  if self.ending and fresh == 0 and #list == self.limit and before >= math.max(expected(self), self.n) then
    drift(self, string.format("page %d holds only rows of pages before", self.page))
  end
end

-- Rows without ids look new then, so this comes before they are taken: no token may stand behind them.
local function check_repeated(self, list)
  if #list == 0 or pages.id(list[1]) ~= nil then return end
  local print = fingerprint.of(list, pages.id)
  if self.printed == self.page - 1 and fingerprint.repeated(print, self.print) then
    drift(self, string.format("page %d is page %d again", self.page, self.page - 1))
  end
  self.print, self.printed = print, self.page
end

-- Where to read next.
local function move(self, data, size, fresh, firm)
  if not self.ending and not firm and step_back(self, fresh) then return end
  local behind = self.sweeps > 0 and size > 0 and pages.counts_more(data, self.page, self.limit, size)
  if size == self.limit or behind then
    self.page = self.page + 1
  elseif self.ending then
    finish(self)
  else
    self.resting = true
  end
end

-- Can this failure pass? The pages of a live run may even be counted strangely for a while.
local function may_pass(self, err)
  if err.kind == "page_drift" then return not self.ending and self.failures <= PATIENCE end
  return watch.may_pass(self, err) and not (self.ending and self.failures >= FAILURES)
end

-- A page that could not be read. What may pass is waited out, within the time.
local function endure(self, err)
  self.failures = self.failures + 1
  if not may_pass(self, err) then fail(self, err) end
  self.watch.cause = err
  self.resting, self.retrying = err.kind == "page_drift", true
end

-- Between two rounds: the run's state, and a pause unless the run has just ended.
local function rest(self)
  local watching = self.watch
  if self.resting and not self.ending then
    local ok, err = watching:read()
    if ok == nil then fail(self, err) end
    if watching:settled() then
      self.ending, self.resting, self.retrying = true, false, false
      return
    end
  end
  if not watching:pause() then fail(self, watching:expired()) end
  self.resting, self.retrying, self.back = false, false, 0
end

local function look(self, data, list)
  self.failures, self.odd = 0, 0
  if self.place and not resume(self, list) then return nil end
  if type(data.count) == "number" then self.count = data.count end
  check_repeated(self, list)
  local number, firm = self.page, is_firm(self, list)
  local fresh, marks = take(self, list, firm)
  check_progress(self, list, #fresh)
  note_firm(self, list, firm)
  move(self, data, #list, #fresh, firm)
  if #fresh == 0 then return nil end
  self.watch:stir()
  local page = pages.read(data, self.key, number, self.limit, self.skip_internal)
  page.list = fresh
  return page, function(i) return self.source.token(marks[i].n, marks[i].id) end
end

-- A platform that always has another full page would keep us from ever looking at the clock.
local function check_bounds(self)
  if self.watch:late() then fail(self, self.watch:expired()) end
  local ok, err = pcall(pages.bound, self.source, self.page)
  if not ok then fail(self, err) end
end

---The next page that has new rows, with these only; nil when the run has ended and all is read.
---Raises the error object, with the `token` to go on from.
---@return coreclaw.Page?
---@return (fun(i: integer): string)? mark  the token behind the ith row
function Follow:next()
  while not self.done do
    if self.resting or self.retrying then rest(self) end
    check_bounds(self)
    self.source.options.timeout = self.watch:budget()
    local data, list = self.fetch(self.source, self.page, self.limit)
    if data then
      local page, mark = look(self, data, list)
      if page then return page, mark end
    else
      endure(self, list)
    end
  end
  local missing = self.missing -- said behind the rows that came with the last page
  self.missing = nil
  if missing then drift(self, missing) end
end

---Makes a reader of a live run.
---@param source coreclaw.PageSource  with `token`
---@param watching coreclaw.Watch
---@param options { page: integer, limit: integer, skip_internal: boolean, from: coreclaw.Position? }
---@return coreclaw.Follow
function follow.new(source, watching, options)
  local self = setmetatable({
    source = source, watch = watching, key = pages.key(source), fetch = options.fetch or pages.fetch,
    page = options.page, limit = options.limit, skip_internal = options.skip_internal,
    from = options.from, memory = options.memory or REMEMBERED,
    young = {}, old = {}, size = 0, firsts = {}, count = 0,
    back = 0, stuck = 0, sweeps = 0, failures = 0, misfits = 0,
    ending = watching:settled(),
  }, Follow)
  self.n = (options.page - 1) * options.limit
  self.safe = { n = self.n }
  if self.from and self.from.n > 0 then
    self.n = self.from.n
    self.page, self.place = pages.place(self.n, self.limit)
    self.safe = self.from
  end
  self.top, self.floor = self.n, self.page
  return self
end

return follow
