-- What a campaign tells: progress, violations with all that is needed to make them again, a table.

local json = require "coreclaw.json"

local report = {}

local COLUMNS = { "trials", "success", "refused", "unknown", "done", "made", "looked", "found", "violations" }
report.COLUMNS = COLUMNS

local Tally = {}
Tally.__index = Tally

function report.tally()
  return setmetatable({ rows = {}, passed = 0, failed = 0, slowest = 0 }, Tally)
end

local function add(row, name, n)
  row[name] = (row[name] or 0) + n
end

---Counts a trial that has been judged.
function Tally:count(trial)
  local key = trial.kind.name .. "\t" .. trial.transport
  self.rows[key] = self.rows[key] or {}
  local row = self.rows[key]
  add(row, "trials", 1)
  add(row, trial.outcome == "raised" and "violations" or trial.outcome, 1)
  add(row, "made", trial.made or 0)
  add(row, "looked", trial.looked and 1 or 0)
  add(row, "found", trial.reconciled and 1 or 0)
  if #trial.violations > 0 then
    add(row, "violations", 1)
    self.failed = self.failed + 1
  else
    self.passed = self.passed + 1
  end
  self.slowest = math.max(self.slowest, trial.ended - trial.began)
end

---A line for the process that counts them all.
function Tally:lines(write)
  for key, row in pairs(self.rows) do
    local list = { "row", key }
    for _, name in ipairs(COLUMNS) do list[#list + 1] = row[name] or 0 end
    write(table.concat(list, "\t") .. "\n")
  end
  write(("sum\t%d\t%d\t%.3f\n"):format(self.passed, self.failed, self.slowest))
end

---Takes such a line in; false for any other.
function Tally:take(line)
  local fields = {}
  for field in (line .. "\t"):gmatch "([^\t]*)\t" do fields[#fields + 1] = field end
  if fields[1] == "sum" then
    self.passed, self.failed = self.passed + tonumber(fields[2]), self.failed + tonumber(fields[3])
    self.slowest = math.max(self.slowest, tonumber(fields[4]))
  elseif fields[1] == "row" then
    local key = fields[2] .. "\t" .. fields[3]
    self.rows[key] = self.rows[key] or {}
    for i, name in ipairs(COLUMNS) do add(self.rows[key], name, tonumber(fields[3 + i])) end
  else
    return false
  end
  return true
end

function Tally:table(write)
  local keys, sums = {}, {}
  for key in pairs(self.rows) do keys[#keys + 1] = key end
  table.sort(keys)
  write(("%-18s %-3s"):format("kind", "via"))
  for _, name in ipairs(COLUMNS) do write(("%11s"):format(name)) end
  write "\n"
  local function line(kind, via, row)
    write(("%-18s %-3s"):format(kind, via))
    for _, name in ipairs(COLUMNS) do write(("%11d"):format(row[name] or 0)) end
    write "\n"
  end
  for _, key in ipairs(keys) do
    local kind, via = key:match "^(.*)\t(.*)$"
    line(kind, via, self.rows[key])
    for _, name in ipairs(COLUMNS) do add(sums, name, self.rows[key][name] or 0) end
  end
  line("all", "", sums)
end

local function shown(value)
  local ok, text = pcall(json.encode, value)
  return ok and text or "(not to be shown)"
end

---All that is needed to see a violation again.
function report.violation(trial, seed, write)
  write(("\nVIOLATION in trial %d: %s over %s (%s, API %s), %s\n"):format(trial.number, trial.kind.name, trial.transport,
    trial.pool, trial.api, trial.weather))
  for _, why in ipairs(trial.violations) do write("  " .. why .. "\n") end
  write("  told:   " .. tostring(trial.told) .. "\n")
  write(("  call:   timeout %g, took %.3f s%s\n"):format(trial.timeout, trial.ended - trial.began,
    trial.looked and ", looked for" or ""))
  write("  faults: " .. table.concat(trial.fault_names or {}, ", ") .. " " .. shown(json.array(trial.faults or {})):sub(1, 1500) .. "\n")
  write(("  again:  make campaign TRIAL=%d SEED=%d\n"):format(trial.number, seed))
end

return report
