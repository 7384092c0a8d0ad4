--- The log of a run: read once, or followed to the run's end, all of it or what matters.

local alone = require "coreclaw.alone"
local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local fold = require "coreclaw.fold"
local http = require "coreclaw.http"
local log = require "coreclaw.log"
local tail = require "coreclaw.tail"
local validate = require "coreclaw.validate"
local watch = require "coreclaw.watch"

local ONLY_TIMEOUT = { timeout = { type = "seconds" } }
local LOGS = {
  follow = { type = "boolean", default = false },
  level = { type = "string", enum = log.LEVELS },
  match = { type = "string" },
  ignore_case = { type = "boolean", default = false },
  context = { type = "integer", min = 0, max = 1000, default = 0 },
  timeout = { type = "seconds" },
  poll_intervals = { type = "table" },
  on_update = { type = "callable" },
}
local FOLLOW_TIMEOUT = 3600

---@class coreclaw.LogsOptions
---@field follow boolean?         also the entries that are still to come, until the run has ended
---@field level "debug"|"info"|"warn"|"error"?  this one and above, and entries without a level
---@field match string?           a Lua pattern that the text must hold
---@field ignore_case boolean?    the pattern does not mind upper and lower case
---@field context integer?        so many entries before and after those that match, default 0
---@field timeout number?         seconds; with `follow` for all of it, default 3600, 0 = none
---@field poll_intervals number[]? with `follow`: seconds between reads without news; the last one repeats
---@field on_update (fun(run: coreclaw.Run): boolean?)?  with `follow`: after each read of the run's state; false stops

-- Methods of the run.
local logs = { methods = {} }

---@class coreclaw.Run
local Run = logs.methods

---The run's log: an excerpt, and the link to all of it. Calls `getWorkerRunLog`.
---@param options { timeout: number? }?
---@return coreclaw.Log?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:log(options)
  options = validate.options("run:log", options, ONLY_TIMEOUT)
  local _
  local envelope, err, behind = http.call(self.client, "getWorkerRunLog",
    { path = { runId = self.slug } }, options)
  if not envelope then return nil, err end
  local data, why = answer.data(envelope, "getWorkerRunLog")
  if data then _, why = answer.list(data, "list", "getWorkerRunLog") end
  if why then return nil, why end
  return log.read(data), nil, behind
end

-- A test for entries, of the level and the pattern.
local function matcher(options)
  local level, pattern = options.level, options.match
  if pattern and options.ignore_case then pattern = fold.pattern(pattern) end
  if pattern then
    local ok, why = pcall(string.find, "", pattern)
    if not ok then validate.fail("run:logs: match must be a Lua pattern: " .. tostring(why)) end
  end
  return function(entry)
    return (not level or log.at_least(entry, level)) and (not pattern or entry.text:find(pattern) ~= nil)
  end
end

-- A function that takes entry after entry, and puts those that match into a list, with so many
-- before and after them.
local function sieve(matches, context)
  local before, after = {}, 0
  return function(entry, out)
    local hit = matches(entry)
    if hit then
      for _, earlier in ipairs(before) do out[#out + 1] = { earlier, false } end
      before, after = {}, context
      out[#out + 1] = { entry, true }
    elseif after > 0 then
      after = after - 1
      out[#out + 1] = { entry, false }
    elseif context > 0 then
      before[#before + 1] = entry
      if #before > context then table.remove(before, 1) end
    end
  end
end

local function check(options)
  options = validate.options("run:logs", options, LOGS)
  if not options.follow and options.poll_intervals then
    validate.fail("run:logs: poll_intervals belongs to follow = true")
  elseif options.on_update and not options.follow then
    validate.fail("run:logs: on_update belongs to follow = true")
  elseif options.ignore_case and not options.match then
    validate.fail("run:logs: ignore_case belongs to match")
  end
  options.poll_intervals = config.intervals("run:logs", options.poll_intervals)
  return options
end

local function fail(self, err)
  error(errors.about(err, self), 0)
end

-- One reading of the log only.
local function once(self, options)
  local done = false
  return function()
    if done then return nil end
    local read, err = self:log { timeout = options.timeout }
    if not read then fail(self, err) end
    done = true
    return read.entries
  end
end

local FAILURES = 10

-- Reading after reading, until one after the run's end has come. What may pass is waited out.
local function again(self, options)
  local watching = watch.new(self, options.timeout or FOLLOW_TIMEOUT, options.poll_intervals,
    options.on_update)
  local ending, done, failures, resting = watching:settled(), false, 0, false
  local reads = { odd = 0 } -- of the log; a log that can be read says nothing of a state that cannot

  local function rest()
    if not ending and failures == 0 then
      local ok, err = watching:read()
      if ok == nil then fail(self, err) end
      ending = watching:settled()
      if ending then return end
    end
    if not watching:pause() then fail(self, watching:expired()) end
  end

  local function attempt()
    local read, err = self:log { timeout = watching:budget() }
    if read then
      failures, reads.odd, done = 0, 0, ending
      return read.entries
    end
    failures, watching.cause = failures + 1, err
    if not watch.may_pass(reads, err) or (ending and failures >= FAILURES) then fail(self, err) end
  end

  local new = tail.new()
  return function()
    while not done do
      if resting then rest() end
      resting = true
      local entries = attempt()
      entries = entries and new(entries) or {}
      if #entries > 0 then
        watching:stir()
        return entries
      end
    end
  end
end

---Iterates over the entries of the run's log, as far as the platform shows them: an excerpt, often
---the newest lines. Raises the error object. Calls `getWorkerRunLog`.
---
---With `follow = true` also over those that are still to come, each once, until the run has ended.
---Lines that came and went between two reads are in the full log only (`run:log().url`).
---@param options coreclaw.LogsOptions?
---@return fun(): coreclaw.LogEntry?, boolean?  the entry; does it match, or stand beside one?
function Run:logs(options)
  options = check(options)
  local read = alone.wrap(options.follow and again(self, options) or once(self, options))
  local push = sieve(matcher(options), options.context)
  local queue, at = {}, 0
  return function()
    at = at + 1
    while not queue[at] do
      local entries = read()
      if not entries then return nil end
      queue, at = {}, 1
      for _, entry in ipairs(entries) do push(entry, queue) end
    end
    return queue[at][1], queue[at][2]
  end
end

return logs
