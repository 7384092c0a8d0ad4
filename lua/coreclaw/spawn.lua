--- Tasks: many calls at a time in one thread, with the same words as one after the other.
--
--   local one = coreclaw.spawn(function() return client:worker "a/b":call {} end)
--   local two = coreclaw.spawn(function() return client:worker "c/d":call {} end)
--   local run = one:join()
--
-- A task runs until it waits, and goes on when that has ended; what runs it is the host's own:
-- nginx' light threads and timers, Neovim's or luv's loop, cqueues, or, in a plain program, whoever
-- waits.

local driver = require "coreclaw.driver"
local base = require "coreclaw.driver.base"
local coroutines = require "coreclaw.driver.coroutines"
local pool = require "coreclaw.driver.pool"
local validate = require "coreclaw.validate"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local spawn = {}

---@class coreclaw.Spawned
---@field status "running"|"done"|"failed"
---@field err any              what it raised
---@field traceback string?    where
---@field package joined boolean?  has somebody seen its end?
local Task = { __name = "coreclaw.Spawned" }
Task.__index = Task

function Task:__tostring()
  return "coreclaw.Spawned (" .. self.status .. ")"
end

local function ended(task, status)
  task.status = status
  task.waiting = nil
  pool.complete(task.ended)
end

local function check_function(where, fn)
  local mt = type(fn) ~= "function" and getmetatable(fn)
  if type(fn) ~= "function" and not (type(mt) == "table" and mt.__call) then
    validate.fail(where .. ": a function is wanted, got " .. validate.show(fn))
  end
end

---Runs a function as a task. In a plain program it begins at once and runs until it first waits.
---Where nginx cannot suspend (log phase …) it begins in a timer.
---@param fn function
---@param ... any  its arguments
---@return coreclaw.Spawned
function spawn.task(fn, ...)
  check_function("coreclaw.spawn", fn)
  local args, n = { ... }, select("#", ...)
  local host = driver.current()
  local task = setmetatable({ status = "running", ended = pool.signal(), home = host }, Task)
  host.spawn(task, function()
    local function keep(...)
      task.results = { n = select("#", ...), ... }
      ended(task, "done")
    end
    keep(fn(unpack(args, 1, n)))
  end, function(err, traceback)
    task.err, task.traceback = err, traceback
    ended(task, "failed")
  end)
  return task
end

-- A text gets the task's traceback, an object is raised as it is.
local function raise(task)
  task.joined = true
  if type(task.err) ~= "string" then error(task.err, 0) end
  error(task.err .. "\nin a task: " .. task.traceback, 0)
end

---Waits until the task has ended; returns what it returned, or raises what it raised. A text comes
---with the task's traceback behind it; any task has it in `task.traceback`.
---@return any ...
function Task:join()
  if coroutines.task() == self then validate.fail "task:join: a task cannot wait for itself" end
  self.home.wait(self.ended)
  if self.status == "failed" then raise(self) end
  self.joined = true
  return unpack(self.results, 1, self.results.n)
end

---Waits at most so many seconds until the task has ended. Raises nothing of it.
---@param seconds number
---@return boolean ended
function Task:wait(seconds)
  validate.value("task:wait", "seconds", seconds, { type = "seconds" })
  self.joined = self.home.wait(self.ended, seconds)
  return self.joined
end

---Asks the task to stop: a request on its way ends as `cancelled` (a start that has left is an
---`unknown_outcome`), and so does whatever it begins afterwards; a sleep or a join raises that error
---in it. `err.run` and `err.items` name what was started before. No run is aborted.
function Task:cancel()
  if self.status ~= "running" then return end
  base.cancel(self)
end

-- A list of functions, of tasks, or of both.
local function started(list)
  if type(list) ~= "table" or getmetatable(list) == Task then
    validate.fail("coreclaw.all: a list of functions or tasks is wanted, got " .. validate.show(list))
  end
  local tasks = {}
  for i, item in ipairs(list) do
    if getmetatable(item) ~= Task then check_function("coreclaw.all: item " .. i, item) end
  end
  for i, item in ipairs(list) do
    tasks[i] = getmetatable(item) == Task and item or spawn.task(item)
  end
  return tasks
end

---Runs functions at the same time and waits for all of them. Returns their first results, in order.
---If some raised, the first of them is raised, after all have ended: nothing is left behind.
---@param list (function|coreclaw.Spawned)[]
---@return any[] results
function spawn.all(list)
  local tasks, results, failed = started(list), { n = #list }, nil
  for i, task in ipairs(tasks) do
    task.home.wait(task.ended)
    task.joined = true
    if task.status == "failed" then
      failed = failed or task
    else
      results[i] = task.results[1]
    end
  end
  if failed then raise(failed) end
  return results
end

---Runs a function as a task, and returns what it returned when it and every task that was started
---meanwhile have ended. Inside a task, and in nginx, it waits for the function alone.
---@param fn function
---@param ... any
---@return any ...
function spawn.run(fn, ...)
  check_function("coreclaw.run", fn)
  local inside = coroutines.task() ~= nil
  local task = spawn.task(fn, ...)
  local home = task.home
  home.wait(task.ended)
  if not inside and home.all_ended then home.wait(home.all_ended()) end
  return task:join()
end

return { spawn = spawn.task, all = spawn.all, run = spawn.run }
