--- The run list, month by month. The API lists one calendar month at a time, counted in UTC+8.
--
-- What it does (API.md 16): `start_time` and `end_time` go together and must lie in one month, or
-- it refuses; it adds 86400 seconds to `end_time`, so that the last day of a month may be named by
-- its 00:00:00 only; without both it lists the current month. Hence every time we send is a
-- midnight at UTC+8, and what is finer than a day is left to `months.keep`.
--
-- A run belongs to the day on which it was created. Records do not show when that was; they show
-- when the run started, which is never earlier, and 0 while it waits.

local calendar = require "coreclaw.calendar"
local recent = require "coreclaw.recent"
local validate = require "coreclaw.validate"

local months = {}

local DAY = 86400
local ZONE = 8 * 3600

-- Seconds by which the platform's clock may be ahead of ours.
local AHEAD = 600

-- How many runs are remembered, at least, to know one that comes again. Bounded, for memory.
local REMEMBERED = 20000

---@alias coreclaw.Time number|string  Unix seconds, or "YYYY-MM-DD": that whole day at UTC+8

---@class coreclaw.Window  one request's times; both absent where the API's own choice is wanted
---@field start_time integer?  Unix seconds of a midnight at UTC+8
---@field end_time integer?    of the midnight with which the last day begins

local function day_of(time)
  return math.floor((time + ZONE) / DAY)
end

local function midnight(day)
  return day * DAY - ZONE
end

local WANT = " must be Unix seconds or a date YYYY-MM-DD (a day at UTC+8), got "

-- The first and the last second that a time stands for.
local function seconds(where, name, value)
  local year, month, day = calendar.parse(value)
  if year then
    local first = midnight(calendar.day(year, month, day))
    return first, first + DAY - 1
  elseif type(value) ~= "number" or value < 0 or value - value ~= 0 then
    validate.fail(where .. ": " .. name .. WANT .. validate.show(value))
  elseif value >= 1e11 then
    validate.fail(where .. ": " .. name .. " must be seconds, and " .. string.format("%.0f", value)
      .. " looks like milliseconds")
  end
  return value, value
end

---Checks a range and turns it into seconds. Raises if it makes no sense.
---@param where string  what the caller called, for messages
---@param from coreclaw.Time?
---@param to coreclaw.Time?   the day itself belongs to the range; nil = until now
---@return number? from  nil when no range was given
---@return number? to
function months.range(where, from, to)
  if from == nil and to == nil then return nil end
  if from == nil then
    validate.fail(where .. ": to needs from, for the API lists month by month and wants a beginning")
  end
  local first, last = seconds(where, "from", from), nil
  if to ~= nil then
    last = select(2, seconds(where, "to", to))
    if first > last then
      validate.fail(where .. ": from is later than to (" .. tostring(from) .. ", " .. tostring(to)
        .. ")")
    end
  end
  return first, last
end

-- The days of one window: from the first of the month, or later, to `last`.
local function window_ending(last, first)
  local year, month = calendar.date(last)
  local start = math.max(calendar.day(year, month, 1), first)
  return { start_time = midnight(start), end_time = midnight(last) }, start
end

---The requests that cover a range, newest month first. Each lies within one month; together they
---cover every day of the range once, and end with the day after `now`: nothing is listed later.
---@param from number?  of `months.range`
---@param to number?    nil = until now
---@param now number    Unix seconds
---@return coreclaw.Window[]
function months.windows(from, to, now)
  if from == nil then return { {} } end
  -- A platform whose clock is ahead of ours may be in its next day already.
  local first, last = day_of(from), day_of(now + AHEAD)
  -- Who names an end means it: this machine's clock may be wrong. A year bounds the empty requests.
  if to then last = math.min(day_of(to), day_of(now + 366 * DAY)) end
  local list = {}
  while last >= first do
    local window, start = window_ending(last, first)
    list[#list + 1] = window
    last = start - 1
  end
  return list
end

-- Where a range ends with a day, the API has cut it already, and by the better time.
local function ends_with_day(to)
  return (to + 1 + ZONE) % DAY == 0
end

---A test for the records of all windows of a range, in the order in which they come: true for
---those to yield. It drops a run that came before: at the edge of two windows, or because new runs
---pushed it to the next page. And it drops what a range finer than a day leaves out, judged by
---when the run started; one that waits is kept, for nobody can tell when it was created, and none
---may be missing.
---@param from number?
---@param to number?
---@return fun(record: table): boolean
function months.keep(from, to)
  local lower = from or 0
  local upper = to and not ends_with_day(to) and to or math.huge
  local seen = recent.new(REMEMBERED)
  return function(record)
    local slug, started = record.slug, record.started_at
    if type(slug) == "string" and not seen:add(slug) then return false end
    if type(started) ~= "number" or started <= 0 then return true end
    return started >= lower and started <= upper
  end
end

return months
