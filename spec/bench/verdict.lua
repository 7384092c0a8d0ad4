-- A line of the target table: what was to be reached, and whether it was.
local stats = require "spec.bench.stats"

local M = {}

local function reached(ratio, target)
  local function fine(value)
    if target.max then return value <= target.max end
    return value >= target.min
  end
  local median = fine(ratio.median)
  local best = fine(ratio.best or ratio.median)
  if median and best then return "yes" end
  return median and "no: best rounds" or best and "no: median" or "no"
end

-- What the rounds of an entry came to; nil if it is absent.
local function values_of(entry, target)
  if not entry.stats then return nil end
  if not target.value then return entry.values end
  local values = {}
  for i, figures in ipairs(entry.figures) do values[i] = target.value(figures) end
  return values
end

---Ours ÷ reference of a race. `target`: work, ours, reference (names of entries), what (is compared), max or min;
---and where that is not what the race itself compares: value(figures), unit, more (is better).
function M.of_race(race, entries, target)
  local ours, reference = entries[target.ours], entries[target.reference]
  local line = {
    work = target.work, ours = ours.title, reference = target.reference_title or reference.title,
    what = target.what or "time", max = target.max, min = target.min, unit = target.unit or race.unit, rss = ours.rss,
  }
  local a, b = values_of(ours, target), values_of(reference, target)
  line.figure, line.reference_figure = a and stats.of(a), b and stats.of(b)
  if a and b then
    line.ratio = stats.ratio(a, b, target.value and target.more or race.more)
    line.reached = reached(line.ratio, target)
  else
    line.reached = "absent: " .. (ours.absent or reference.absent)
  end
  return line
end

---A figure that has a ceiling of its own. `target`: work, ours (a title), what, value, max, unit.
function M.of_value(target)
  local line = {
    work = target.work, ours = target.ours, reference = target.reference or "", what = target.what, max = target.max,
    min = target.min, unit = target.unit, value = target.value,
  }
  if target.value then
    line.reached = reached({ median = target.value }, target)
  else
    line.reached = "absent: " .. (target.absent or "no figure")
  end
  return line
end

return M
