--- One at a time: two tasks that read from one iterator at once would lose what it has in hand, or start it twice.

local coroutines = require "coreclaw.driver.coroutines"
local validate = require "coreclaw.validate"

local alone = {}

-- PUC Lua 5.1 cannot suspend a task across a pcall.
local SUSPENDS = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

-- What is raised where nothing is caught ends the coroutine that reads. nginx has a `status` of its own, which
-- knows the coroutines of the same request only; it has LuaJIT, where everything is caught.
local function has_died(co)
  return co ~= nil and rawget(_G, "ngx") == nil and coroutine.status(co) == "dead"
end

-- The token stands on the stack of who reads: with a coroutine that its host has dropped, it is collected.
local function is_held(held)
  if held.token == nil or has_died(held.co) then return false end
  collectgarbage()
  return held.token ~= nil
end

---Makes an iterator that raises when it is called while it is being read from.
---@param read fun(): any, any
---@return fun(): any, any
function alone.wrap(read)
  local held = setmetatable({}, { __mode = "v" })
  local function leave(token, ok, ...)
    if held.token == token then held.token = nil end
    if not ok then error((...), 0) end
    return ...
  end
  return function()
    if is_held(held) then
      validate.fail("coreclaw: this iterator is being read from already; give each task one of its own, or let one of "
        .. "them hand out what it reads")
    end
    local token = {}
    held.token, held.co = token, coroutine.running()
    if SUSPENDS or not coroutines.may_yield() then return leave(token, pcall(read)) end
    return leave(token, true, read())
  end
end

return alone
