-- What was measured, as Markdown for people and as JSON for programs.
local cjson = require "cjson"
local shell = require "spec.bench.shell"
local race_of = require "spec.bench.race"

local M = {}

-- Three digits that mean something.
local function number(value)
  if value >= 100 then return ("%.0f"):format(value) end
  return (value >= 10 and "%.1f" or value >= 1 and "%.2f" or "%.3f"):format(value)
end

local function figure(stats, unit)
  if not stats then return "" end
  return ("%s %s (%s–%s)"):format(number(stats.median), unit, number(stats.min), number(stats.max))
end

local function share(value)
  return (value < 0.1 and "%.3f" or "%.2f"):format(value)
end

local function times(ratio)
  if not ratio then return "" end
  return ("%s (%s–%s)"):format(share(ratio.median), share(ratio.min), share(ratio.max))
end

local function megabytes(kb)
  return kb and kb > 0 and ("%.1f MB"):format(kb / 1024) or ""
end

local function row(...)
  return "| " .. table.concat({ ... }, " | ") .. " |\n"
end

---Who, on what, when.
function M.machine(context)
  local cpu = shell.read "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1"
  return {
    date = os.date "!%Y-%m-%d %H:%M UTC", cpu = cpu, cores = tonumber(shell.read "nproc"),
    kernel = shell.read "uname -sr", libcurl = shell.read "curl --version | head -n 1",
    nginx = shell.read "nginx -v 2>&1", node = shell.read "node --version 2>&1 || true",
    commit = shell.read "git describe --always --dirty 2>/dev/null || true", quick = context.quick,
  }
end

local function target_text(line)
  local limit = line.max and "≤ " .. line.max or "≥ " .. line.min
  if line.ratio or not line.value then return limit .. (line.what ~= "time" and " " .. line.what or " time") end
  return limit .. " " .. line.unit .. " " .. line.what
end

local function verdict_row(line)
  local ratio = line.ratio and ("**%s** (%s–%s), best %s"):format(share(line.ratio.median), share(line.ratio.min),
    share(line.ratio.max), share(line.ratio.best)) or line.value and ("**%s %s**"):format(number(line.value), line.unit) or ""
  return row(line.work, line.ours, line.reference .. (line.reference_figure and ": "
    .. figure(line.reference_figure, line.unit) or ""), line.figure and figure(line.figure, line.unit) or "", ratio,
    target_text(line), line.reached)
end

---The table of targets.
function M.targets(lines)
  local out = { row("work", "ours", "reference", "ours: median (min–max)", "ours ÷ reference", "target", "reached"),
    row("---", "---", "---", "---", "---", "---", "---") }
  for _, line in ipairs(lines) do out[#out + 1] = verdict_row(line) end
  return table.concat(out)
end

---The table of one race: everybody, and how each stands to the reference.
function M.race(of, race, entries, list)
  local out = { "\n### ", of.title, "\n\n",
    row("", "median (min–max)", "÷ " .. entries[of.reference].title, "CPU", "peak RSS"), row("---", "---", "---", "---", "---") }
  for _, entry in ipairs(list) do
    if entry.stats then
      local cpu = race_of.cpu(race, entry)
      out[#out + 1] = row(entry.title, figure(entry.stats, race.unit),
        times(race_of.ratio(race, entry, entries[of.reference])), cpu and number(cpu) or "",
        megabytes(entry.rss))
    else
      out[#out + 1] = row(entry.title, "absent: " .. entry.absent, "", "", "")
    end
  end
  return table.concat(out)
end

---The whole text.
function M.markdown(machine, lines, tables, seconds)
  local head = ("# Benchmark\n\n%s, %s, %d cores, %s; %s; %s; node %s; tree %s%s. Took %d s.\n\n"):format(machine.date,
    machine.cpu, machine.cores, machine.kernel, machine.libcurl:match "^[^(]*", machine.nginx, machine.node, machine.commit,
    machine.quick and "; **QUICK: too short to be trusted**" or "", seconds)
  return head .. "Medians of interleaved rounds, with minimum and maximum; ratios are taken within each round; \"best\" "
    .. "is that of the best rounds. Client and server are pinned: to a core each, but for one request after the other to the "
    .. "same, where nobody waits until the other core has woken up.\n\n" .. M.targets(lines)
    .. table.concat(tables)
end

-- What of an entry goes into the JSON.
local function plain(entry)
  return { title = entry.title, values = entry.values, stats = entry.stats, rss_kb = entry.rss, absent = entry.absent,
    figures = entry.figures }
end

---The same for programs.
function M.json(machine, lines, results, seconds)
  local races = {}
  for id, result in pairs(results) do
    local entries = {}
    for name, entry in pairs(result.entries) do entries[name] = plain(entry) end
    races[id] = { title = result.title, unit = result.unit, reference = result.reference, entries = entries }
  end
  return cjson.encode { machine = machine, targets = lines, races = races, seconds = seconds }
end

return M
