--- What is the same in every driver, made of what differs: submit, wait, cancel, spawn.

local coroutines = require "coreclaw.driver.coroutines"
local errors = require "coreclaw.errors"
local pool = require "coreclaw.driver.pool"

local base = {}

local function raise(err)
  if err then error(err, 0) end
end

-- Has any task been cancelled? In most programs none ever is, and nobody need look who runs.
local cancelling = false

-- So often a cancelled task is told by an error that is returned, as a call that has paid for something
-- needs it to name that. A loop that takes no notice would go round for ever.
local PATIENCE = 100

-- The error of whoever waits in a task that was cancelled, or sends; nil in any other.
local function refusal(task)
  if not (task and task.cancelled) then return nil end
  local err = errors.new { kind = "cancelled", message = "the task was cancelled", sent = "no" }
  task.refusals = (task.refusals or 0) + 1
  if task.refusals > PATIENCE then raise(err) end
  return err
end

-- A task that waits can be found by whoever cancels it.
local function wait_for_transfer(module, wait, task, record, seconds)
  task.waiting, task.waits_in = record, module
  local done = wait(record, seconds, task)
  task.waiting = nil
  return done
end

-- Refers to nothing on the stack of who waits, which its host may throw away.
local function completer(signal)
  return function() pool.complete(signal) end
end

-- What others may wait for as well is not ended by a cancelled task: it waits for a signal of its own.
local function wait_for_signal(wait, task, record, seconds)
  local err = refusal(task)
  if err then return record.done, err end
  local own = pool.signal()
  local wake = pool.on_done(record, completer(own))
  task.waiting = own
  wait(own, seconds, task)
  pool.off_done(record, wake)
  task.waiting = nil
  return record.done, refusal(task)
end

-- Waits; the second result is the error of a task that was cancelled while it waited for no transfer.
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
---@param module table  submit(request), wait(record, seconds?, task?), where the task is the one that runs here,
---  cancel(record), progress(record), poll(), spawn(task, fn, failed), perform(request)?, which sends and waits where
---  there is a quicker way, and check()?, which raises where nobody can wait
---@return table module  with attend(record, seconds?), exchange(request), refusal(), pause(seconds) and sleep(seconds)
function base.complete(module)
  ---Waits. What a cancelled task waits for in vain raises nothing: who called is to say what has been
  ---sent before, and paid.
  ---@return boolean? done
  ---@return coreclaw.Error?  of a task that was cancelled
  module.attend = watched(module, module.wait)
  module.check = module.check or function() end

  ---The error of a task that was cancelled, and is to send nothing any more.
  ---@return coreclaw.Error?
  function module.refusal() return cancelling and refusal(coroutines.task()) or nil end

  ---Sends and waits. Where it raises, nobody knows whether the request went out.
  ---@return coreclaw.Record
  function module.exchange(request)
    local record = module.perform and module.perform(request)
    if record then return record end
    record = module.submit(request)
    module.attend(record)
    return record
  end

  ---Waits; raises in a task that was cancelled.
  ---@return boolean? done
  function module.wait(record, seconds)
    local done, err = module.attend(record, seconds)
    raise(err)
    return done
  end

  ---Sleeps, while everything else of this process goes on.
  ---@return coreclaw.Error?  of a task that was cancelled
  function module.pause(seconds)
    local err = module.refusal()
    if err then return err end
    return select(2, module.attend(pool.signal(), seconds))
  end

  ---The same, which raises it.
  function module.sleep(seconds) raise(module.pause(seconds)) end

  return module
end

---Cancels a task, and what it waits for: a transfer ends, a sleep or a join raises.
---@param task table
function base.cancel(task)
  local record = task.waiting
  task.cancelled, cancelling = true, true
  if not record then return end
  if record.id then
    task.waits_in.cancel(record)
  else
    pool.complete(record)
  end
end

return base
