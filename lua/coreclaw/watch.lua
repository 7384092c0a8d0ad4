--- Watching a run: reads of its state, with pauses between them, within a time.
--
-- Polling is another thing than retry: a passing failure is no reason to lose a paid run from
-- sight. It is kept as `cause`, and the watch goes on until its time is up.

local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local together = require "coreclaw.together"

---@class coreclaw.Watch
---@field run coreclaw.Run
---@field cause coreclaw.Error?  the last passing failure
---@field absorb (fun(run: coreclaw.Run, record: table): coreclaw.Run)?  takes a record of the list: it may be
---  read together with others
---@field began number           Unix seconds
---@field misses integer         how often the list did not show the run
---@field cancelled coreclaw.Error?  the task was cancelled in a pause
local Watch = { __name = "coreclaw.Watch" }
Watch.__index = Watch

local FINAL = { succeeded = true, failed = true, aborted = true }

-- What may pass, though the same request would hardly be repeated: a page of a front end under HTTP
-- 200, a run that is not to be found yet. So often in a row before it is believed.
local ODDITIES = { bad_response = 3, not_found = 3 }

-- `aborting` may never become anything else: so many reads, then it is reported as it is.
local ABORTING_READS = 10

local watch = { FINAL = FINAL, ABORTING_READS = ABORTING_READS }

---The pause before the next read: ± 20 %, so that many waiting programs do not come in step.
---@param intervals number[]  seconds; the last one repeats
---@param nth integer         how many pauses without news, this one included
---@param random fun(): number    from 0 to 1
---@return number seconds
function watch.jittered(intervals, nth, random)
  return intervals[math.min(nth, #intervals)] * (0.8 + random() * 0.4)
end

---@param run coreclaw.Run
---@param timeout number       seconds for all of it, 0 = none
---@param intervals number[]?  default: the client's
---@param on_update (fun(run: coreclaw.Run): boolean?)?  after each read; false stops the watch
---@return coreclaw.Watch
function watch.new(run, timeout, intervals, on_update)
  return setmetatable({
    run = run, timeout = timeout, intervals = intervals or run.client.settings.poll_intervals,
    clock = run.client.clock, deadline = run.client.clock:deadline(timeout),
    pauses = 0, aborting_reads = 0, on_update = on_update, began = core.time(), misses = 0,
  }, Watch)
end

---Will the run's state never change, as far as anybody can tell?
---@return boolean
function Watch:settled()
  return FINAL[self.run.status] == true
    or (self.run.status == "aborting" and self.aborting_reads >= ABORTING_READS)
end

---Seconds for one request: what a call usually gets, but not past the deadline, for a run whose
---end is still awaited.
---@return number timeout  0 = none
function Watch:budget()
  local usual = self.run.client.settings.timeout
  if self.deadline == math.huge then return usual end
  local rest = self.clock:left(self.deadline, 0.5)
  return usual > 0 and math.min(usual, rest) or rest
end

---Is this failure no reason to lose a paid run from sight? Counts in `odd`, of anything that watches
---a run; a success sets it back to 0.
---@param self { odd: integer? }
---@param err coreclaw.Error
---@return boolean
function Watch:may_pass(err)
  if err.retryable then return true end
  self.odd = (self.odd or 0) + 1
  return ODDITIES[err.kind] ~= nil and self.odd < ODDITIES[err.kind]
end

watch.may_pass = Watch.may_pass

-- Reads the run's state, by itself or with others.
local function refresh(self)
  local record, err
  if self.absorb and self.clock.real then record, err = together.record(self) end
  if record then return self.absorb(self.run, record) end
  if err then return nil, err end
  return self.run:reload { timeout = self:budget() }
end

---Reads the run's state.
---@return boolean? ok  false after a failure that may pass
---@return coreclaw.Error? err  one that will not
function Watch:read()
  local ok, err = refresh(self)
  self.cause = err
  if not ok then
    if self:may_pass(err) then return false end
    return nil, errors.about(err, self.run)
  end
  self.odd = 0
  if self.run.status == "aborting" then self.aborting_reads = self.aborting_reads + 1 end
  if self.on_update and self.on_update(self.run) == false then return nil, watch.stopped(self.run) end
  return true
end

---Is the time up?
---@return boolean
function Watch:late()
  return self.clock.now() >= self.deadline
end

---Sleeps until the next read, at the latest until the deadline.
---@return boolean  false: the time is up, or the task was cancelled; `expired` tells
function Watch:pause()
  local rest = self.clock:left(self.deadline)
  if rest <= 0 then return false end
  self.pauses = self.pauses + 1
  local seconds = math.min(watch.jittered(self.intervals, self.pauses, self.run.client.random), rest)
  if self.absorb and self.clock.real then
    self.cancelled = together.pause(self, seconds)
  else
    self.cancelled = self.clock:pause(seconds)
  end
  return not self.cancelled
end

---Something happened: the pauses begin anew with the short ones.
function Watch:stir()
  self.pauses = 0
end

local function still(run, timeout)
  if FINAL[run.status] then
    return string.format("run %s has ended (%s), but not all of its rows or log was read in %g seconds",
      run.slug, run.status, timeout)
  end
  return string.format("run %s was still %s after %g seconds; it was not aborted and goes on",
    run.slug, run.status or "unread", timeout)
end

---The error for a time that is up. A run that has not ended goes on.
---@param run coreclaw.Run
---@param timeout number          seconds that were given
---@param cause coreclaw.Error?  the last passing failure
---@return coreclaw.Error
function watch.timeout_error(run, timeout, cause)
  return errors.new {
    kind = "wait_timeout",
    message = still(run, timeout),
    cause = cause, run = run, sent = "yes", retryable = true, operation = "getWorkerRun",
  }
end

---The error for an `on_update` that returned false.
---@param run coreclaw.Run
---@return coreclaw.Error
function watch.stopped(run)
  return errors.stopped("on_update", "getWorkerRun",
    "run " .. run.slug .. " is not waited for any more; it was not aborted and goes on", run)
end

---Why `pause` returned false. The run goes on.
---@return coreclaw.Error
function Watch:expired()
  if self.cancelled then return errors.about(self.cancelled, self.run) end
  return watch.timeout_error(self.run, self.timeout, self.cause)
end

return watch
