--- Coroutines that we started, and whether the running one may be suspended.
--
-- Only they are: a yield of somebody else's coroutine would go to a resumer that knows nothing of it.

local coroutines = {}

-- Coroutine → the task it runs. Weak: what is dead vanishes. Both ways, for a task knows its coroutine,
-- and Lua 5.1 would never let go of the two; what runs has its task on its stack.
local tasks = setmetatable({}, { __mode = "kv" })

-- PUC Lua 5.1 cannot yield across pcall, the iterator of a for loop or a metamethod, and has no
-- function to tell. LuaJIT can, and 5.2 has learned it.
local is_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

-- Runs a generic for loop in that frame? (`level` as seen by the caller of this.)
local function has_generator(level)
  local i, name = 1, debug.getlocal(level + 1, 1)
  while name do
    if name == "(for generator)" then return true end
    i = i + 1
    name = debug.getlocal(level + 1, i)
  end
  return false
end

-- Can 5.1 not yield across this frame? What calls a function has a name for it, but for that of a
-- metamethod; the first one of a coroutine and one behind a tail call have none either. A tail call may
-- hide that an iterator made it.
local function blocks(frame, caller, level)
  if frame.what == "C" or frame.name == "(for generator)" then return true end
  if not caller then return false end
  if frame.what == "tail" then return caller.what == "Lua" and has_generator(level + 2) end
  return frame.namewhat == "" and caller.what ~= "tail"
end

local function may_yield_5_1()
  local level = 3
  local frame = debug.getinfo(level, "Sn")
  while frame do
    local caller = debug.getinfo(level + 1, "Sn")
    if blocks(frame, caller, level) then return false end
    level, frame = level + 1, caller
  end
  return true
end

local may_yield = rawget(coroutine, "isyieldable") or (is_5_1 and may_yield_5_1) or function() return true end

---Makes a coroutine whose task it is.
---@param fn function
---@param task table
---@return thread
function coroutines.create(fn, task)
  local co = coroutine.create(fn)
  tasks[co] = task
  return co
end

---The running coroutine, which a host made, runs this task from now on; nil: none any more.
---@param task table?
function coroutines.adopt(task)
  local co = coroutine.running()
  tasks[co] = task
end

---The task that runs here, nil in the main program and in other people's coroutines.
---@return table?
function coroutines.task()
  local co = coroutine.running()
  local task = co and tasks[co] or nil
  if task and task.is_here and not task.is_here() then return nil end
  return task
end

---The task that runs here, if it may be suspended.
---@return table?
function coroutines.suspendable()
  local task = coroutines.task()
  return task and may_yield() and task or nil
end

return coroutines
