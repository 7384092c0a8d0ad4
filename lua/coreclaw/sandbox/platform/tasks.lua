--- Saved tasks: a Worker, its input, and when to run it.

local clock = require("coreclaw.sandbox.platform.clock")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

--- The account's task of this id, or nil.
function M.find(account, slug)
  local task = state.tasks[slug]
  return task and task.account == account and task or nil
end

--- Notes that a task has been run.
function M.ran(task, run)
  task.run_times = task.run_times + 1
  task.last_run_id = run.number
  task.updated_at = clock.seconds()
end

return M
