--- Saved tasks: a Worker, its input, and when to run it. Knows nothing of HTTP.

local clock = require("coreclaw.sandbox.platform.clock")
local ids = require("coreclaw.sandbox.platform.ids")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

-- Who wants to hear of changes (the journal): fn(task) and, when it is gone, fn(task, true).
M.listeners = {}

M.SCHEDULE = {
  "schedule_enabled",
  "schedule_type",
  "schedule_time",
  "schedule_weekday",
  "schedule_day",
  "schedule_once_date",
}

local function tell(task, gone)
  for _, listener in ipairs(M.listeners) do
    listener(task, gone)
  end
end

--- The account's task of this id, or nil.
function M.find(account, slug)
  local task = state.tasks[slug]
  return task and task.account == account and task or nil
end

--- Saves a task: account, worker, title, input (its JSON), version?, description?, schedule fields?.
function M.create(order)
  local now = clock.now()
  local task = {
    number = ids.big(),
    platform_number = ids.big(),
    slug = ids.slug(now),
    account = order.account,
    worker = order.worker,
    title = order.title,
    description = order.description or "",
    input = order.input,
    version = order.version or order.worker.version,
    run_times = 0,
    last_run_id = "0",
    created_at = math.floor(now),
    updated_at = math.floor(now),
    position = #state.task_list + 1,
  }
  for _, name in ipairs(M.SCHEDULE) do
    task[name] = order[name]
  end
  state.tasks[task.slug] = task
  table.insert(state.task_list, task)
  tell(task)
  return task
end

--- Writes the fields that are given; what is left out stays.
function M.update(task, fields)
  for name, value in pairs(fields) do
    task[name] = value
  end
  task.updated_at = clock.seconds()
  tell(task)
end

--- Notes that a task has been run.
function M.ran(task, run)
  task.run_times = task.run_times + 1
  task.last_run_id = run.number
  task.updated_at = clock.seconds()
  tell(task)
end

function M.delete(task)
  state.tasks[task.slug] = nil
  for i, other in ipairs(state.task_list) do
    if other == task then
      table.remove(state.task_list, i)
      break
    end
  end
  tell(task, true)
end

local function matches(task, keyword)
  return keyword == "" or task.title:lower():find(keyword, 1, true) or task.slug:lower():find(keyword, 1, true)
end

--- The account's tasks, newest first.
function M.select(account, worker, keyword)
  local out = {}
  keyword = (keyword or ""):lower()
  for i = #state.task_list, 1, -1 do
    local task = state.task_list[i]
    if task.account == account and (not worker or task.worker == worker) and matches(task, keyword) then
      out[#out + 1] = task
    end
  end
  return out
end

return M
