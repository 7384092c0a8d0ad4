--- Coroutines that we started, and whether the running one may be suspended.
--
-- Only they are: a yield of somebody else's coroutine would go to a resumer that knows nothing of it.

local core = require "coreclaw.core"

local coroutines = {}

-- Coroutine → the task it runs. Weak: what is dead vanishes. Both ways, for a task knows its coroutine,
-- and Lua 5.1 would never let go of the two; what runs has its task on its stack.
local tasks = setmetatable({}, { __mode = "kv" })
local any = false -- has there ever been one?

-- PUC Lua 5.1 cannot yield across pcall, the iterator of a for loop or a metamethod, and no Lua across
-- what table.sort and the like call. 5.1 and 5.2 have no function to tell; ours looks into their state.
-- Where that does not look as it should, nothing is ever suspended.
local function of_old_lua(suspends)
  local can = core.can_yield
  local function iterate(_, last) if last == nil then return can() end end
  local seen = coroutine.wrap(function()
    local loop, sort
    for value in iterate do loop = value end
    table.sort({ 2, 1 }, function(a, b) sort = can() return a < b end)
    local indexed = setmetatable({}, { __index = function() return can() end }).x
    return { can(), not sort, select(2, pcall(can)) == suspends, loop == suspends, indexed == suspends }
  end)()
  for i = 1, 5 do if not seen[i] then return function() return false end end end
  return can
end

local function native()
  local is_puc = not rawget(_G, "jit")
  if is_puc and _VERSION == "Lua 5.1" then return of_old_lua(false) end
  if is_puc and _VERSION == "Lua 5.2" then return of_old_lua(true) end
  return rawget(coroutine, "isyieldable")
end

---May the running coroutine be suspended?
---@return boolean
coroutines.may_yield = native()

---Makes a coroutine whose task it is.
---@param fn function
---@param task table
---@return thread
function coroutines.create(fn, task)
  local co = coroutine.create(fn)
  tasks[co], any = task, true
  return co
end

---The running coroutine, which a host made, runs this task from now on; nil: none any more.
---@param task table?
function coroutines.adopt(task)
  local co = coroutine.running()
  tasks[co], any = task, true
end

---The task that runs here, nil in the main program and in other people's coroutines.
---@return table?
function coroutines.task()
  if not any then return nil end
  local co = coroutine.running()
  local task = co and tasks[co] or nil
  if task and task.is_here and not task.is_here() then return nil end
  return task
end

return coroutines
