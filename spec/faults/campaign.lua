-- A campaign of faults: many trials, each an intent of its own against a server that misbehaves, and
-- after each batch the question to the server's books whether the client told the truth.
--
--   make campaign N=100000 SEED=1 JOBS=2      so many trials, from this seed, in so many processes
--   make campaign FROM=50001 N=100000 SEED=1  the second half of the same, in a run of its own
--   make campaign TRIAL=4711 SEED=1           that one alone
--   make campaign N=5000 SECONDS=50           as many as fit into the time, and at least so many

local core = require "coreclaw.core"

local invariants = require "spec.faults.campaign.invariants"
local lab = require "spec.faults.campaign.lab" -- before anything that opens connections
local report = require "spec.faults.campaign.report"
local trial = require "spec.faults.campaign.trial"

if os.getenv "MUTANT" then require("spec.faults.campaign.mutants")[os.getenv "MUTANT"]() end

local BATCH = 200      -- trials between two looks into the books
local LIFE = 4000      -- trials of one sandbox
local MOST_SHOWN = 20  -- violations told in full by each process

local function number(name, default)
  local text = os.getenv(name)
  if text == nil or text == "" then return default end
  return assert(tonumber(text), name .. " must be a number")
end

local function say(text)
  io.stdout:write(text)
  io.stdout:flush()
end

local function warn(text)
  io.stderr:write(text)
end

local settings = {
  seed = number("SEED", math.floor(core.random() * 2 ^ 31)) % 2 ^ 31,
  count = number("N", 10000), jobs = number("JOBS", 1), only = number "TRIAL",
  seconds = number("SECONDS", 0), job = number "JOB", from = number("FROM", 1),
}

-- ---- one process ------------------------------------------------------------------------------

local function intents(batch)
  local list = {}
  for _, one in ipairs(batch) do
    for _, intent in ipairs(one.kind.pays and one.outcome ~= "raised" and (one.split or { one }) or {}) do
      list[#list + 1] = intent
    end
  end
  return list
end

-- By the books of now. What a trial has left under way on the server must have come to its end.
local function judge(self, batch, tally)
  invariants.note(self.found, self:ledger())
  invariants.books(intents(batch), self.found)
  for _, one in ipairs(batch) do
    tally:count(one)
    if #one.violations > 0 and tally.failed <= MOST_SHOWN then report.violation(one, settings.seed, warn) end
  end
end

local function progress(tally, began)
  local done, took = tally.passed + tally.failed, core.now() - began
  warn(("  %s %d trials, %.0f a second, %d violations\n"):format(settings.job and "[" .. settings.job .. "]" or "", done,
    done / took, tally.failed))
end

-- The numbers of this process: every nth.
local function numbers(from, step)
  local at, began = from - step, core.now()
  return function()
    at = at + step
    local timed = settings.seconds > 0 and core.now() - began < settings.seconds
    if at > settings.count and not timed then return nil end
    return at
  end
end

-- The next trials, drawn; their faults are told to the sandbox at one go.
local function draw(next_number, self)
  local batch, list = {}, {}
  for n in next_number do
    local one = trial.draw(settings.seed, n)
    batch[#batch + 1] = one
    for _, fault in ipairs(one.faults) do list[#list + 1] = fault end
    if #batch >= BATCH then break end
  end
  if #batch > 0 then self:faults(list) end
  return batch
end

local function traced(err)
  return debug.traceback(tostring(err), 2)
end

-- What goes wrong around the call (its preparation, the campaign itself) is a violation too.
local function attempt(one, self)
  local ok, why = xpcall(function() trial.run(one, self) end, traced)
  if ok then return end
  invariants.violate(one, "raised: %s", why)
  one.outcome, one.told, one.began, one.ended = "raised", "nothing", one.began or 0, one.ended or one.began or 0
end

-- A batch is judged when the next one has ended, and need not be waited for then.
local function work(next_number)
  local self, tally, began = lab.open(), report.tally(), core.now()
  local told, life, before = core.now(), LIFE, {}
  while true do
    if life >= LIFE or not self:has_workers(BATCH) then
      if self.box then
        self:settle()
        judge(self, before, tally)
      end
      self:renew()
      before, life = {}, 0
    end
    local batch = draw(next_number, self)
    for _, one in ipairs(batch) do attempt(one, self) end
    if #batch == 0 or core.now() < self.settled_before then self:settle() end
    judge(self, before, tally)
    if #batch == 0 then break end
    before, life, self.settled_before = batch, life + #batch, self.settled
    if core.now() - told > 10 then
      progress(tally, began)
      told = core.now()
    end
  end
  self:close()
  return tally
end

-- ---- all of them ------------------------------------------------------------------------------

-- The command line of this very program.
local function myself()
  local least = 0
  while arg[least - 1] do least = least - 1 end
  local words = {}
  for i = least, 0 do words[#words + 1] = "'" .. arg[i] .. "'" end
  return table.concat(words, " ")
end

local function in_processes(tally)
  local pipes = {}
  for job = 1, settings.jobs do
    pipes[job] = assert(io.popen(("JOB=%d SEED=%.0f %s"):format(job, settings.seed, myself())))
  end
  for job, pipe in ipairs(pipes) do
    local ended = false
    for line in pipe:lines() do
      if tally:take(line) then ended = ended or line:sub(1, 3) == "sum" else say(line .. "\n") end
    end
    pipe:close()
    if not ended then
      warn(("process %d ended before its time\n"):format(job))
      tally.failed = tally.failed + 1
    end
  end
end

local function main()
  if settings.job then
    work(numbers(settings.from - 1 + settings.job, settings.jobs)):lines(say)
    return 0
  end
  local began, tally = core.now(), report.tally()
  say(("campaign: SEED=%.0f FROM=%.0f N=%.0f JOBS=%d (%s)\n"):format(settings.seed, settings.from, settings.count,
    settings.jobs, rawget(_G, "jit") and "LuaJIT" or _VERSION))
  if settings.only then
    settings.seconds, settings.count = 0, settings.only
    tally = work(numbers(settings.only, 1))
  elseif settings.jobs > 1 then
    in_processes(tally)
  else
    tally = work(numbers(settings.from, 1))
  end
  tally:table(say)
  local took = core.now() - began
  say(("SEED=%.0f, %.1f s, %.2f ms a trial, the slowest call took %.2f s\n"):format(settings.seed, took,
    took * 1000 / math.max(1, tally.passed + tally.failed), tally.slowest))
  say(("%d passed, %d failed\n"):format(tally.passed, tally.failed))
  return tally.failed == 0 and tally.passed > 0 and 0 or 1
end

local ok, code = xpcall(main, traced)
if not ok then warn("campaign: " .. code .. "\n") end
os.exit(ok and code or 2, true)
