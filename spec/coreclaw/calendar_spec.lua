local calendar = require "coreclaw.calendar"

describe("calendar", function()
  it("counts every day of four centuries, there and back", function()
    local number = calendar.day(1969, 12, 31)
    assert.equal(-1, number)
    for year = 1970, 2399 do
      for month = 1, 12 do
        for day = 1, calendar.days_in_month(year, month) do
          number = number + 1
          if calendar.day(year, month, day) ~= number then
            error(("%d-%d-%d is day %d"):format(year, month, day, number))
          end
          local y, m, d = calendar.date(number)
          if y ~= year or m ~= month or d ~= day then
            error(("day %d became %d-%d-%d"):format(number, y, m, d))
          end
        end
      end
    end
  end)

  it("agrees with the system's clock", function()
    for _, time in ipairs { 0, 951782400, 1709164800, 1786201200, 4102444800 } do
      local date = os.date("!*t", time)
      assert.equal(math.floor(time / 86400), calendar.day(date.year, date.month, date.day))
    end
  end)

  it("knows leap years", function()
    assert.is_true(calendar.is_leap(2024))
    assert.is_true(calendar.is_leap(2000))
    assert.is_false(calendar.is_leap(2100))
    assert.is_false(calendar.is_leap(2026))
  end)

  it("reads dates that exist", function()
    assert.same({ 2028, 2, 29 }, { calendar.parse "2028-02-29" })
    for _, text in ipairs {
      "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "26-01-01", " 2026-01-01",
      "2026-01-01T00", "", "2026-01-00",
    } do
      assert.is_nil(calendar.parse(text), text)
    end
    assert.is_nil(calendar.parse(20260101))
    assert.is_nil(calendar.parse(nil))
  end)
end)
