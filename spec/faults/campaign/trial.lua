-- One trial, from its dice to its violations.

local core = require "coreclaw.core"

local dice = require "spec.faults.campaign.dice"
local faults = require "spec.faults.campaign.faults"
local invariants = require "spec.faults.campaign.invariants"
local paid = require "spec.faults.campaign.paid"
local reading = require "spec.faults.campaign.reading"

local trial = {}

-- Where nothing is held up on purpose, a call has as much time as it may need on a busy machine.
local AMPLE = 5

local function kinds_operations(kind)
  local list = { kind.operation }
  for _, operation in ipairs(kind.also or {}) do list[#list + 1] = operation end
  return list
end

-- How things stand before the call: calm, faults, a server that is away, one that freezes.
local WEATHER = {
  { name = "faults", weight = 88 },
  { name = "calm", weight = 6 },
  { name = "connecting", weight = 4 },
  { name = "away", weight = 1.5 },
  { name = "frozen", weight = 0.5 },
}

local function set_faults(self, d)
  local more = self.kind.more or { list = self.kind.pays and faults.list or faults.reading }
  local list, about = faults.some(d, kinds_operations(self.kind), more)
  self.faults, self.fault_names = list, about.names
  self.late = about.late * #list
  if about.slow then self.timeout = about.tiny * (self.kind.patient and 3 or 1) end
end

-- The port is closed from the next request on, for a while.
local function go_away(self, d)
  local seconds = d:between(0.01, 0.03)
  self.timeout = d:pick { 0.015, 1 }
  self.faults = { { operation = self.api == "v1" and "accountInfo" or "getAccount", refuse = seconds } }
  self.away = seconds
  self.before_call = function() self.client:account { timeout = 1 } end
end

local function freeze(self, d)
  local seconds = d:between(0.02, 0.06)
  self.timeout, self.late = d:pick { 0.015, 1 }, 0.3
  self.before_call = function(lab) lab:freeze(seconds) end
end

local weather = {
  faults = set_faults,
  away = go_away,
  frozen = freeze,
  calm = function(self) self.must_succeed = not self.fails end,
  connecting = function(self, d)
    self.connecting = d:pick(faults.connecting)
    if not self.kind.pays then self.timeout = 0.02 end -- waiting for a run would take all there is
  end,
}

-- ---- drawing ----------------------------------------------------------------------------------

local ALL = {}
for _, kind in ipairs(paid.kinds) do
  kind.pays = true
  ALL[#ALL + 1] = kind
end
for _, kind in ipairs(reading.kinds) do ALL[#ALL + 1] = kind end

---Draws a trial: everything that its dice say.
---@param seed integer
---@param number integer
---@return table
function trial.draw(seed, number)
  local d = dice.new(seed, number)
  local self = {
    number = number, dice = d, violations = {}, timeout = AMPLE, late = 0, faults = {}, fault_names = {},
    intent = ("intent-%d"):format(number), agent = ("trial-%d"):format(number),
  }
  self.kind = d:weighted(ALL)
  self.api = self.kind.api or "v2"
  self.transport = d:chance(0.6) and "h1" or "h2"
  -- "left": whatever the trial before has left behind.
  self.pool = d:weighted({ { name = "warm", weight = 5 }, { name = "left", weight = 3 }, { name = "fresh", weight = 2 } }).name
  self.rows, self.fails = d:whole(0, 3), self.kind.fails and d:chance(0.2)
  if self.fails and self.rows == 0 then self.rows = 1 end
  self.look = self.kind.runs and not self.kind.many and d:chance(0.1)
  self.parts, self.limit = self.kind.many and d:whole(1, 4), d:whole(1, 3)
  self.weather = d:weighted(WEATHER).name
  weather[self.weather](self, d)
  for _, fault in ipairs(self.faults) do fault.agent = self.agent end
  return self
end

-- A policy that always says "again" needs an end.
local function again(_, _, attempt)
  return attempt < 5 and 0 or nil
end

local function retry_of(d)
  return d:weighted({
    { weight = 4, retry = { base = 0.001, throttle_base = 0.001, attempts = 4, random = function() return d:unit() end } },
    { weight = 1, retry = false },
    { weight = 1, retry = again }, -- as often as it is let
  }).retry
end

local function make_client(self, lab)
  local d = self.dice
  local options = { api = self.api, retry = retry_of(d), auth = self.api == "v2" and d:pick { "bearer", "api_key" } or nil }
  if not self.connecting then return lab:client(self.transport, options) end
  local over, cannot = self.connecting.make(lab.box, lab.nobody)
  for name, value in pairs(over) do options[name] = value end
  self.fault_names, self.cannot_leave = { self.connecting.name }, cannot and self.kind.pays
  options.timeout = 1
  return lab:client("h1", options)
end

-- ---- the life of a trial ----------------------------------------------------------------------

-- With a client that no fault meets; it is the trial's own, unless that one reaches nobody.
local function prepare(self, lab)
  self.lab, self.box, self.client = lab, lab.box, make_client(self, lab)
  self.worker = self.look and lab:own_worker() or "demo/rows"
  local client = self.client
  if self.kind.prepare or not self.kind.pays then
    if self.connecting then self.client = lab:calm_client(self.transport, self.api) end
    if self.kind.pays then self.kind.prepare(self) else reading.prepare(self, self.dice) end
  end
  self.client = client
  -- A handle brings the client that made it.
  if self.handle then self.handle.client = client end
  if self.run then self.run.client = client end
end

local function warm_up(self, lab)
  if self.pool == "fresh" then
    lab.forget_connections()
  elseif self.pool == "warm" and not self.connecting and not self.kind.prepare then -- which has left a warm one
    lab:calm_client(self.transport, self.api):account { timeout = 5 }
  end
end

-- Looks for the run that may have been started. Whatever it finds, it starts nothing: the books tell.
local function reconcile(self, err)
  if not self.look or err.kind ~= "unknown_outcome" or self.connecting then return end
  self.client.settings.user_agent = nil
  local run, why = self.client:reconcile(err, { timeout = AMPLE })
  self.looked = true
  self.reconciled = run and run.slug
  -- API v1 does not tell which Worker a saved task runs.
  if not run and why.kind ~= "unknown_outcome" and why.kind ~= "not_implemented" then
    invariants.violate(self, "reconcile without a fault ended with: %s", tostring(why))
  end
end

local function call(self, lab)
  self.client.settings.user_agent = self.agent
  if self.before_call then self.before_call(lab) end
  self.began_at, self.began = core.time(), core.now()
  local ok, result, err
  if self.kind.pays then
    ok, result, err = pcall(self.kind.call, self)
  else
    ok, result, err = pcall(reading.run, self)
  end
  self.ended, self.ended_at = core.now(), core.time()
  if not ok then return false, result end
  return true, result, err
end

local function judge_paid(self, result, err)
  invariants.at_once(self, result == nil and err or nil)
  invariants.said(self, result, err)
  self.told = result ~= nil and "success" or tostring(err)
  if result == nil and err then
    self.outcome = (err.sent == "no" or err.sent == "refused") and "refused" or (err.sent == "unknown" and "unknown" or "done")
    reconcile(self, err)
  else
    self.outcome = "success"
  end
end

-- The outcome of many is the worst of them.
local function judge_many(self, items)
  invariants.at_once(self, nil)
  self.split = invariants.parts(self, items)
  self.outcome, self.told = "success", "items"
  for i, part in ipairs(self.split) do
    local err = items[i] and items[i].err
    if err then self.outcome = part.verdict == "unknown" and "unknown" or part.verdict == "done" and "done" or "refused" end
    self.told = self.told .. "; " .. part.told
  end
end

local function judge_reading(self, wrong, err)
  invariants.at_once(self, err)
  if wrong then invariants.violate(self, "%s", wrong) end
  self.outcome = err and "refused" or "success"
  self.told = err and tostring(err) or "success"
end

---Makes a trial whose faults the sandbox knows already.
---@param self table  of `trial.draw`
---@param lab table
function trial.run(self, lab)
  prepare(self, lab)
  warm_up(self, lab)
  local ok, result, err = call(self, lab)
  if not ok then
    invariants.violate(self, "raised: %s", tostring(result))
    self.outcome, self.told = "raised", tostring(result)
  elseif self.kind.many then
    judge_many(self, result)
  elseif self.kind.pays then
    judge_paid(self, result, err)
  else
    judge_reading(self, result, err)
  end
  if self.late > 0 and self.kind.pays then lab:not_settled_for(self.late) end
  if self.away then -- until the door is open again
    lab:rest(self.away)
    lab:reach()
  end
end

return trial
