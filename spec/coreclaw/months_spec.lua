local months = require "coreclaw.months"

local DAY, ZONE = 86400, 8 * 3600

-- Unix seconds of a time at UTC+8, by the system's own calendar.
local function at(text)
  local y, m, d, h, mi, s = text:match "(%d+)%-(%d+)%-(%d+) (%d+):(%d+):(%d+)"
  local time = { year = y, month = m, day = d, hour = h, min = mi, sec = s, isdst = false }
  local guess = os.time(time)
  local utc = os.date("!*t", guess)
  utc.isdst = false
  return guess + os.difftime(guess, os.time(utc)) - ZONE
end

local function month_of(time)
  return os.date("!%Y-%m", time + ZONE)
end

local function date(time)
  return os.date("!%Y-%m-%d %H:%M:%S", time + ZONE)
end

local LATER = at "2031-01-01 00:00:00"

local function windows(from, to, now)
  local list = {}
  from, to = months.range("f", from, to)
  for i, window in ipairs(months.windows(from, to, now or LATER)) do
    list[i] = date(window.start_time):sub(1, 10) .. " " .. date(window.end_time):sub(1, 10)
    assert.equal("00:00:00", date(window.start_time):sub(12))
    assert.equal("00:00:00", date(window.end_time):sub(12))
  end
  return list
end

local function message_of(...)
  local ok, err = pcall(months.range, "client:runs", ...)
  assert.is_false(ok)
  return err
end

-- The platform as API.md 16 tells of it. What is not told, is tried both ways: does the last second
-- of a window include the first of the next day, and in which order do runs come?
local function platform(runs, inclusive, oldest_first)
  return function(window)
    assert(window.start_time <= window.end_time, "times the wrong way round")
    assert(month_of(window.start_time) == month_of(window.end_time + DAY - 1),
      "run list time range cannot cross months")
    local list, stop = {}, window.end_time + DAY
    for _, run in ipairs(runs) do
      if run.created >= window.start_time and (run.created < stop or inclusive and run.created == stop) then
        list[#list + 1] = run
      end
    end
    table.sort(list, function(a, b)
      if oldest_first then a, b = b, a end
      return a.created > b.created
    end)
    return list
  end
end

local function listed(serve, from, to, now)
  local first, last = months.range("f", from, to)
  local keep, found = months.keep(first, last), {}
  for _, window in ipairs(months.windows(first, last, now or LATER)) do
    for _, run in ipairs(serve(window)) do
      if keep(run) then
        assert(not found[run.slug], "a run came twice: " .. run.slug)
        found[run.slug] = true
      end
    end
  end
  return found
end

local function each_platform(runs, check)
  for _, inclusive in ipairs { false, true } do
    for _, oldest_first in ipairs { false, true } do
      check(platform(runs, inclusive, oldest_first), inclusive)
    end
  end
end

local function run_at(created, waited)
  local started = waited == "ready" and 0 or created + (waited or 0)
  return { slug = date(created) .. " " .. tostring(waited), created = created, started_at = started }
end

describe("months", function()
  it("asks for nothing where no range is given", function()
    assert.is_nil(months.range("f", nil, nil))
    assert.same({ {} }, months.windows(nil, nil, LATER))
    assert.is_true(months.keep(nil, nil) { slug = "a", started_at = 5 })
  end)

  it("makes one window of a month, with its last day's 00:00:00", function()
    assert.same({ "2026-07-01 2026-07-31" }, windows("2026-07-01", "2026-07-31"))
    assert.same({ "2026-02-01 2026-02-28" }, windows("2026-02-01", "2026-02-28"))
    assert.same({ "2028-02-03 2028-02-29" }, windows("2028-02-03", "2028-02-29"))
    assert.same({ "2026-07-09 2026-07-09" }, windows("2026-07-09", "2026-07-09"))
  end)

  it("goes from the newest month to the oldest", function()
    assert.same({
      "2028-03-01 2028-03-02", "2028-02-01 2028-02-29", "2028-01-01 2028-01-31",
      "2027-12-31 2027-12-31",
    }, windows("2027-12-31", "2028-03-02"))
    assert.equal(38, #windows("2024-01-31", "2027-02-01"))
  end)

  it("counts days and months at UTC+8", function()
    assert.same({ "2026-08-01 2026-08-01" }, windows(at "2026-08-01 00:00:00", at "2026-08-01 23:59:59"))
    assert.same({ "2026-07-31 2026-07-31" }, windows(at "2026-07-31 23:59:59", at "2026-07-31 23:59:59"))
    assert.same({ "2026-08-01 2026-08-01", "2026-07-31 2026-07-31" },
      windows(at "2026-07-31 23:59:59", at "2026-08-01 00:00:00"))
    assert.equal(1785513600, at "2026-08-01 00:00:00") -- 16:00 UTC on the day before
  end)

  it("ends now where no end is given, a little later for clocks that differ", function()
    local now = at "2026-08-31 12:00:00"
    assert.same({ "2026-08-30 2026-08-31" }, windows("2026-08-30", nil, now))
    assert.same({ "2026-09-01 2026-09-01", "2026-08-30 2026-08-31" },
      windows("2026-08-30", nil, at "2026-08-31 23:59:00"))
  end)

  it("takes a named end at its word, for this clock may be wrong, but not for more than a year", function()
    local now = at "2026-08-10 12:00:00"
    assert.same({ "2026-08-01 2026-08-20" }, windows("2026-08-01", "2026-08-20", now))
    local far = windows("2026-08-01", "2099-12-31", now)
    assert.equal(13, #far)
    assert.equal("2027-08-01 2027-08-11", far[1])
  end)

  it("sends whole numbers", function()
    local first, last = months.range("f", at "2026-07-09 10:00:00" + 0.5, at "2026-08-09 10:00:00" + 0.25)
    for _, window in ipairs(months.windows(first, last, LATER + 0.125)) do
      assert.matches("^%d+$", string.format("%.14g", window.start_time))
      if math.type then
        assert.equal("integer", math.type(window.start_time))
        assert.equal("integer", math.type(window.end_time))
      end
    end
  end)

  it("refuses ranges that make no sense", function()
    assert.matches("months_spec.lua:%d+: client:runs: to needs from", message_of(nil, 5))
    assert.matches("from is later than to", message_of("2026-08-02", "2026-08-01"))
    assert.matches("from must be Unix seconds or a date", message_of "yesterday")
    assert.matches("from must be Unix seconds", message_of "2026-02-30")
    assert.matches("to must be Unix seconds", message_of(5, {}))
    assert.matches("from must be Unix seconds", message_of(0 / 0))
    assert.matches("from must be Unix seconds", message_of(-1))
    assert.matches("from must be Unix seconds", message_of(math.huge))
    assert.matches("looks like milliseconds", message_of(1786201200000))
  end)
end)

describe("months, against a model of the platform", function()
  -- Edges of months, years and leap days: each second around midnight, and one run a day between.
  local runs = {}
  for _, edge in ipairs {
    "2027-12-01 00:00:00", "2028-01-01 00:00:00", "2028-02-01 00:00:00", "2028-02-29 00:00:00",
    "2028-03-01 00:00:00", "2028-03-15 00:00:00",
  } do
    for offset = -2, 2 do runs[#runs + 1] = run_at(at(edge) + offset) end
  end
  for day = 0, 120 do
    runs[#runs + 1] = run_at(at "2027-11-20 13:00:00" + day * DAY)
  end

  -- Where a range ends with a day, an inclusive platform shows the second after it too: then nobody
  -- can tell that run from one that waited, and it is kept.
  local function expect(from, to)
    local found = {}
    for _, run in ipairs(runs) do
      if run.created >= from and run.created <= to then found[run.slug] = true end
    end
    return found
  end

  it("yields each run between two seconds once", function()
    local edges = {}
    for _, edge in ipairs { "2027-12-31 23:59:58", "2028-02-28 23:59:58", "2028-02-29 23:59:58" } do
      for offset = 0, 4 do edges[#edges + 1] = at(edge) + offset end
    end
    edges[#edges + 1] = at "2028-03-15 00:00:01"
    each_platform(runs, function(serve, inclusive)
      for i, from in ipairs(edges) do
        for j = i, #edges do
          local to = edges[j]
          if not (inclusive and (to + 1 + ZONE) % DAY == 0) then
            assert.same(expect(from, to), listed(serve, from, to))
          end
        end
      end
    end)
  end)

  it("yields each run of whole days once", function()
    for _, days in ipairs {
      { "2027-12-31", "2028-01-01" }, { "2027-11-20", "2028-03-20" }, { "2028-02-29", "2028-02-29" },
      { "2028-02-01", "2028-02-29" }, { "2028-02-29", "2028-03-01" },
    } do
      local first = at(days[1] .. " 00:00:00")
      local last = at(days[2] .. " 23:59:59")
      each_platform(runs, function(serve, inclusive)
        local expected = expect(first, inclusive and last + 1 or last)
        assert.same(expected, listed(serve, days[1], days[2]))
      end)
    end
  end)

  it("yields everything until now", function()
    local first, now = at "2027-12-05 10:00:00", at "2028-03-10 09:00:00"
    local past = {}
    for _, run in ipairs(runs) do
      if run.created <= now then past[#past + 1] = run end
    end
    each_platform(past, function(serve)
      assert.same(expect(first, now), listed(serve, first, nil, now))
    end)
  end)

  it("keeps runs that wait, or waited across the edge of their day", function()
    local edge = at "2028-02-01 00:00:00"
    local waiting = { run_at(edge - 5, 60), run_at(edge - 5, "ready"), run_at(edge + 5, 60) }
    each_platform(waiting, function(serve)
      assert.same({ [waiting[1].slug] = true, [waiting[2].slug] = true },
        listed(serve, "2028-01-01", "2028-01-31"))
      assert.same({ [waiting[3].slug] = true }, listed(serve, "2028-02-01", "2028-02-29"))
      assert.same({ [waiting[1].slug] = true, [waiting[2].slug] = true, [waiting[3].slug] = true },
        listed(serve, "2028-01-01", "2028-02-29"))
    end)
  end)

  it("drops a run that comes again on the next page", function()
    local keep = months.keep(0, nil)
    assert.is_true(keep { slug = "a", started_at = 7 })
    assert.is_true(keep { slug = "b", started_at = 0 })
    assert.is_false(keep { slug = "a", started_at = 7 })
    assert.is_false(keep { slug = "b" })
    assert.is_true(keep {}) -- without an id nothing can be said
    assert.is_true(keep {})
  end)

  it("remembers many runs, but not all", function()
    local keep = months.keep(0, nil)
    collectgarbage()
    for i = 1, 100000 do keep { slug = "run " .. i, started_at = 1 } end
    collectgarbage()
    local before = collectgarbage "count"
    for i = 100001, 200000 do keep { slug = "run " .. i, started_at = 1 } end
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 2000)
    assert.is_false(keep { slug = "run 199999", started_at = 1 })
    assert.is_false(keep { slug = "run 165000", started_at = 1 }) -- of the older generation
  end)
end)
