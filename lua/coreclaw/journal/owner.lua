--- Who is making the call of an intent, and is it still being made?

local core = require "coreclaw.core"

local owner = {}

-- A call ends by its deadline; so much more for clocks that differ, and one without any deadline
-- is not believed in after a day.
local GRACE, ENDLESS = 60, 86400

-- Calls of this process: intent → its coroutine. Weak, for one that is gone makes no call.
local running = setmetatable({}, { __mode = "v" })

local function task()
  return coroutine.running() or "main" -- 5.1 and LuaJIT have none for the main program
end

---A call begins.
function owner.begin(id)
  running[id] = task()
end

---It has ended.
function owner.finish(id)
  running[id] = nil
end

-- A coroutine that is doing something else now has left the call by an error.
local function busy_here(id)
  local thread = running[id]
  if not thread or thread == task() then return false end
  return thread == "main" or coroutine.status(thread) ~= "dead"
end

---Marks of the calling process.
---@return integer pid
---@return string mark
function owner.me()
  local pid = core.pid()
  return pid, core.process_mark(pid) or "?"
end

local function busy_there(intent)
  local _, mine = owner.me()
  local place = mine:match "^(.*)%."
  if intent.process:match "^(.*)%." ~= place then return nil end
  local theirs = core.process_mark(intent.pid)
  return theirs ~= nil and (theirs == intent.process or theirs == place .. ".?" )
end

---Is the call of this intent still being made? What another machine or container does cannot be
---seen; its calls end by their deadlines like ours.
---@param intent table  `id`, `pid`, `process`, `started` (Unix seconds), `ends` (Unix seconds or nil)
---@param now number
---@return boolean
function owner.is_busy(intent, now)
  local ends = intent.ends and intent.ends + GRACE or intent.started + ENDLESS
  if now > ends then return false end
  local pid, mark = owner.me()
  if intent.pid == pid and intent.process == mark then return busy_here(intent.id) end
  return busy_there(intent) ~= false
end

return owner
