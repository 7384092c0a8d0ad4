--- Running a task's function in a coroutine that a host made, such that no error reaches the host.

local coroutines = require "coreclaw.driver.coroutines"

local protect = {}

local function traceback(err)
  return { err = err, traceback = debug.traceback("", 2) }
end

local function by_xpcall(fn, failed)
  local ok, what = xpcall(fn, traceback)
  if not ok then failed(what.err, what.traceback) end
end

-- PUC Lua 5.1 cannot yield out of xpcall. A coroutine between the two catches the error instead, and
-- hands every yield on to the host.
local function by_coroutine(fn, failed, task)
  local co = coroutines.create(fn, task)
  local function on(ok, ...)
    if not ok then return failed((...), debug.traceback(co)) end
    if coroutine.status(co) == "dead" then return end
    return on(coroutine.resume(co, coroutine.yield(...)))
  end
  return on(coroutine.resume(co))
end

---Makes the function that the host's coroutine runs.
---@param task table
---@param fn function
---@param failed fun(err: any, traceback: string)
---@return function
function protect.wrap(task, fn, failed)
  if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
    return function() by_coroutine(fn, failed, task) end
  end
  return function()
    coroutines.adopt(task)
    by_xpcall(fn, failed)
    coroutines.adopt(nil) -- the host may use it again for something else
  end
end

return protect
