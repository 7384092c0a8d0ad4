-- Many requests at a time in one thread.
local shell = require "spec.bench.shell"
local verdict = require "spec.bench.verdict"

local OURS = { "ours54", "oursjit" }

local function seconds(figures)
  return figures.seconds
end

local function line_of(width, secure)
  return function(name, n)
    if name == "raw" then return ("multi %d %d /slow"):format(n, width) end
    return ("tasks %d %d /slow%s"):format(n, width, secure and " secure" or "")
  end
end

local function at_once(id, work, full)
  return {
    id = id, title = work, reference = "raw",
    race = function(context)
      local width = context.quick and 200 or 1000
      return {
        subjects = { "raw", "ours54", "oursjit" }, unit = "s", timed = true, value = seconds,
        rounds = context.quick and 1 or full > 1000 and 3 or 5,
        n = context.quick and full / 5 or full, warm = function() return 10 end, line = line_of(width),
      }
    end,
    verdicts = function(entries, _, race)
      local out = {}
      for _, ours in ipairs(OURS) do
        local entry = entries[ours]
        out[#out + 1] = verdict.of_race(race, entries, { work = work, ours = ours, reference = "raw", max = 1.15 })
        -- Of a process that does it once, as the program was that the target is held against.
        out[#out + 1] = verdict.of_value { work = work, ours = entry.title, reference = "libcurl in C", what = "peak RSS",
          max = 32, unit = "MB", value = entry.stats and entry.figures[1].rss / 1024, absent = entry.absent }
      end
      return out
    end,
  }
end

-- ---- HTTP/2 -------------------------------------------------------------------------------------

local H2 = "HTTP/2, 1,000 in flight, server limit 128 streams"

local function counts(context)
  local text = shell.read("curl -s " .. context.server.url .. "/counts")
  return tonumber(text:match "connections=(%d+)") or 0
end

local function http2(context)
  local width = context.quick and 200 or 1000
  return {
    subjects = { "raw", "ours54", "oursjit" }, unit = "s", timed = true, value = seconds, rounds = context.quick and 1 or 5,
    n = width, warm = function() return 1 end,
    line = function(name, n) return line_of(n, true)(name, n) end,
    before = counts,
    after = function(_, figures) figures.connections = counts(context) end,
  }
end

local function most(entry)
  local n
  for _, figures in ipairs(entry.figures) do n = math.max(n or 0, figures.connections) end
  return n
end

local function http2_verdicts(entries, _, race)
  local out = {}
  for _, ours in ipairs(OURS) do
    local entry = entries[ours]
    out[#out + 1] = verdict.of_race(race, entries, { work = H2, ours = ours, reference = "raw",
      reference_title = "libcurl in C, plain HTTP/1.1, 1,000 connections", max = 1.1 })
    out[#out + 1] = verdict.of_value { work = H2, ours = entry.title, what = "", max = 8, unit = "connections",
      value = most(entry), absent = entry.absent }
  end
  return out
end

return {
  at_once("flight-1000", "1,000 requests with 100 ms delay in flight at once, tasks in one thread", 1000),
  at_once("flight-10000", "10,000 requests with 100 ms delay, 1,000 in flight, tasks in one thread", 10000),
  { id = "http2", title = H2, reference = "raw", race = http2, verdicts = http2_verdicts },
}
