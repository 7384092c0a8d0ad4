--- Waiting in a plain Lua program: whoever waits steps the engine, and runs the tasks that can go on.

local core = require "coreclaw.core"
local base = require "coreclaw.driver.base"
local pool = require "coreclaw.driver.pool"
local scheduler = require "coreclaw.driver.scheduler"
local timers = require "coreclaw.driver.timers"
local validate = require "coreclaw.validate"

local transfers = pool.new("direct", function() end)
local plain = base.over("plain", transfers)

local tasks = scheduler.new(function() transfers:abandon() end)
local sleepers = timers.new()

-- One look at everything; waits at most until `deadline`, if there is nothing to do.
local function turn(deadline)
  local now = core.now()
  local due = math.min(deadline, sleepers:due())
  transfers:bind():wait(math.max(0, math.min(1, due - now)))
  transfers:drain()
  if tasks:may_nest() then sleepers:fire(core.now()) end
end

-- Why this wait would never end, if so.
local function hopeless(record, deadline)
  if record.id or deadline < math.huge then return nil end
  if not tasks:may_nest() then
    return "coreclaw: too many tasks wait inside each other, in coroutines that are none of ours"
  elseif not transfers:busy() and not tasks.ready[1] and sleepers:due() == math.huge then
    return "coreclaw: this wait would never end: no task can go on"
  end
end

local function block_until(record, deadline)
  transfers:bind()
  transfers:drain()
  while not record.done do
    local ran = tasks:run_ready()
    if tasks.ready[1] and tasks:may_nest() then
      turn(0)
    elseif not ran then
      local why = hopeless(record, deadline)
      if why then return false, why end
      if core.now() < deadline then turn(deadline) end
    end
    if not record.done and core.now() >= deadline then return false end
  end
  return true
end

-- An error raised meanwhile (by a debug hook: Ctrl-C in the lua program) ends every transfer: a
-- start that was interrupted must not leave later.
local function block(record, deadline)
  local ok, result, why = pcall(block_until, record, deadline)
  if ok and why then validate.fail(why) end
  if ok then return result end
  transfers:abandon()
  error(result, 0)
end

---Waits until a record is done. The engine's own timeouts bound a transfer.
---@param record coreclaw.Record
---@param seconds number?  not longer than that
---@param task table?  that runs here
---@return boolean done
function plain.wait(record, seconds, task)
  local deadline = seconds and core.now() + seconds or math.huge
  if not tasks:may_suspend(task) then return block(record, deadline) end
  local set = seconds and function(call) return sleepers:add(deadline, call) end
  return tasks:wait(task, record, set, function(timer) timer.call = nil end)
end

local function perform_alone(request)
  local record = transfers:perform(request)
  if not record.done then block_until(record, math.huge) end
  return record
end

---Sends and waits in one call of the core, where there is nothing else to do; else nil.
---@return coreclaw.Record?
function plain.perform(request)
  if tasks.count > 0 or sleepers[1] or transfers:busy() then return nil end
  local ok, record = pcall(perform_alone, request)
  if ok then return record end
  transfers:forsake()
  error(record, 0)
end

---Runs fn as a task, at once until it first waits.
function plain.spawn(task, fn, failed)
  tasks:start(task, fn, failed)
end

---A record that is done when no task is left.
function plain.all_ended()
  return tasks:all_ended()
end

return plain
