-- Rounds: the same work by several, interleaved, so that what slows the machine for a while slows all.
local shell = require "spec.bench.shell"
local stats = require "spec.bench.stats"
local subjects = require "spec.bench.subjects"

local M = {}

local CLIENT_CORE = 0

---@class bench.Race
---@field subjects string[]
---@field line fun(name: string, n: integer): string?  the piece of work; nil: this subject has no such thing
---@field value fun(figures: table, n: integer, name: string): number  what is compared
---@field unit string
---@field more boolean?     more is better
---@field timed boolean?    `value` is made of nothing but figures.seconds
---@field rounds integer
---@field n (integer|fun(name: string): integer)?  how much work a turn is; without it as much as takes `turn` seconds
---@field turn number?
---@field least integer?
---@field warm (fun(name: string): integer)?  how much work before the first turn
---@field before fun(context: table, entry: table)?  called before each turn
---@field after fun(context: table, figures: table)?  called after each, to add to its figures
---@field core integer?   instead of the client's own

-- Calls one after the other tell how many of them fill a turn.
local function calibrate(entry, race, figures)
  if race.n then return type(race.n) == "function" and race.n(entry.name) or race.n end
  local each = figures.seconds / entry.warmed
  return math.max(race.least or 10, math.floor(race.turn / each))
end

local function give_up(entry, why)
  entry.absent = why:gsub("^absent: ", ""):sub(1, 100)
  if entry.worker then entry.worker:close() end
  entry.worker = nil
end

local function enter(context, race, name)
  local subject = subjects.get(name)
  local entry = { name = name, title = subject.title, values = {}, figures = {}, rss = 0 }
  if subject.absent then return give_up(entry, subject.absent), entry end
  entry.warmed = race.warm and race.warm(name) or race.n or 100
  local line = race.line(name, entry.warmed)
  if not line then return give_up(entry, "it has no such work"), entry end
  entry.worker = shell.worker(subject.command, race.core or CLIENT_CORE, context.env)
  local figures, why = entry.worker:ask(line)
  if not figures then return give_up(entry, why), entry end
  entry.n = calibrate(entry, race, figures)
  return nil, entry
end

local function turn(context, race, entry)
  if race.before then race.before(context, entry) end
  local figures, why = entry.worker:ask(race.line(entry.name, entry.n))
  if not figures then return give_up(entry, why) end
  if race.after then race.after(context, figures) end
  entry.figures[#entry.figures + 1] = figures
  entry.values[#entry.values + 1] = race.value(figures, entry.n, entry.name)
  entry.rss = math.max(entry.rss, figures.rss or 0)
end

---Runs a race. Returns its entries by name, and in order.
---@param context table  env (of the subjects), server, quick
---@param race bench.Race
function M.run(context, race)
  local list, by_name = {}, {}
  for i, name in ipairs(race.subjects) do
    local _, entry = enter(context, race, name)
    list[i], by_name[name] = entry, entry
  end
  for round = 1, race.rounds do
    for i = 1, #list do
      local entry = list[(i + round - 2) % #list + 1]
      if entry.worker then turn(context, race, entry) end
    end
  end
  for _, entry in ipairs(list) do
    if entry.worker then entry.worker:close() end
    entry.worker = nil
    if #entry.values > 0 then entry.stats = stats.of(entry.values) end
  end
  return by_name, list
end

---The CPU time of an entry, counted as its time is; nil where something else is compared.
function M.cpu(race, entry)
  if not entry.stats or not race.timed then return nil end
  local values = {}
  for i, figures in ipairs(entry.figures) do
    values[i] = race.value({ seconds = figures.cpu }, entry.n, entry.name)
  end
  return stats.median(values)
end

---How one entry stands to another; nil where one of them is absent.
function M.ratio(race, ours, reference)
  if not ours.stats or not reference.stats then return nil end
  return stats.ratio(ours.values, reference.values, race.more)
end

return M
