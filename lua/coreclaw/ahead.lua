--- Reading ahead: pages on their way while the caller works on those before them, handed out in order.
--
-- So many requests are kept in flight, and as many answers may wait for their turn: with uneven
-- answers a window of one size would stand still behind the slowest. Where pages come as fast as the
-- caller works them off, one will do: more would only lie in memory, and out of the processor's caches.
-- How many pages there are is only taken for a hint, be it the run's or a page's; what lies behind it is
-- asked for one page after the other.

local core = require "coreclaw.core"
local http = require "coreclaw.http"
local pool = require "coreclaw.driver.pool"

---@class coreclaw.Ahead
---@field calls table<integer, table>  page → call on its way, or ended and not handed out
---@field window integer  most requests in flight
---@field wide boolean    are so many worth it?
---@field waited number   seconds that the caller had to wait of late, less than 0 at first
---@field calm integer    pages since it last had to
---@field busiest integer most that were in flight, in that time, when it came for a page
---@field expected integer?  rows that there should be, until the first page is asked for
local Ahead = {}
Ahead.__index = Ahead

local ahead = {}

-- So many in flight until somebody had to wait longer than that; seconds. More than the next one would only
-- have gone out of the caches by the time it is read: with three, reading takes a tenth longer.
local NARROW, PATIENCE = 1, 0.002

-- The first page may take longer by that: somebody may have to connect.
local FIRST = 0.004

local function drop(calls)
  for page, call in pairs(calls) do
    http.drop(call)
    calls[page] = nil
  end
end

-- Whoever leaves the loop early has no chance to tell us, except in Lua 5.4; then this is collected.
local function guard(calls)
  local newproxy = rawget(_G, "newproxy")
  if not newproxy then return setmetatable({}, { __gc = function() drop(calls) end }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = function() drop(calls) end
  return proxy
end

---@param source coreclaw.PageSource
---@param window integer  requests in flight
---@param settled fun(): boolean  can the pages not change any more?
---@param expected integer?  rows that there should be, where that is known already
---@return coreclaw.Ahead
function ahead.new(source, window, settled, expected)
  local calls = {}
  return setmetatable({
    source = source, window = window, settled = settled, calls = calls, guard = guard(calls),
    expected = expected, bell = pool.signal(), next = nil, last = nil, trust = 1, sent = 0,
    wide = false, waited = -FIRST, calm = 0, busiest = 0,
  }, Ahead)
end

local function count(calls)
  local all, flying = 0, 0
  for _, call in pairs(calls) do
    all = all + 1
    if not http.has_ended(call) then flying = flying + 1 end
  end
  return all, flying
end

local function begin(self, page, limit)
  local source = self.source
  self.sent = self.sent + 1
  local query = { offset = page, limit = limit }
  for name, value in pairs(source.query or {}) do query[name] = value end
  local ok, call = pcall(http.begin, source.client, source.operation,
    { path = source.path, query = query }, source.options, self.bell)
  if not ok then -- a hook raised
    self:close()
    error(call, 0)
  end
  self.calls[page], self.halted = call, self.halted or call.err ~= nil
end

-- May another one be sent for? Never more than an iterator may read at all.
local function has_room(self, all, flying)
  local most = self.wide and self.window or math.min(self.window, NARROW)
  return not self.halted and self.next <= self.last and flying < most and all < 2 * most
    and self.sent < self.source.client.settings.max_pages
end

-- Sends for what there is room for.
local function fill(self, limit)
  local all, flying = count(self.calls)
  while has_room(self, all, flying) do
    if not self.calls[self.next] then
      begin(self, self.next, limit)
      all, flying = all + 1, flying + 1
    end
    self.next = self.next + 1
  end
end

-- How far may be read ahead, now that this page is here? Where nobody counts, every full page makes
-- one trust further ones.
local function learn(self, data, page, limit, size)
  self.next = math.max(self.next or 0, page + 1)
  if size < limit then
    self.last = page
    drop(self.calls) -- there is nothing behind it
  elseif type(data.count) == "number" then
    self.last = math.ceil(data.count / limit)
  else
    self.trust = math.min(self.window, self.trust * 2)
    self.last = page + self.trust
  end
end

-- Before the first page: may be read ahead of it, and how far?
local function expect(self, page, limit)
  if not self.expected then return false end
  self.next, self.last, self.expected = page + 1, math.ceil(self.expected / limit), nil
  return self.last > page
end

-- Waits for this page, and keeps the others coming meanwhile. Returns the error of a task that was cancelled.
local function keep_coming(self, call, limit, counted)
  while not http.has_ended(call) do
    local host = call.begun.driver
    if self.last then fill(self, limit) end
    if not http.has_ended(call) then
      local _, cancelled = host.attend(self.bell, counted and not self.wide and PATIENCE or nil)
      if cancelled then return cancelled end
    end
    self.bell.done = false
    self.wide = self.wide or counted and self.waited + core.now() - self.since > PATIENCE
  end
end

-- Nobody had to wait for long. Was that for the many in flight, or would a few have done? Where there are
-- always some, the caller takes pages as fast as they come, and would soon have to wait.
local function review(self)
  local _, flying = count(self.calls)
  self.busiest = math.max(self.busiest, flying)
  if self.calm <= 2 * self.window then return end
  if self.busiest <= NARROW then self.wide = false end
  self.calm, self.busiest = 0, 0
end

-- Only where pages may be asked for in advance does waiting tell that they were too few.
local function await(self, call, limit, counted)
  self.since, self.waited, self.calm = core.now(), self.waited * 0.9, self.calm + 1
  if http.has_ended(call) then return review(self) end
  local cancelled = keep_coming(self, call, limit, counted)
  if cancelled then return cancelled end
  if counted then self.waited, self.calm, self.busiest = self.waited + core.now() - self.since, 0, 0 end
end

-- A short page that was asked for in advance may have grown meanwhile, and so may those behind it.
local function is_stale(self, size, limit, early)
  return early and size < limit and not self.settled()
end

---Fetches one page, as pages.fetch does.
---@param page integer
---@param limit integer
---@param size_of fun(envelope: table): integer, table  rows in it, and its data
---@return table? envelope
---@return coreclaw.Error?
---@return coreclaw.Response?
function Ahead:fetch(page, limit, size_of)
  self.limit = limit
  local early = self.calls[page] ~= nil
  if not early then begin(self, page, limit) end
  local counted = expect(self, page, limit) or early
  local call = self.calls[page]
  local cancelled = await(self, call, limit, counted)
  if cancelled then
    self:close()
    return nil, cancelled
  end
  if self.last then fill(self, limit) end -- before this one is read: that takes as long as a request
  self.calls[page] = nil
  local envelope, err, behind = http.finish(self.source.client, call)
  if not envelope then
    self:close()
    return nil, err
  end
  local size, data = size_of(envelope)
  if is_stale(self, size, limit, early) then
    self:close()
    return self:fetch(page, limit, size_of)
  end
  learn(self, data, page, limit, size)
  fill(self, limit)
  return envelope, nil, behind
end

---Looks whether something has come, while the caller is busy with rows, and sends for more in its place.
function Ahead:poll()
  local _, call = next(self.calls)
  if call and call.begun then call.begun.driver.poll() end
  if not self.bell.done then return end
  self.bell.done = false
  -- What cannot be sent for is told when its turn comes, and so is what a hook says of it.
  if self.last and not self.source.client.settings.on_request then pcall(fill, self, self.limit) end
end

---Ends what is on its way.
function Ahead:close()
  drop(self.calls)
  self.next, self.last, self.halted = nil, nil, false
end

return ahead
