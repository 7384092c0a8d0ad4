--- The clock of a client: what its deadlines are measured by, and how it waits between requests.
--
-- With a clock of the caller's own, an hour of polling or of backing off takes no time in a test.
-- What happens on the wire stays on real time: the timeouts of one exchange are libcurl's.

local core = require "coreclaw.core"
local driver = require "coreclaw.driver"
local validate = require "coreclaw.validate"

---@class coreclaw.Clock
---@field now fun(): number        seconds since some moment, never backwards
---@field sleep fun(seconds: number)
---@field real boolean?             no clock of the caller's own
local Clock = { __name = "coreclaw.Clock" }
Clock.__index = Clock

local OPTIONS = { now = { type = "callable" }, sleep = { type = "callable" } }
local WHERE = "coreclaw.new: clock"

local clock = {}

local function checked(now)
  return function()
    local value = now()
    validate.value(WHERE, "what now returns", value, { type = "number" })
    return value
  end
end

-- Looked up per call: where a program waits may change while it runs.
local function sleep(seconds)
  driver.current().sleep(seconds)
end

---@param setting { now: (fun(): number), sleep: fun(seconds: number) }?  default: real time
---@return coreclaw.Clock
function clock.new(setting)
  if setting == nil then return setmetatable({ now = core.now, sleep = sleep, real = true }, Clock) end
  local options = validate.options(WHERE, setting, OPTIONS)
  if not options.now or not options.sleep then
    validate.fail(WHERE .. ": now and sleep belong together; " .. (options.now and "sleep" or "now")
      .. " is missing")
  end
  return setmetatable({ now = checked(options.now), sleep = options.sleep }, Clock)
end

---Sleeps. A task that was cancelled gets its error, and says what had been sent before.
---@param seconds number
---@return coreclaw.Error?
function Clock:pause(seconds)
  if self.real then return driver.current().pause(seconds) end
  self.sleep(seconds)
end

---When so many seconds are over.
---@param seconds number  0 = never
---@return number
function Clock:deadline(seconds)
  return seconds > 0 and self.now() + seconds or math.huge
end

---Seconds left until a deadline.
---@param deadline number
---@param least number?  no fewer than that: to a timeout, 0 would mean "no limit"
---@return number
function Clock:left(deadline, least)
  if deadline == math.huge then return math.huge end
  return math.max(deadline - self.now(), least or 0)
end

return clock
