-- Pages of 100 rows of about 1 KB, every row a table.
local verdict = require "spec.bench.verdict"

local ALL = { "raw54", "rawjit", "raw", "ours54", "oursjit", "luacurl", "luasocket", "luahttp", "fetch", "undici", "apify",
  "requests", "urllib3" }
local OURS = { "ours54", "oursjit" }

local function result_path(name)
  return "/api/v2/worker-runs/" .. name .. "/result"
end

local function per_second(figures, n)
  return n * 100 / figures.seconds
end

-- ---- no delay -----------------------------------------------------------------------------------

local PLAIN = "1,000 pages × 100 rows, no delay, every row a table"

-- The others need not be watched for as long: their pages all take the same.
local function pages_for(context)
  return function(name)
    if context.quick then return 30 end
    return (name:find "^raw" or name:find "^ours") and 1000 or 100
  end
end

local function plain(context)
  return {
    subjects = ALL, unit = "s", timed = true, rounds = context.quick and 2 or 4, n = pages_for(context),
    warm = function() return context.quick and 5 or 50 end,
    line = function(name, n)
      local run = ("rows-%d"):format(n * 100)
      if name:find "^raw" then return ("pages %d %s"):format(n, result_path(run)) end
      if name:find "^ours" then return "rows " .. run end
      return ("rows %s %d"):format(run, n)
    end,
    value = function(figures, n) return figures.seconds / n * 1000 end,
  }
end

local function plain_verdicts(entries, _, race)
  return {
    verdict.of_race(race, entries, { work = PLAIN, ours = "ours54", reference = "raw54", max = 1.20 }),
    verdict.of_race(race, entries, { work = PLAIN, ours = "oursjit", reference = "rawjit", max = 1.10 }),
  }
end

-- ---- delays -------------------------------------------------------------------------------------

-- So many pages that the way to the first one, before which nobody knows how many there are, is a
-- small part of it.
local TURNS = { 20, [2] = 20, [4] = 25, [8] = 30, [16] = 30 }

local function pages_of(context, width)
  return width * (context.quick and 4 or TURNS[width])
end

local function delayed_line(run, width)
  return function(name, n)
    if name == "raw" then return ("multi %d %d %s?offset=%%ld&limit=100"):format(n, width, result_path(run)) end
    return ("rows %s %d"):format(run, width)
  end
end

local function delayed(ms, width)
  local work = ("the same with %d ms server delay, `ahead` %d"):format(ms, width)
  return {
    id = ("delay-%d-ahead-%d"):format(ms, width), title = work, reference = "raw",
    race = function(context)
      local pages = pages_of(context, width)
      return {
        subjects = { "raw", "ours54", "oursjit" }, unit = "rows/s", more = true, n = pages, value = per_second,
        rounds = context.quick and 1 or ms == 20 and 3 or 2,
        warm = function() return math.min(width, pages) end,
        line = function(name, n)
          return delayed_line(("rows-%d-d%d"):format(n * 100 - 1, ms), width)(name, n)
        end,
      }
    end,
    verdicts = function(entries, _, race)
      local out = {}
      for i, ours in ipairs(OURS) do
        out[i] = verdict.of_race(race, entries, { work = work, ours = ours, reference = "raw", what = "rows/s", min = 0.97 })
      end
      return out
    end,
  }
end

local LOOP = "paging with 100 ms server delay, `ahead` as it is by default"

-- apify-client's loop need not be watched for as long: it goes at one pace.
local function default_pages(name, n)
  return name == "apify" and math.min(n, 20) or n
end

local function default_race(context)
  return {
    subjects = { "apify", "ours54", "oursjit" }, unit = "rows/s", more = true, n = context.quick and 40 or 200,
    rounds = context.quick and 1 or 2, warm = function() return 3 end,
    line = function(name, n)
      if name ~= "apify" then return ("rows rows-%d-d100"):format(n * 100 - 1) end
      return ("rows rows-%d-d100 %d"):format(n * 100, default_pages(name, n))
    end,
    value = function(figures, n, name) return per_second(figures, default_pages(name, n)) end,
  }
end

local function default_verdicts(entries, _, race)
  local out = {}
  for i, ours in ipairs(OURS) do
    out[i] = verdict.of_race(race, entries, { work = LOOP, ours = ours, reference = "apify", what = "rows/s", min = 8 })
  end
  return out
end

-- ---- memory -------------------------------------------------------------------------------------

-- Pages of a slow server, before: until all that may be on their way are, and as many wait for their turn.
local WARM = 64

local function memory(rows, full)
  local work = ("peak RSS while paging %s rows with `ahead` 16"):format(full)
  return {
    id = "rss-" .. rows, title = work, reference = "raw",
    race = function(context)
      local pages = context.quick and rows / 5000 or rows / 100
      local run = ("rows-%d"):format(pages * 100)
      return {
        subjects = { "raw", "ours54", "oursjit" }, unit = "MB", n = pages, warm = function() return WARM end,
        -- Where the collector lets the peak go takes a while to be seen.
        rounds = rows == 100000 and not context.quick and 4 or 1,
        line = function(name, n)
          return delayed_line(n == WARM and ("rows-%d-d20"):format(WARM * 100 - 1) or run, 16)(name, n)
        end,
        value = function(figures) return figures.rss / 1024 end,
      }
    end,
    verdicts = function(entries, _, _, context)
      local out = {}
      context.peaks = context.peaks or {}
      for i, ours in ipairs(OURS) do
        local entry = entries[ours]
        local peak = entry.stats and entry.stats.max
        out[i] = verdict.of_value { work = work, ours = entry.title, reference = "libcurl in C", what = "peak", max = 20,
          unit = "MB", value = peak, absent = entry.absent }
        if context.peaks[ours] and peak then
          out[#OURS + i] = verdict.of_value { work = "the same peak for 1,000,000 rows as for 100,000", ours = entry.title,
            what = "more", max = 1, unit = "MB", value = math.max(0, peak - context.peaks[ours]) }
        end
        context.peaks[ours] = peak
      end
      return out
    end,
  }
end

-- ---- jitter -------------------------------------------------------------------------------------

local JITTER = "read-ahead under jitter (20 ms ± 20), 16 in flight, in order"

local function jitter(context)
  local pages = context.quick and 96 or 960
  return {
    subjects = { "raw", "ours54", "oursjit" }, unit = "s", timed = true, n = pages, rounds = context.quick and 1 or 3,
    warm = function() return 16 end,
    line = function(name, n) return delayed_line(("rows-%d-d20j20"):format(n * 100 - 1), 16)(name, n) end,
    value = function(figures) return figures.seconds end,
  }
end

local function jitter_verdicts(entries, _, race)
  local out = {}
  for i, ours in ipairs(OURS) do
    out[i] = verdict.of_race(race, entries, { work = JITTER, ours = ours, reference = "raw",
      reference_title = "the same unordered, in C", max = 1.10 })
  end
  return out
end

local rows = { { id = "pages", title = PLAIN, reference = "raw54", race = plain, verdicts = plain_verdicts } }
for _, ms in ipairs { 20, 100 } do
  for _, width in ipairs { 1, 2, 4, 8, 16 } do rows[#rows + 1] = delayed(ms, width) end
end
rows[#rows + 1] = { id = "ahead", title = LOOP, reference = "apify", race = default_race, verdicts = default_verdicts }
rows[#rows + 1] = memory(100000, "100,000")
rows[#rows + 1] = memory(1000000, "1,000,000")
rows[#rows + 1] = { id = "jitter", title = JITTER, reference = "raw", race = jitter, verdicts = jitter_verdicts }

return rows
