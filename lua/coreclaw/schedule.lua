--- Schedules of saved tasks: from what a person says to the API's `schedule_*` fields, and back.
--
--   { daily = "09:30" }                       { weekly = "monday", at = "09:30" }
--   { monthly = 15, at = "09:30" }            { once = "2026-12-01", at = "09:30" }
--   false                                     off
--
-- `enabled = false` beside any of them keeps the times and switches the schedule off. The time
-- zone, months without a 31st and missed runs are the platform's business; it promises nothing.

local calendar = require "coreclaw.calendar"
local validate = require "coreclaw.validate"

---@class coreclaw.Schedule  exactly one of daily, weekly, monthly, once
---@field daily string?           "HH:mm"
---@field weekly string|integer?  "monday", "mon", or 1 (Monday) to 7
---@field monthly integer?        day of the month, 1 to 31
---@field once string?            "YYYY-MM-DD"
---@field at string?              "HH:mm", where it does not stand in `daily`
---@field enabled boolean?        default true

local schedule = {}

local WEEKDAYS = {
  "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
}

-- Every spelling of a weekday → its number. Short names are the first three to five letters.
local NUMBERS = { tues = 2, thur = 4, thurs = 4 }
for i, name in ipairs(WEEKDAYS) do
  NUMBERS[name], NUMBERS[name:sub(1, 3)] = i, i
end

local OPTIONS = {
  daily = { type = "any" }, weekly = { type = "any" }, monthly = { type = "any" },
  once = { type = "any" }, at = { type = "any" }, enabled = { type = "boolean", default = true },
}

local function refuse(where, name, want, value)
  validate.fail(where .. ": " .. name .. " must be " .. want .. ", got " .. validate.show(value))
end

local function is_integer(value)
  return type(value) == "number" and value - value == 0 and value == math.floor(value)
end

-- "9:30" and "09:30:00" are "09:30"; nil for what is no time of a day.
local function read_time(text)
  if type(text) ~= "string" then return nil end
  local hour, minute = text:match("^(%d%d?):(%d%d)$")
  if not hour then hour, minute = text:match("^(%d%d?):(%d%d):%d%d$") end
  if not hour or tonumber(hour) > 23 or tonumber(minute) > 59 then return nil end
  return string.format("%02d:%s", tonumber(hour), minute)
end

local function time(where, name, value)
  if value == nil then
    validate.fail(where .. ": at is missing: the time of day, HH:mm")
  end
  return read_time(value) or refuse(where, name, "a time of day, HH:mm from 00:00 to 23:59", value)
end

local function weekday(where, value)
  local number = type(value) == "string" and NUMBERS[value:lower()] or value
  if is_integer(number) and number >= 1 and number <= 7 then return math.floor(number) end
  local near = type(value) == "string" and validate.nearest(value, NUMBERS)
  refuse(where, "weekly", "one weekday (monday to sunday, mon to sun, or 1 to 7 from Monday)"
    .. (near and "; did you mean " .. WEEKDAYS[NUMBERS[near]] .. "?" or ""), value)
end

-- What each word of a person sets. `kind` is the API's schedule_type.
local KINDS = {
  daily = {
    kind = 1,
    write = function() return {} end,
    read = function() return true end,
  },
  weekly = {
    kind = 2,
    write = function(where, value) return { schedule_weekday = weekday(where, value) } end,
    read = function(data) return WEEKDAYS[data.schedule_weekday] end,
  },
  monthly = {
    kind = 3,
    write = function(where, value)
      if is_integer(value) and value >= 1 and value <= 31 then
        return { schedule_day = math.floor(value) }
      end
      refuse(where, "monthly", "a day of the month, 1 to 31", value)
    end,
    read = function(data)
      local day = data.schedule_day
      return is_integer(day) and day >= 1 and day <= 31 and day or nil
    end,
  },
  once = {
    kind = 4,
    write = function(where, value)
      if calendar.parse(value) then return { schedule_once_date = value } end
      refuse(where, "once", "a date that exists, YYYY-MM-DD", value)
    end,
    read = function(data)
      return calendar.parse(data.schedule_once_date) and data.schedule_once_date or nil
    end,
  },
}

local WORDS = { "daily", "weekly", "monthly", "once" } -- by schedule_type

-- Which of the four words was said; exactly one must be.
local function word_of(where, spec)
  local said
  for _, word in ipairs(WORDS) do
    if spec[word] ~= nil then
      if said then
        validate.fail(where .. ": " .. said .. " and " .. word .. " are two schedules; a task has one")
      end
      said = word
    end
  end
  if not said then
    validate.fail(where .. ": one of daily, weekly, monthly, once must be given")
  end
  return said
end

-- `daily` holds its time itself, or is `true` beside an `at`.
local function time_of(where, word, spec)
  if word ~= "daily" or spec.daily == true then return time(where, "at", spec.at) end
  if spec.at ~= nil then
    validate.fail(where .. ": daily says the time already; leave out at, or say daily = true")
  end
  return time(where, "daily", spec.daily)
end

---The API's fields for a schedule. Raises, naming the field, on what makes no sense.
---@param spec coreclaw.Schedule|false|nil  false = off; nil = nothing is said, no field is sent
---@param where string?                     what the caller called, for messages
---@return table<string, string|integer>
function schedule.to_api(spec, where)
  where = where or "schedule"
  if spec == nil then return {} end
  if spec == false then return { schedule_enabled = 0 } end
  if type(spec) ~= "table" then
    refuse(where, "schedule", 'a table like { daily = "09:30" }, or false for off', spec)
  end
  spec = validate.options(where, spec, OPTIONS)
  local word = word_of(where, spec)
  local fields = KINDS[word].write(where, spec[word])
  fields.schedule_type = KINDS[word].kind
  fields.schedule_enabled = spec.enabled and 1 or 0
  fields.schedule_time = time_of(where, word, spec)
  return fields
end

---What a person would say for the `schedule_*` fields of a task. `from_api(to_api(x))` is x, with
---weekdays as whole words and times as HH:mm.
---@param data table
---@return coreclaw.Schedule|false|nil  false = off; nil = no schedule, or none that can be read
---@return string?                      why it cannot be read
function schedule.from_api(data)
  local kind, off = data.schedule_type, data.schedule_enabled == 0
  if type(kind) ~= "number" or kind == 0 then
    if off and kind == nil then return false end
    return nil
  end
  local word = WORDS[kind]
  if not word then return nil, "schedule_type " .. tostring(kind) .. " is not known" end
  local at, value = read_time(data.schedule_time), KINDS[word].read(data)
  if not at or not value then
    return nil, "the " .. word .. " schedule lacks its time or day"
  end
  local spec = word == "daily" and { daily = at } or { [word] = value, at = at }
  if off then spec.enabled = false end
  return spec
end

return schedule
