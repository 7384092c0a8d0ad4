-- The parts of the sandbox that need no server.
local encode = require("coreclaw.sandbox.encode")
local months = require("coreclaw.sandbox.platform.months")
local money = require("coreclaw.sandbox.platform.money")
local price = require("coreclaw.sandbox.tools.price")
local routes = require("coreclaw.sandbox.routes")
local span = require("coreclaw.sandbox.span")

describe("span", function()
  it("cuts an object into the slices of its text", function()
    local text = ' { "a" : 1.0 ,"b":{"x":[1,{"}":"]"}]}, "c\\u0041": "q\\"}" ,"d":[] ,"e":null,"a":2}'
    local slices, keys = span.object(text)
    assert.same({ "a", "b", "cA", "d", "e", "a" }, keys)
    assert.same({ a = "2", b = '{"x":[1,{"}":"]"}]}', cA = '"q\\"}"', d = "[]", e = "null" }, slices)
  end)

  it("cuts nothing out of an empty object, and has none for other values", function()
    assert.same({}, (span.object("{ }")))
    for _, text in ipairs({ "[]", "1", '"{}"', "null" }) do
      assert.is_nil(span.object(text))
    end
    assert.is_nil(span.object(nil))
  end)

  it("cuts arrays", function()
    assert.same({ "1", '"a,b"', "[2,3]", "{}" }, span.array('[1, "a,b" ,[2,3],{}]'))
    assert.same({}, span.array("[]"))
    assert.is_nil(span.array("{}"))
  end)

  it("tells integers from numbers by their writing", function()
    assert.equal("integer", span.kind("20"))
    assert.equal("integer", span.kind("-12345678901234567890"))
    for _, text in ipairs({ "20.0", "2e1", "2E1" }) do
      assert.equal("number", span.kind(text))
    end
    assert.equal("string", span.kind('"20"'))
    assert.equal("boolean", span.kind("false"))
    assert.equal("null", span.kind("null"))
  end)
end)

describe("months", function()
  -- 2026-07-31 16:00 UTC is midnight of August 1 at UTC+8.
  local AUGUST = 1785513600

  it("turn at UTC+8", function()
    assert.is_true(months.of(AUGUST) == months.of(AUGUST - 1) + 1)
    assert.is_true(months.current(AUGUST, AUGUST + 3600))
    assert.is_false(months.current(AUGUST - 1, AUGUST))
  end)

  it("add a day to the end, which may reach the month's last moment and no further", function()
    local last_day = AUGUST - 86400
    local from, to = months.window(AUGUST - 10 * 86400, last_day)
    assert.equal(AUGUST - 10 * 86400, from)
    assert.equal(AUGUST, to)
    assert.is_nil(months.window(AUGUST - 10 * 86400, last_day + 1))
    assert.is_nil(months.window(AUGUST - 1, AUGUST))
    assert.is_nil(months.window(AUGUST + 10, AUGUST))
  end)
end)

describe("schedule", function()
  local schedule = require("coreclaw.sandbox.platform.schedule")
  -- Monday, 2026-11-23 00:00 at UTC+8.
  local MONDAY = 1795363200

  local function after(now, fields)
    fields.schedule_enabled, fields.schedule_time = fields.schedule_enabled or 1, fields.schedule_time or "09:30"
    local at = schedule.next(fields, now)
    return at and (at - MONDAY) / 3600
  end

  it("means every day", function()
    assert.equal(9.5, after(MONDAY, { schedule_type = 1 }))
    assert.equal(33.5, after(MONDAY + 9.5 * 3600, { schedule_type = 1 }))
  end)

  it("means a day of the week, from Monday to Sunday", function()
    assert.equal(9.5, after(MONDAY, { schedule_type = 2, schedule_weekday = 1 }))
    assert.equal(6 * 24 + 9.5, after(MONDAY, { schedule_type = 2, schedule_weekday = 7 }))
    assert.equal(7 * 24 + 9.5, after(MONDAY + 43200, { schedule_type = 2, schedule_weekday = 1 }))
  end)

  it("means a day of the month, where there is one", function()
    assert.equal(24 + 9.5, after(MONDAY, { schedule_type = 3, schedule_day = 24 }))
    assert.equal(38 * 24 + 9.5, after(MONDAY, { schedule_type = 3, schedule_day = 31 }))
  end)

  it("means one day", function()
    assert.equal(48 + 9.5, after(MONDAY, { schedule_type = 4, schedule_once_date = "2026-11-25" }))
    assert.is_nil(after(MONDAY, { schedule_type = 4, schedule_once_date = "2026-11-22" }))
  end)

  it("means nothing when it is off", function()
    assert.is_nil(after(MONDAY, { schedule_type = 1, schedule_enabled = 0 }))
  end)
end)

describe("money", function()
  it("has four decimals", function()
    assert.equal("0", money.text(0))
    assert.equal("0.0134", money.text(13400))
    assert.equal("0.0000", money.balance_text(0))
    assert.equal("12.5000", money.balance_text(money.micros("12.5")))
  end)
end)

describe("price", function()
  local cases = {
    { "$49.90", 49.9, "USD" }, { "1.299,00 €", 1299, "EUR" }, { "39,95 €", 39.95, "EUR" }, { "¥3,200", 3200, "JPY" },
    { "1 299 kr", 1299, "SEK" }, { "1\194\160299,50 kr", 1299.5, "SEK" }, { "CHF 1'050.00", 1050, "CHF" },
    { "£7", 7, "GBP" }, { "1,234,567.89 USD", 1234567.89, "USD" }, { "12.345", 12345, nil }, { "0.00 $", 0, "USD" },
    { "ab 5.", 5, nil },
  }
  for _, case in ipairs(cases) do
    it("reads " .. case[1], function()
      local amount, currency = price.parse(case[1])
      assert.equal(case[2], amount)
      assert.equal(case[3], currency)
    end)
  end

  it("reads nothing where there is nothing", function()
    assert.is_nil(price.parse("free of charge"))
  end)
end)

describe("encode", function()
  it("writes raw parts as they are, wherever they stand", function()
    local text = encode.encode(encode.fields("a", encode.raw('[1.0,"x"]'), "b", encode.list({ encode.raw("{}") })))
    assert.matches('"a":%[1%.0,"x"%]', text)
    assert.matches('"b":%[{}%]', text)
  end)

  it("tells empty lists from empty objects", function()
    assert.equal("[]", encode.encode(encode.list({})))
    assert.equal("{}", encode.encode(encode.fields()))
  end)
end)

describe("routes", function()
  it("are all 39 of v2 and 13 of v1, each once", function()
    local count, seen = { v1 = 0, v2 = 0 }, {}
    for _, operation in ipairs(routes) do
      assert.is_nil(seen[operation.id])
      assert.is_nil(seen[operation.method .. operation.path])
      seen[operation.id], seen[operation.method .. operation.path] = true, true
      count[operation.api] = count[operation.api] + 1
    end
    assert.same({ v1 = 13, v2 = 39 }, count)
  end)
end)
