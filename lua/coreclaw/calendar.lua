--- The Gregorian calendar as arithmetic: no clock, no time zone, no os.time.
--
-- A day is a number: 0 is 1970-01-01. Whoever wants the day of a moment decides on the zone first.

local calendar = {}

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

---@param year integer
---@return boolean
function calendar.is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

---Number of days of a month.
---@param year integer
---@param month integer  1 to 12
---@return integer
function calendar.days_in_month(year, month)
  return month == 2 and calendar.is_leap(year) and 29 or DAYS[month]
end

-- The year is taken to begin in March: then the leap day is its last, and every 400 years are alike.
---The number of a date's day.
---@param year integer
---@param month integer
---@param day integer
---@return integer
function calendar.day(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  local day_of_era = year_of_era * 365 + math.floor(year_of_era / 4)
    - math.floor(year_of_era / 100) + day_of_year
  return era * 146097 + day_of_era - 719468
end

---The date of a day's number.
---@param number integer
---@return integer year
---@return integer month
---@return integer day
function calendar.date(number)
  number = number + 719468
  local era = math.floor(number / 146097)
  local rest = number - era * 146097
  local year = math.floor((rest - math.floor(rest / 1460) + math.floor(rest / 36524)
    - math.floor(rest / 146096)) / 365)
  local day_of_year = rest - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local shifted = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted + 2) / 5) + 1
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

---Reads "YYYY-MM-DD"; nothing if it is no date of the calendar.
---@param text any
---@return integer? year
---@return integer? month
---@return integer? day
function calendar.parse(text)
  if type(text) ~= "string" then return nil end
  local year, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 or day > calendar.days_in_month(year, month) then
    return nil
  end
  return year, month, day
end

return calendar
