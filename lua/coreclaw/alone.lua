--- One at a time: two tasks that read from one iterator at once would lose what it has in hand, or start it twice.

local validate = require "coreclaw.validate"

local alone = {}

-- PUC Lua 5.1 cannot suspend a task across a pcall.
local SUSPENDS = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

-- The main program, where coroutine.running does not name it.
local MAIN = {}

local function refuse()
  validate.fail("coreclaw: another task is reading from this iterator; give each task one of its own, or let one of "
    .. "them hand out what it reads")
end

-- Where nobody sees what was raised, who reads may have left by that.
local function is_inside(co)
  return type(co) ~= "thread" or coroutine.status(co) ~= "dead"
end

---Makes an iterator that raises when it is called while another coroutine waits in it.
---@param read fun(): any, any
---@return fun(): any, any
function alone.wrap(read)
  local inside
  local function leave(ok, ...)
    inside = nil
    if not ok then error((...), 0) end
    return ...
  end
  return function()
    local here = coroutine.running() or MAIN
    if inside and inside ~= here and is_inside(inside) then refuse() end
    inside = here
    if SUSPENDS then return leave(pcall(read)) end
    return leave(true, read())
  end
end

return alone
