--- What is the same in every driver, made of what differs: submit, wait, cancel, spawn.

local coroutines = require "coreclaw.driver.coroutines"
local errors = require "coreclaw.errors"
local pool = require "coreclaw.driver.pool"

local base = {}

local function check_cancelled(task)
  if task and task.cancelled then
    error(errors.new { kind = "cancelled", message = "the task was cancelled", sent = "no" }, 0)
  end
end

-- A task that waits can be found by whoever cancels it.
local function wait_for_transfer(module, wait, task, record, seconds)
  task.waiting, task.waits_in = record, module
  local done = wait(record, seconds)
  task.waiting = nil
  return done
end

-- Refers to nothing on the stack of who waits, which its host may throw away.
local function completer(signal)
  return function() pool.complete(signal) end
end

-- What others may wait for as well is not ended by a cancelled task: it waits for a signal of its own.
local function wait_for_signal(wait, task, record, seconds)
  check_cancelled(task)
  local own = pool.signal()
  pool.on_done(record, completer(own))
  task.waiting = own
  wait(own, seconds)
  task.waiting = nil
  check_cancelled(task)
  return record.done
end

local function watched(module, wait)
  return function(record, seconds)
    if record.done then return true end
    local task = coroutines.task()
    if not task then return wait(record, seconds) end
    if record.id then return wait_for_transfer(module, wait, task, record, seconds) end
    return wait_for_signal(wait, task, record, seconds)
  end
end

---A driver as far as its transfers make it; what its host wants differently it replaces.
---@param name string
---@param transfers coreclaw.Pool
---@return table module  for base.complete, still without wait and spawn
function base.over(name, transfers)
  return {
    name = name,
    submit = function(request) return transfers:submit(request) end,
    poll = function() transfers:look() end,
    cancel = function(record) transfers:cancel(record) end,
    progress = function(record) return transfers:progress(record) end,
  }
end

---Completes a driver.
---@param module table  submit(request), wait(record, seconds?), cancel(record), progress(record),
---  poll(), spawn(task, fn, failed), check()?, which raises where nobody can wait
---@return table module  with exchange(request) and sleep(seconds)
function base.complete(module)
  module.wait = watched(module, module.wait)
  module.check = module.check or function() end

  ---Sends a request and waits for its end.
  ---@return coreclaw.Record
  function module.exchange(request)
    check_cancelled(coroutines.task())
    local record = module.submit(request)
    module.wait(record)
    return record
  end

  ---Sleeps, while everything else of this process goes on.
  function module.sleep(seconds)
    check_cancelled(coroutines.task())
    module.wait(pool.signal(), seconds)
  end

  return module
end

---Cancels what a task waits for: a transfer ends, a sleep or a join raises.
---@param task table
function base.interrupt(task)
  local record = task.waiting
  if not record then return end
  if record.id then
    task.waits_in.cancel(record)
  else
    pool.complete(record)
  end
end

return base
