--- One at a time: two tasks that read from one iterator at once would lose what it has in hand, or start it twice.

local coroutines = require "coreclaw.driver.coroutines"
local validate = require "coreclaw.validate"

local alone = {}

-- PUC Lua 5.1 cannot suspend a task across a pcall.
local SUSPENDS = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

-- The token stands on the stack of who reads: with a coroutine that its host has dropped, it is collected.
local function is_held(held)
  if held.token == nil or held.co and coroutine.status(held.co) == "dead" then return false end
  collectgarbage()
  return held.token ~= nil
end

---Makes an iterator that raises when it is called while it is being read from.
---@param read fun(): any, any
---@return fun(): any, any
function alone.wrap(read)
  local held = setmetatable({}, { __mode = "v" })
  local function leave(token, ok, ...)
    if held.token == token then held.token, held.co = nil, nil end
    if not ok then error((...), 0) end
    return ...
  end
  return function()
    if is_held(held) then
      validate.fail("coreclaw: this iterator is being read from already; give each task one of its own, or let one of "
        .. "them hand out what it reads")
    end
    local token = {}
    held.token = token
    if SUSPENDS or not coroutines.may_yield() then return leave(token, pcall(read)) end
    held.co = coroutine.running() -- what is raised, nobody catches: it ends the coroutine
    return leave(token, true, read())
  end
end

return alone
