--- Tasks of a driver without a host that could run them: which are ready, and running them.
--
-- The driver calls `run_ready` when it has the thread; a task is suspended in `wait` and comes back when
-- somebody wakes it. What a driver must bring: `kick`, which makes it call `run_ready` soon.

local coroutines = require "coreclaw.driver.coroutines"
local pool = require "coreclaw.driver.pool"

-- So many tasks inside each other: one that waits where it cannot be suspended runs the others
-- meanwhile, and the C stack is not endless.
local MAX_DEPTH = 20

---@class coreclaw.Scheduler
local Scheduler = {}
Scheduler.__index = Scheduler

local scheduler = {}

---@param abandon fun()  ends every transfer, when the program is interrupted
---@param kick fun()?    called when something has become ready outside of run_ready
---@return coreclaw.Scheduler
function scheduler.new(abandon, kick)
  return setmetatable({
    ready = {}, count = 0, depth = 0, abandon = abandon, kick = kick or function() end,
  }, Scheduler)
end

-- The `lua` program turns Ctrl-C into this error, in whatever coroutine runs. It is meant for the
-- program, not for a task.
local function is_interrupt(err)
  return type(err) == "string" and (err == "interrupted!" or err:find(":%d+: interrupted!$") ~= nil)
end

local function resume(self, task)
  self.depth = self.depth + 1
  local ok, err = coroutine.resume(task.co)
  self.depth = self.depth - 1
  if coroutine.status(task.co) ~= "dead" then
    -- A yield of its own: it lets the others go first.
    if not task.parked then self.ready[#self.ready + 1] = task end
    return
  end
  self.count = self.count - 1
  if not ok and is_interrupt(err) then self.interrupt = err end
  if not ok then task.failed(err, debug.traceback(task.co)) end
  if self.count == 0 and self.idle then pool.complete(self.idle) end
end

---Starts a task at once, unless that is too deep in others; it runs until it first waits.
---@param task table     becomes the task
---@param fn function
---@param failed fun(err: any, traceback: string)  called when fn raised
---@param later boolean? not at once in any case
function Scheduler:start(task, fn, failed, later)
  task.co = coroutines.create(fn, task)
  task.scheduler, task.failed = self, failed
  self.count = self.count + 1
  if later or not self:may_nest() then
    self.ready[#self.ready + 1] = task
    return self.kick()
  end
  resume(self, task)
  self:raise_interrupt()
end

---A record that is done when no task is left.
---@return coreclaw.Record
function Scheduler:all_ended()
  if not self.idle or self.idle.done then self.idle = pool.signal() end
  if self.count == 0 then self.idle.done = true end
  return self.idle
end

---May the task that runs here be suspended, and is it one of ours?
---@param task table?
function Scheduler:may_suspend(task)
  return task ~= nil and task.scheduler == self and coroutines.may_yield()
end

---Raises what was meant for the program; a start that was interrupted must not leave later.
function Scheduler:raise_interrupt()
  local err = self.interrupt
  if not err then return end
  self.interrupt = nil
  self.abandon()
  error(err, 0)
end

-- The function that wakes a task which is parked; one that is not has been woken already. It is the same for all
-- its waits: whoever may call it for one of them is told when that is over.
local function waker(self, task)
  return function()
    if not task.parked then return end
    task.parked = nil
    self.ready[#self.ready + 1] = task
    self.kick()
  end
end

---Suspends the task until the record is done or the time is up.
---@param task table
---@param record coreclaw.Record
---@param set_timer (fun(call: function): any)?  calls back when the time is up
---@param clear_timer fun(timer: any)?
---@return boolean done
function Scheduler:wait(task, record, set_timer, clear_timer)
  local wake, is_up = task.wake or waker(self, task), false
  task.wake = wake
  pool.on_done(record, wake)
  local timer = set_timer and set_timer(function()
    is_up = true
    wake()
  end)
  repeat -- what was left behind by an error in an earlier wait may wake it, too
    task.parked = true
    coroutine.yield()
  until record.done or is_up
  pool.off_done(record, wake)
  if timer and clear_timer then clear_timer(timer) end
  return record.done
end

---May tasks run inside what runs here?
function Scheduler:may_nest()
  return self.depth < MAX_DEPTH
end

---Runs the tasks that are ready now; what becomes ready meanwhile is for the next time.
---@return boolean  was there one?
function Scheduler:run_ready()
  local list = self.ready
  if not list[1] or not self:may_nest() then return false end
  self.ready = {}
  for i = 1, #list do
    if self.interrupt then self.ready[#self.ready + 1] = list[i] else resume(self, list[i]) end
  end
  if self.ready[1] then self.kick() end
  self:raise_interrupt()
  return true
end

return scheduler
