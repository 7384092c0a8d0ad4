--- Runs the saved tasks that have a schedule, at their moments of the sandbox's time.

local clock = require("coreclaw.sandbox.platform.clock")
local runs = require("coreclaw.sandbox.platform.runs")
local schedule = require("coreclaw.sandbox.platform.schedule")
local state = require("coreclaw.sandbox.platform.state")
local tasks = require("coreclaw.sandbox.platform.tasks")

-- luacheck: globals ngx
local M = {}

local FOREVER = 366 * 86400

-- A start that is refused (plan, money, input) is left out, as if its moment had not been.
local function run_task(task)
  if runs.misfit(task.worker, task.version, task.input) or runs.refusal(task.account) then
    ngx.log(ngx.NOTICE, "scheduled task ", task.slug, " could not be started")
    return
  end
  local run = runs.create({
    account = task.account,
    worker = task.worker,
    version = task.version,
    input = task.input,
    origin = "schedule",
    operation = "schedule",
  })
  tasks.ran(task, run)
end

local function next_moment(now)
  local first
  for _, task in ipairs(state.task_list) do
    local at = schedule.next(task, now)
    if at and (not first or at < first) then
      first = at
    end
  end
  return first
end

-- A moment that was over before the task was made or changed is none of its moments.
local function run_due(from, to)
  for _, task in ipairs({ unpack(state.task_list) }) do
    local at = schedule.next(task, from)
    if at and at <= to and task.updated_at < at then
      run_task(task)
    end
  end
end

local function watch(place)
  local seen = clock.now()
  while not ngx.worker.exiting() do
    local at = next_moment(seen)
    -- Woken early where tasks have changed: then the next moment may be another.
    clock.wait(place, at and at - clock.now() or FOREVER)
    local now = clock.now()
    run_due(seen, now)
    seen = now
  end
end

function M.begin()
  local place = clock.place()
  table.insert(tasks.listeners, function()
    clock.wake(place)
  end)
  clock.spawn(function()
    watch(place)
  end)
end

return M
