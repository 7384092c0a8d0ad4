--- Waiting in a plain Lua program: the calling thread steps the engine itself.

local core = require "coreclaw.core"

local plain = { name = "plain" }

-- One engine per process. A forked child gets its own; its parent's transfers are not its own.
local engine, owner
local records = {}

local function bind()
  local pid = core.pid()
  if owner ~= pid then
    engine, owner, records = core.engine(), pid, {}
  end
  return engine
end

-- Completions of transfers whose caller has gone (an error was raised while it waited) are dropped.
local function drain()
  while true do
    local id, status, body, headers, retry_after, written = engine:next()
    if not id then return end
    local record = records[id]
    records[id] = nil
    if record then
      record.done, record.status, record.body = true, status, body
      record.headers, record.retry_after, record.written = headers, retry_after, written
    end
  end
end

---Starts a transfer.
---@param request table  see engine:submit
---@return table record  `done`, then `status`, `body` (or the failure), `headers`, `retry_after`,
---  `written` (bytes, where the answer went to a file)
function plain.submit(request)
  local id = bind():submit(request)
  local record = { id = id, done = false }
  records[id] = record
  return record
end

---Waits until a transfer has ended. The engine's own timeouts bound it.
---@param record table
---@param seconds number?  not longer than that
---@return boolean done
function plain.wait(record, seconds)
  local deadline = seconds and core.now() + seconds or math.huge
  drain()
  while not record.done do
    local rest = deadline - core.now()
    if rest <= 0 then return false end
    engine:wait(math.min(1, rest))
    drain()
  end
  return true
end

local INTERRUPTED = {
  kind = "cancelled", message = "interrupted", code = 42, name = "ABORTED_BY_CALLBACK",
  sent = "unknown", retryable = false,
}

-- Nobody waits any more, so nothing may be sent behind our back. Wherever the interruption came, a
-- closed engine sends nothing.
local function abandon()
  for _, record in pairs(records) do record.done, record.body = true, INTERRUPTED end
  if owner == core.pid() then engine:close() end
  owner, records = nil, {}
end

---Sends a request and waits for its end. An error raised meanwhile (by a debug hook: Ctrl-C in the
---lua program) ends every transfer: a start that was interrupted must not leave later.
---@param request table
---@return table record
function plain.exchange(request)
  local ok, record = pcall(function()
    local record = plain.submit(request)
    plain.wait(record)
    return record
  end)
  if ok then return record end
  abandon()
  error(record, 0)
end

---How far a transfer is that has not ended.
---@param record table
---@return integer bytes    of the body, or of the file with what was there before
---@return integer? total   nil while unknown
---@return string? headers  of the answer that goes to a file, once they have come
function plain.progress(record)
  return engine:progress(record.id)
end

---Ends a transfer; it then is done, with a failure of kind "cancelled".
---@param record table
function plain.cancel(record)
  engine:cancel(record.id)
  drain()
end

---Sleeps, while other transfers of this process go on.
---@param seconds number
function plain.sleep(seconds)
  local deadline = core.now() + seconds
  bind()
  repeat
    engine:wait(math.max(0, math.min(1, deadline - core.now())))
    drain()
  until core.now() >= deadline
end

return plain
