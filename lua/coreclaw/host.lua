--- A host that we do not know (a game loop, copas, …), plugged in from outside; and limits that hold
--- for the whole process.

local core = require "coreclaw.core"
local base = require "coreclaw.driver.base"
local coroutines = require "coreclaw.driver.coroutines"
local driver = require "coreclaw.driver"
local pool = require "coreclaw.driver.pool"
local protect = require "coreclaw.driver.protect"
local validate = require "coreclaw.validate"

local host = {}

local OPTIONS = {
  name = { type = "text", default = "host" },
  is_here = { type = "callable" },
  wait = { type = "callable" },
  spawn = { type = "callable" },
}

---@class coreclaw.Host
---@field name string?            for messages
---@field is_here fun(): boolean  does a coroutine of this host run, which `wait` may suspend?
---@field wait fun(wake_me: fun(wake: fun()), seconds: number?)
---  suspends the running coroutine until the function given to `wake_me` is called (from `step`, once)
---  or the seconds are up; may return early
---@field spawn fun(fn: fun())?   runs fn in a new coroutine of the host: for coreclaw.spawn

---@class coreclaw.Plug
---@field fd fun(): integer       readable when `step` has something to do: watch it while `busy`
---@field step fun()              does what is ready, and wakes whoever waited for it; never blocks
---@field busy fun(): boolean     is anything on its way?

local function suspend(options, record, seconds)
  local waiting
  options.wait(function(wake)
    if record.done then wake() else waiting = pool.on_done(record, wake) end
  end, seconds)
  pool.off_done(record, waiting)
end

-- Where PUC Lua 5.1 cannot suspend the host's coroutine.
local function block(transfers, record, deadline)
  local done, hopeless = transfers:block(record, deadline)
  if hopeless then validate.fail "coreclaw: this wait would never end: the host cannot run its tasks meanwhile" end
  return done
end

-- The host may come back early: it is asked again until it is done, or late enough.
local function waiter(options, transfers)
  return function(record, seconds)
    local deadline = seconds and core.now() + seconds or math.huge
    if not coroutines.may_yield() then return block(transfers, record, deadline) end
    while not record.done and core.now() < deadline do
      suspend(options, record, seconds and deadline - core.now())
    end
    return record.done
  end
end

local function module_of(options, transfers)
  local module = base.over(options.name, transfers)
  module.is_here, module.wait = options.is_here, waiter(options, transfers)
  function module.spawn(task, fn, failed)
    if not options.spawn then validate.fail("coreclaw.spawn: the driver " .. options.name .. " has no spawn") end
    options.spawn(protect.wrap(task, fn, failed))
  end
  return module
end

---Plugs in a host. From then on every call made where `is_here` says so waits by `wait`.
---@param options coreclaw.Host
---@return coreclaw.Plug
function host.plug_in(options)
  options = validate.options("coreclaw.driver", options, OPTIONS)
  for _, name in ipairs { "is_here", "wait" } do
    if not options[name] then validate.fail("coreclaw.driver: field " .. name .. " is required") end
  end
  local transfers = pool.new "direct"
  driver.install(module_of(options, transfers))
  return {
    fd = function() return (transfers:bind()):fd() end,
    step = function() transfers:look() end,
    busy = function() return transfers:busy() end,
  }
end

---How many connections there may be at once; what is over that waits in line. For the whole process.
---@param to_one_host integer  default 16; 0: no limit
---@param in_all integer?      default 256, or as many as to one host
function host.connections(to_one_host, in_all)
  local rule = { type = "integer", min = 0 }
  validate.value("coreclaw.connections", "to_one_host", to_one_host, rule)
  if in_all ~= nil then validate.value("coreclaw.connections", "in_all", in_all, rule) end
  pool.limit(to_one_host, in_all or (to_one_host == 0 and 0 or math.max(256, to_one_host)))
end

return { driver = host.plug_in, connections = host.connections }
