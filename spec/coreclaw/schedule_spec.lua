local schedule = require "coreclaw.schedule"

local function message_of(spec)
  local ok, err = pcall(schedule.to_api, spec, "task:update")
  assert.is_false(ok)
  return err
end

describe("schedule", function()
  it("says the four kinds in the API's words", function()
    assert.same({ schedule_enabled = 1, schedule_type = 1, schedule_time = "09:30" },
      schedule.to_api { daily = "09:30" })
    assert.same({
      schedule_enabled = 1, schedule_type = 2, schedule_time = "09:30", schedule_weekday = 1,
    }, schedule.to_api { weekly = "monday", at = "09:30" })
    assert.same({
      schedule_enabled = 1, schedule_type = 3, schedule_time = "00:00", schedule_day = 31,
    }, schedule.to_api { monthly = 31, at = "00:00" })
    assert.same({
      schedule_enabled = 1, schedule_type = 4, schedule_time = "23:59",
      schedule_once_date = "2026-12-01",
    }, schedule.to_api { once = "2026-12-01", at = "23:59" })
  end)

  it("says off and nothing", function()
    assert.same({ schedule_enabled = 0 }, schedule.to_api(false))
    assert.same({}, schedule.to_api(nil))
    assert.equal(0, schedule.to_api({ daily = "09:30", enabled = false }).schedule_enabled)
  end)

  it("takes weekdays as words, short words and numbers", function()
    for number, names in ipairs {
      { "monday", "Mon", 1 }, { "tuesday", "tue", "tues", 2 }, { "wednesday", "WED", 3 },
      { "thursday", "thu", "thur", "thurs", 4 }, { "friday", "fri", 5 }, { "saturday", "sat", 6.0 },
      { "sunday", "sun", 7 },
    } do
      for _, name in ipairs(names) do
        local fields = schedule.to_api { weekly = name, at = "09:30" }
        assert.equal(tostring(number), tostring(fields.schedule_weekday))
      end
    end
  end)

  it("comes back as it was said", function()
    local specs = { false, { once = "2028-02-29", at = "12:00" } }
    for minute = 0, 1439, 7 do
      specs[#specs + 1] = { daily = ("%02d:%02d"):format(math.floor(minute / 60), minute % 60) }
    end
    for day = 1, 31 do specs[#specs + 1] = { monthly = day, at = "09:30" } end
    for _, name in ipairs {
      "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    } do
      specs[#specs + 1] = { weekly = name, at = "09:30" }
      specs[#specs + 1] = { weekly = name, at = "09:30", enabled = false }
    end
    for _, spec in ipairs(specs) do
      assert.same(spec, (schedule.from_api(schedule.to_api(spec))))
    end
    assert.is_nil(schedule.from_api(schedule.to_api(nil)))
  end)

  it("normalises what is said in other ways", function()
    local function back(spec) return (schedule.from_api(schedule.to_api(spec))) end
    assert.same({ daily = "09:05" }, back { daily = "9:05" })
    assert.same({ daily = "09:05" }, back { daily = true, at = "09:05:00" })
    assert.same({ weekly = "sunday", at = "09:30" }, back { weekly = 7, at = "9:30" })
    assert.same({ daily = "09:05" }, back { daily = "09:05", enabled = true })
  end)

  it("reads what tasks show", function()
    assert.is_nil(schedule.from_api { schedule_enabled = 0, schedule_type = 0 })
    assert.is_nil(schedule.from_api { schedule_type = 0, schedule_time = "", schedule_day = 0 })
    assert.is_nil(schedule.from_api {})
    assert.same({ weekly = "sunday", at = "09:30" }, (schedule.from_api {
      schedule_enabled = 1, schedule_type = 2, schedule_weekday = 7, schedule_time = "09:30",
      schedule_day = 0, schedule_once_date = "",
    }))
  end)

  it("says why a schedule cannot be read", function()
    local spec, why = schedule.from_api { schedule_type = 9, schedule_enabled = 1 }
    assert.is_nil(spec)
    assert.matches("schedule_type 9", why)
    for _, data in ipairs {
      { schedule_type = 1 }, { schedule_type = 1, schedule_time = "25:00" },
      { schedule_type = 2, schedule_time = "09:30", schedule_weekday = 0 },
      { schedule_type = 3, schedule_time = "09:30", schedule_day = 32 },
      { schedule_type = 4, schedule_time = "09:30", schedule_once_date = "2026-02-30" },
    } do
      spec, why = schedule.from_api(data)
      assert.is_nil(spec)
      assert.matches("lacks its time or day", why)
    end
  end)

  it("refuses what makes no sense, naming the field", function()
    assert.matches("schedule_spec.lua:%d+: task:update: daily must be a time of day",
      message_of { daily = "24:00" })
    assert.matches("daily must be a time", message_of { daily = 930 })
    assert.matches("daily must be a time", message_of { daily = "9:60" })
    assert.matches("daily must be a time", message_of { daily = "9.30 am" })
    assert.matches("at must be a time", message_of { weekly = "monday", at = "half past nine" })
    assert.matches("at is missing", message_of { weekly = "monday" })
    assert.matches("at is missing", message_of { daily = true })
    assert.matches("leave out at", message_of { daily = "09:30", at = "10:30" })
    assert.matches("did you mean monday%?", message_of { weekly = "munday", at = "09:30" })
    assert.matches("weekly must be one weekday", message_of { weekly = 0, at = "09:30" })
    assert.matches("weekly must be one weekday", message_of { weekly = 8, at = "09:30" })
    assert.matches("weekly must be one weekday", message_of { weekly = 1.5, at = "09:30" })
    assert.matches("got a table", message_of { weekly = { "monday", "friday" }, at = "09:30" })
    assert.matches("monthly must be a day of the month", message_of { monthly = 32, at = "09:30" })
    assert.matches("monthly must be a day", message_of { monthly = 0, at = "09:30" })
    assert.matches("monthly must be a day", message_of { monthly = "15", at = "09:30" })
    assert.matches("once must be a date that exists", message_of { once = "2026-02-29", at = "09:30" })
    assert.matches("once must be a date", message_of { once = 20261201, at = "09:30" })
    assert.matches("daily and weekly are two schedules", message_of { daily = "09:30", weekly = 1 })
    assert.matches("one of daily, weekly, monthly, once", message_of { at = "09:30" })
    assert.matches("did you mean weekly%?", message_of { weekley = "monday", at = "09:30" })
    assert.matches("enabled must be true or false", message_of { daily = "09:30", enabled = 1 })
    assert.matches("schedule must be a table", message_of "daily")
    assert.matches("schedule must be a table", message_of(true))
  end)

  it("does not write into the caller's table", function()
    local spec = { weekly = "Mon", at = "9:30" }
    schedule.to_api(spec)
    assert.same({ weekly = "Mon", at = "9:30" }, spec)
  end)
end)
