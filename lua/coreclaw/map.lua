--- Many runs of one Worker: starts them as places become free, and hands them out as they end.

local alone = require "coreclaw.alone"
local config = require "coreclaw.config"
local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local fleet = require "coreclaw.fleet"
local input = require "coreclaw.input"
local start = require "coreclaw.start"
local validate = require "coreclaw.validate"
local verdict = require "coreclaw.verdict"
local watch = require "coreclaw.watch"
local worker = require "coreclaw.worker"

local map = {}

-- What is handed on to `worker:start`.
local STARTS = { "system", "callback_url", "version", "check", "label" }

-- Most seconds for the log of a run that failed, or the rows of one that succeeded.
local LOG_TIMEOUT = 20

---Options of `client:map`.
map.OPTIONS = {
  concurrency = { type = "integer", min = 1, max = 1000, default = 10 },
  wait_for_slot = { type = "boolean", default = true },
  on_start = { type = "callable" },
  on_update = { type = "callable" },
  require = { type = "string", enum = { "data" } },
  timeout = { type = "seconds", default = 3600 },
  poll_intervals = { type = "table" },
}
for _, name in ipairs(STARTS) do map.OPTIONS[name] = start.INPUT[name] end

---@class coreclaw.MapItem
---@field index integer         which input, from 1
---@field input table           the input as it was given
---@field run coreclaw.Run?     the run, if one was started
---@field err coreclaw.Error?   why there is none, or why it did not succeed

---@class coreclaw.Map
---@field active table[]   jobs whose runs are watched
---@field ended coreclaw.MapItem[]  items to be handed out
---@field pending table?   the job that waits for a place of the plan
local Map = {}
Map.__index = Map

-- A list or an iterator, as a function that gives the next input.
local function reader(inputs)
  if type(inputs) == "function" then return inputs end
  local mt = getmetatable(inputs)
  if type(mt) == "table" and mt.__call then return function() return inputs() end end
  if type(inputs) ~= "table" then
    validate.fail("client:map: inputs must be a list of tables or an iterator, got " .. validate.show(inputs))
  elseif #inputs == 0 and next(inputs) ~= nil then
    validate.fail("client:map: inputs must be a list of tables, got one table with fields")
  end
  local list, at = {}, 0
  for i = 1, #inputs do list[i] = inputs[i] end
  return function()
    at = at + 1
    return list[at]
  end
end

local function finish(self, job, err)
  -- Whatever became of the requests after its start: there is a run.
  if err and job.item.run then err.sent = "yes" end
  job.item.err = err
  self.ended[#self.ended + 1] = job.item
end

-- Can this be sent as an input? Nothing is started for one that cannot, and the others go on.
local function check_input(self, value)
  local ok, why = pcall(input.build, "client:map", value, self.start_options)
  if ok then return nil end
  return errors.new {
    kind = "bad_request", message = (tostring(why):gsub("^.-:%d+: ", "")), operation = "runWorker",
  }
end

-- The next job; nil when there is no input left, or one that cannot be sent has become an item.
local function next_job(self)
  local value
  if not self.exhausted then value = self.inputs() end
  if value == nil then
    self.exhausted = true
    return nil
  end
  self.index = self.index + 1
  local job = { item = { index = self.index, input = value }, aborting_reads = 0 }
  local err = check_input(self, value)
  if not err then return job end
  finish(self, job, err)
end

local function deadline(self)
  return self.clock:deadline(self.timeout)
end

-- Raises what called it all off. Nothing is lost: the error names what was begun, the runs go on, and
-- the iterator would as well.
local function halt(self, err)
  err.items = {}
  for _, job in ipairs(self.active) do err.items[#err.items + 1] = job.item end
  for _, item in ipairs(self.ended) do err.items[#err.items + 1] = item end
  if self.pending then err.items[#err.items + 1] = self.pending.item end
  if #self.active > 0 then err.sent = "yes" end
  error(err, 0)
end

-- Tells a hook of an item.
local function tell(self, name, item)
  local hook = self[name]
  if hook and hook(item) == false then
    halt(self, errors.stopped(name, "runWorker", "no further run is started or looked at; none was aborted"))
  end
end

local function has_started(self, job, run)
  job.item.run, job.since, job.deadline = run, core.time(), deadline(self)
  self.active[#self.active + 1] = job
  self.quiet = 0
  tell(self, "on_start", job.item)
end

-- A start that was refused for want of a place created nothing: it may be made again.
local function may_wait(self, job, err)
  return err.kind == "plan_limit" and err.sent == "refused" and self.wait_for_slot
    and self.clock.now() < job.deadline
end

-- The label of a start tells which input it is.
local function options_of(self, job)
  local out = {}
  for name, value in pairs(self.start_options) do out[name] = value end
  if out.label then out.label = out.label .. "#" .. job.item.index end
  return out
end

local function try_start(self, job)
  job.deadline = job.deadline or deadline(self)
  local run, err = self.worker:start(job.item.input, options_of(self, job))
  self.pending = nil
  if run then
    has_started(self, job, run)
  elseif may_wait(self, job, err) then
    self.pending, self.full = job, true
  elseif err.kind == "cancelled" then -- by `on_request`, before anything was sent
    self.pending = job
    halt(self, err)
  else
    finish(self, job, err)
  end
end

-- Starts what there is place for, unless an item is ready, or it is time to look for one.
local function fill(self)
  local ended = #self.ended
  while #self.active < self.concurrency and not self.full do
    local job = self.pending or next_job(self)
    if job then try_start(self, job) end
    if not job or #self.ended > ended then return end
    if #self.active > 0 and self.clock.now() >= self.due then return end
  end
end

local function oldest(active)
  local since = math.huge
  for _, job in ipairs(active) do since = math.min(since, job.since) end
  return since
end

-- The error of a run that has ended otherwise than well, or brought no data.
local function judge(self, job)
  local run, ends = job.item.run, math.min(job.deadline, self.clock.now() + LOG_TIMEOUT)
  if run.status ~= "succeeded" then return start.failure(run, ends) end
  return self.require and verdict.without_data(run, ends) or nil
end

-- Has this job come to its end? Its item is put among the ended ones then.
local function settle(self, job, failure)
  local run = job.item.run
  if not failure then job.odd = 0 end
  if run.status == "aborting" and not failure then job.aborting_reads = job.aborting_reads + 1 end
  if watch.FINAL[run.status] or job.aborting_reads >= watch.ABORTING_READS then
    local err = judge(self, job)
    if err and err.kind == "cancelled" then return false, err end
    finish(self, job, err)
  elseif failure and failure.kind == "cancelled" then
    return false, failure
  elseif failure and not watch.may_pass(job, failure) then
    failure.run = run
    finish(self, job, failure)
  elseif self.clock.now() >= job.deadline then
    finish(self, job, watch.timeout_error(run, self.timeout, failure))
  else
    return false
  end
  return true
end

-- Seconds for one reading: it must not make any run late. nil: as for every call.
local function time_to_look(self)
  local first = math.huge
  for _, job in ipairs(self.active) do first = math.min(first, job.deadline) end
  local left, usual = self.clock:left(first, 0.02), self.fleet.client.settings.timeout
  return left < math.huge and (usual == 0 or left < usual) and left or nil
end

-- Reads the states of all active runs.
local function look(self)
  local runs, read, still, halted = {}, self.active, {}, nil
  for i, job in ipairs(self.active) do runs[i] = job.item.run end
  local failures = fleet.read(self.fleet, runs, #runs > 0 and oldest(self.active) or 0,
    time_to_look(self))
  for _, job in ipairs(self.active) do
    local settled, why = settle(self, job, failures[job.item.run])
    if not settled then still[#still + 1], halted = job, halted or why end
  end
  if #still < #self.active then self.quiet = 0 end
  self.active = still
  if halted then halt(self, halted) end
  for _, job in ipairs(read) do
    if not failures[job.item.run] then tell(self, "on_update", job.item) end
  end
end

local function schedule(self)
  self.due = self.clock.now() + watch.jittered(self.intervals, self.quiet + 1, self.random)
end

-- Waits until it is time to look again, and looks. Afterwards a place may be free.
local function tick(self)
  local cancelled = self.clock:pause(math.max(self.due - self.clock.now(), 0))
  if cancelled then halt(self, cancelled) end
  self.quiet = self.quiet + 1
  look(self)
  schedule(self)
  self.full = false
end

function Map:next()
  while true do
    fill(self)
    if #self.ended > 0 then return table.remove(self.ended, 1) end
    if #self.active == 0 and not self.pending and self.exhausted then return nil end
    tick(self)
  end
end

---Runs a Worker with each of many inputs; iterates over the items as they end: index, input, run, err.
---An item whose run failed, or was never started, has `err`; the others go on. A start whose outcome
---is unknown is reported and never made again.
---@param client coreclaw.Client
---@param id string|coreclaw.Worker
---@param inputs table[]|fun(): table?  a list, or an iterator
---@param options coreclaw.MapOptions?  those of `worker:start`, and concurrency: runs at once, default 10;
---  wait_for_slot: wait where the plan allows no further run (default true); on_start(item): called
---  when a run was started, on_update(item): when its state was read; false from one of them stops with
---  error `cancelled`: `err.items` are those begun and not handed out, and their runs go on;
---  require = "data": as of `worker:call`; timeout: seconds for each run, default 3600, 0 = none;
---  poll_intervals
---@return fun(): coreclaw.MapItem?
function map.new(client, id, inputs, options)
  options = validate.options("client:map", options, map.OPTIONS)
  local handle = worker.new(client, id, "client:map")
  local self = setmetatable({
    clock = client.clock, random = client.random,
    worker = handle, inputs = reader(inputs), fleet = { client = client, worker_id = handle.id },
    concurrency = options.concurrency, wait_for_slot = options.wait_for_slot,
    on_start = options.on_start, on_update = options.on_update, require = options.require, timeout = options.timeout,
    intervals = config.intervals("client:map", options.poll_intervals) or client.settings.poll_intervals,
    start_options = {}, active = {}, ended = {}, index = 0, quiet = 0,
  }, Map)
  for _, name in ipairs(STARTS) do self.start_options[name] = options[name] end
  input.build("client:map", {}, self.start_options)
  schedule(self)
  return alone.wrap(function() return self:next() end)
end

return map
