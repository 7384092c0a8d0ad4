--- When a saved task is to run: what its schedule fields have to be, and the moments that they mean. The platform names
-- no time zone; here it is UTC+8, as for its run list. A month without the day has no run.

local M = {}

local DAYS = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_time(text)
  local hour, minute = text:match("^(%d%d):(%d%d)$")
  return hour and tonumber(hour) < 24 and tonumber(minute) < 60
end

local function is_date(text)
  local _, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  local days = month and DAYS[tonumber(month)]
  return days and tonumber(day) >= 1 and tonumber(day) <= days
end

-- What each type needs besides the time.
local NEEDED = { [2] = "schedule_weekday", [3] = "schedule_day", [4] = "schedule_once_date" }

local function check_words(fields, details)
  local time, date = fields.schedule_time, fields.schedule_once_date
  if time and not is_time(time) then
    details[#details + 1] = "expected HH:mm (body.schedule_time: " .. time .. ")"
  end
  if date and not is_date(date) then
    details[#details + 1] = "expected YYYY-MM-DD (body.schedule_once_date: " .. date .. ")"
  end
end

local function check_complete(fields, details)
  for _, name in ipairs({ "schedule_type", "schedule_time", NEEDED[fields.schedule_type] }) do
    if fields[name] == nil then
      details[#details + 1] = "expected required property " .. name .. " to be present (body)"
    end
  end
end

--- Complaints about a task's schedule fields, as they are after a change.
---@return string[] details empty when all is well
function M.complaints(fields)
  local details = {}
  check_words(fields, details)
  if fields.schedule_enabled == 1 then
    check_complete(fields, details)
  end
  return details
end

local SHIFT, DAY = 8 * 3600, 86400

local function is_day(fields, date)
  local kind = fields.schedule_type
  if kind == 2 then
    return (date.wday + 5) % 7 + 1 == fields.schedule_weekday
  elseif kind == 3 then
    return date.day == fields.schedule_day
  elseif kind == 4 then
    return ("%04d-%02d-%02d"):format(date.year, date.month, date.day) == fields.schedule_once_date
  end
  return true
end

-- The only day of a task that runs once may be years away.
local function days_ahead(fields)
  return fields.schedule_type == 4 and 3660 or 62
end

--- The first moment after `now` (Unix seconds) at which a task with these fields is due; nil when there is none.
function M.next(fields, now)
  if fields.schedule_enabled ~= 1 then
    return nil
  end
  local hour, minute = fields.schedule_time:match("^(%d%d):(%d%d)$")
  local midnight = math.floor((now + SHIFT) / DAY) * DAY
  for day = 0, days_ahead(fields) do
    local start = midnight + day * DAY
    local at = start + hour * 3600 + minute * 60 - SHIFT
    if at > now and is_day(fields, os.date("!*t", start)) then
      return at
    end
  end
  return nil
end

return M
