--- Transfers on their way: an engine of this process, and a record for each of them.
--
-- A record is what somebody waits for: `done`, then `status`, `body` (or the failure), `headers`,
-- `retry_after`, `written` (bytes, where the answer went to a file). A signal is a record without
-- a transfer, e.g. the end of a task. Drivers differ in how they wait for records, not in these.

local core = require "coreclaw.core"

local INTERRUPTED = {
  kind = "cancelled", message = "interrupted", code = 42, name = "ABORTED_BY_CALLBACK",
  sent = "unknown", retryable = false,
}

-- Seconds. Whoever waits without a host looks up that often: at its deadline, and for Ctrl-C.
local SLICE = 1

---@class coreclaw.Record
---@field done boolean
---@field waiter function?      called once when it is done
---@field waiters function[]?   the others, where there are any
---@field bell coreclaw.Record? a signal that ends with it

---@class coreclaw.Pool
---@field mode "direct"|"thread"
---@field engine table?   of the process `owner`
---@field strays table<integer, table>?  what has ended and has no record, or none yet
---@field forget fun(engine: table)?  called before an engine is closed; with it, it may be at any time
local Pool = {}
Pool.__index = Pool

local pool = {}

-- Connections: how many to one host, and in all. Of every pool of this process.
local limits = { max_host_connections = 16, max_connections = 256, max_idle = 64 }
local all = setmetatable({}, { __mode = "k" })

---@param mode "direct"|"thread"
---@param forget fun(engine: table)?
---@return coreclaw.Pool
function pool.new(mode, forget)
  local self = setmetatable({ mode = mode, forget = forget, records = {} }, Pool)
  all[self] = true
  return self
end

---A record without a transfer.
---@return coreclaw.Record
function pool.signal()
  return { done = false }
end

---Ends a record and wakes whoever waits for it.
---@param record coreclaw.Record
function pool.complete(record)
  if record.done then return end
  record.done = true
  local waiter, waiters, bell = record.waiter, record.waiters, record.bell
  record.waiter, record.waiters, record.bell = nil, nil, nil
  if waiter then waiter() end
  if waiters then
    for i = 1, #waiters do waiters[i]() end
  end
  if bell then pool.complete(bell) end
end

---`wake` will be called once, when the record is done. It is not yet.
---@return function wake
function pool.on_done(record, wake)
  local waiters = record.waiters
  if not record.waiter then
    record.waiter = wake
  elseif waiters then
    waiters[#waiters + 1] = wake
  else
    record.waiters = { wake }
  end
  return wake
end

---`wake` need not be called any more: its wait is over, what it waited for may go on for days.
function pool.off_done(record, wake)
  if record.waiter == wake then
    record.waiter = nil
    return
  end
  local waiters = record.waiters
  for i = waiters and #waiters or 0, 1, -1 do
    if waiters[i] == wake then
      table.remove(waiters, i)
      return
    end
  end
end

---Sets how many connections there may be, now and later.
---@param host integer  to one host; 0: no limit
---@param total integer in all; 0: no limit
function pool.limit(host, total)
  local fewer = host ~= 0 and (limits.max_host_connections == 0 or host < limits.max_host_connections)
  limits = { max_host_connections = host, max_connections = total, max_idle = math.max(64, host, total) }
  for each in pairs(all) do
    if each.engine and each.owner == core.pid() then each.engine:limit(limits) end
    -- libcurl goes on using connections that are open: with a new engine none is
    if fewer and each.forget and each:is_bound() then each.stale = true end
    each:renew()
  end
end

---The engine, opened when it is needed. A forked child gets its own: its parent's transfers are not.
---@return table engine
---@return boolean fresh  was it opened just now?
function Pool:bind()
  local pid = core.pid()
  if self.owner == pid then return self.engine, false end
  local settings = { mode = self.mode }
  for name, value in pairs(limits) do settings[name] = value end
  self.engine, self.owner, self.records, self.strays = core.engine(settings), pid, {}, nil
  return self.engine, true
end

---@return boolean  has this process an engine that is open?
function Pool:is_bound()
  return self.owner == core.pid()
end

---Takes a new engine the next time, as soon as nothing is on its way, where the old one has too many connections.
function Pool:renew()
  if not self.stale then return end
  self:look() -- what has ended may only not have been taken yet
  if self:busy() then return end
  self.stale = nil
  if self:is_bound() then self:abandon() end
end

local function fill(record, status, body, headers, retry_after, written)
  record.status, record.body, record.headers = status, body, headers
  record.retry_after, record.written = retry_after, written
  pool.complete(record)
end

-- A finalizer may have waited for a call of its own while this one had no record yet, and taken its answer.
local function claim(self, record)
  local stray = self.strays[record.id]
  self.strays[record.id] = nil
  if next(self.strays) == nil then self.strays = nil end
  if not stray then return end
  self.records[record.id] = nil
  fill(record, stray[1], stray[2], stray[3], stray[4], stray[5])
end

---Starts a transfer.
---@param request table  see engine:submit
---@return coreclaw.Record
function Pool:submit(request)
  if self.stale then self:renew() end
  local id = self:bind():submit(request)
  local record = { id = id, done = false, status = nil, body = nil, headers = nil, waiter = nil } -- its size, at once
  self.records[id] = record
  if self.strays then claim(self, record) end
  return record
end

---Starts a transfer and waits for it, without a host, where nothing else is on its way: as `submit` and
---`block`, in one call of the core. After SLICE seconds, or a signal, it may still not be done.
---@param request table  see engine:submit
---@return coreclaw.Record
function Pool:perform(request)
  if self.stale then self:renew() end
  local id, status, body, headers, retry_after, written = self:bind():perform(request, SLICE)
  local done = body ~= nil
  local record = {
    id = id, done = done, status = status, body = body, headers = headers, retry_after = retry_after, written = written,
  }
  if done then return record end
  self.records[id] = record
  if self.strays then claim(self, record) end
  return record
end

---Hands what has ended to its records.
function Pool:drain()
  local engine, records = self.engine, self.records
  while true do
    local id, status, body, headers, retry_after, written = engine:next()
    if not id then return end
    local record = records[id]
    records[id] = nil
    if record then
      fill(record, status, body, headers, retry_after, written)
    else
      self.strays = self.strays or {}
      self.strays[id] = { status, body, headers, retry_after, written }
    end
  end
end

---Takes what has ended, without waiting.
function Pool:look()
  if not self:busy() then return end
  self.engine:step()
  self:drain()
end

---Waits without a host, which stands still meanwhile.
---@param record coreclaw.Record
---@param deadline number     of core.now
---@return boolean done
---@return boolean? hopeless  nothing is on its way that could ever end this
function Pool:block(record, deadline)
  while not record.done and core.now() < deadline do
    if deadline == math.huge and not self:busy() then return false, true end
    self:bind():wait(math.min(SLICE, deadline - core.now()))
    self:drain()
  end
  return record.done
end

---Ends a transfer; it soon is done, with a failure of kind "cancelled".
function Pool:cancel(record)
  if record.done or not record.id or self.records[record.id] ~= record then return end
  self.engine:cancel(record.id)
  self:drain() -- also where it has ended, which only has not been taken yet
end

---How far a transfer is that has not ended: bytes, total, headers. See engine:progress.
function Pool:progress(record)
  if self.records[record.id] ~= record then return 0 end
  return self.engine:progress(record.id)
end

---Is anything on its way?
---@return boolean
function Pool:busy()
  return self.owner == core.pid() and next(self.records) ~= nil
end

---After an error in `perform`: what is on its way is ended. Where nothing had been sent, connections stay.
function Pool:forsake()
  if not self:is_bound() then return end
  if self.engine:inflight() > 0 or self:busy() then return self:abandon() end
  self:drain()
  self.strays = nil
end

---Nobody waits any more, so nothing may be sent behind our back: a closed engine sends nothing.
function Pool:abandon()
  local records, engine = self.records, self.engine
  local own = self.owner == core.pid()
  self.owner, self.engine, self.records, self.strays = nil, nil, {}, nil
  if own and engine then
    if self.forget then self.forget(engine) end
    engine:close()
  end
  for _, record in pairs(records) do
    record.body = INTERRUPTED
    pool.complete(record)
  end
end

return pool
