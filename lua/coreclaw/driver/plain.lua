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
    local id, status, body, headers, retry_after = engine:next()
    if not id then return end
    local record = records[id]
    records[id] = nil
    if record then
      record.done, record.status, record.body = true, status, body
      record.headers, record.retry_after = headers, retry_after
    end
  end
end

---Starts a transfer.
---@param request table  see engine:submit
---@return table record  `done`, then `status`, `body` (or the failure), `headers`, `retry_after`
function plain.submit(request)
  local id = bind():submit(request)
  local record = { id = id, done = false }
  records[id] = record
  return record
end

---Waits until a transfer has ended. The engine's own timeouts bound it.
---@param record table
function plain.wait(record)
  drain()
  while not record.done do
    engine:wait(1)
    drain()
  end
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
