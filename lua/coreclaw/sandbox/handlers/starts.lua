--- Everything that starts a run at once: a Worker, a task, a rerun; asynchronously or with a wait and a window.

local clock = require("coreclaw.sandbox.platform.clock")
local encode = require("coreclaw.sandbox.encode")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local results = require("coreclaw.sandbox.handlers.results")
local run_handlers = require("coreclaw.sandbox.handlers.runs")
local runs = require("coreclaw.sandbox.platform.runs")
local state = require("coreclaw.sandbox.platform.state")
local tasks = require("coreclaw.sandbox.platform.tasks")

local M = {}

--- Fails unless the Worker can run this.
function M.check_input(worker, version, input)
  local refusal, details = runs.misfit(worker, version, input)
  if refusal then
    reply.fail(refusal, type(details) == "table" and details or nil, type(details) == "string" and details or nil)
  end
end

--- Starts a run or fails as the platform does; order as in runs.create.
function M.start(request, order)
  M.check_input(order.worker, order.version, order.input)
  local refusal = runs.refusal(request.account)
  if refusal then
    reply.fail(refusal)
  end
  order.account, order.operation = request.account, request.operation
  order.origin = request.api == "v1" and "api" or "openapi"
  order.api = request.api
  order.callback_url = request.fields.callback_url
  return runs.create(order)
end

-- Seconds of work so far, or in all.
local function duration(run)
  if run.finished_at > 0 then
    return run.duration
  end
  return run.started_at > 0 and clock.seconds() - run.started_at or 0
end

--- What a synchronous start answers with.
function M.sync_data(run, fields, is_rerun)
  local page = results.page(run, fields.offset, fields.limit)
  if is_rerun then
    return encode.fields("run_slug", run.slug, "run_status", run.status, "execution_start_timestamp", run.started_at,
      "execution_end_timestamp", run.finished_at, "running_duration", duration(run), "is_finished", run.ended == true,
      "results", page)
  end
  return encode.fields("run_slug", run.slug, "run_status", run.status, "error_message", run.err_msg or "",
    "execution_start_timestamp", run.started_at, "execution_end_timestamp", run.finished_at, "running_duration",
    duration(run), "result_message", "", "results", page)
end

-- is_async is true unless it was said to be false.
local function answer(request, run, is_rerun)
  if request.fields.is_async ~= false then
    return reply.ok(request, encode.fields("run_slug", run.slug))
  end
  runs.await(run, state.settings.sync_wait)
  return reply.ok(request, M.sync_data(run, request.fields, is_rerun))
end

function M.worker(request)
  local worker = registry.find(request.id.workerId)
  if not worker then
    reply.fail("worker_unknown")
  end
  local order = { worker = worker, version = request.fields.version, input = request.raw.input }
  return answer(request, M.start(request, order))
end

function M.task(request)
  local task = tasks.find(request.account, request.id.workerTaskId)
  if not task then
    reply.fail("task_unknown")
  end
  local run = M.start(request, { worker = task.worker, version = task.version, input = task.input })
  tasks.ran(task, run)
  return answer(request, run)
end

function M.rerun(request)
  local old = run_handlers.of(request)
  local run = M.start(request, { worker = old.worker, version = old.version, input = old.input })
  return answer(request, run, true)
end

return M
