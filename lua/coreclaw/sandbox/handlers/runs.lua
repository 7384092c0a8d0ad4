--- Run records: detail, list, abort.

local clock = require("coreclaw.sandbox.platform.clock")
local encode = require("coreclaw.sandbox.encode")
local money = require("coreclaw.sandbox.platform.money")
local months = require("coreclaw.sandbox.platform.months")
local paging = require("coreclaw.sandbox.handlers.paging")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local runs = require("coreclaw.sandbox.platform.runs")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

--- The run that a request means: by id, the Worker's newest, or the account's newest.
function M.of(request)
  local id = request.id
  local run
  if id.runId then
    run = runs.find(request.account, id.runId)
  elseif id.workerId then
    local worker = registry.find(id.workerId)
    if not worker then
      reply.fail("worker_unknown")
    end
    run = runs.last(request.account, worker)
  else
    run = runs.last(request.account)
  end
  if not run then
    reply.fail("run_unknown")
  end
  return run
end

local function record(run, err_msg)
  return encode.fields("slug", run.slug, "scraper_slug", run.worker.slug, "scraper_title", run.worker.title, "version",
    run.version, "status", run.status, "results", #run.rows, "usage", money.text(run.usage), "traffic", run.traffic,
    "origin", run.origin, "started_at", run.started_at, "finished_at", run.finished_at, "duration", run.duration,
    "err_msg", err_msg)
end

--- Production gives no err_msg here.
function M.detail(request)
  return reply.ok(request, record(M.of(request)))
end

local function listed(run)
  return record(run, run.status == "failed" and (run.err_msg or "") or nil)
end

-- From and to (exclusive); without both times, the current month.
local function window(query)
  if not query.start_time and not query.end_time then
    return nil
  elseif not query.start_time or not query.end_time then
    reply.fail("bad_request", { "start_time and end_time go together (query)" })
  end
  local from, to = months.window(query.start_time, query.end_time)
  if not from then
    reply.fail("months")
  end
  return from, to
end

local function in_time(run, filter, now)
  if filter.from then
    return run.created_at >= filter.from and run.created_at < filter.to
  end
  return filter.any_time or months.current(run.created_at, now)
end

--- The account's runs that a filter lets through (from and to or any_time, worker, status), newest first.
function M.select(account, filter)
  local out, now = {}, clock.now()
  for i = #state.history, 1, -1 do
    local run = state.history[i]
    if run.account == account and in_time(run, filter, now)
      and (not filter.worker or run.worker == filter.worker) and (not filter.status or run.status == filter.status)
    then
      out[#out + 1] = run
    end
  end
  return out
end

function M.list(request)
  local query = request.query
  local from, to = window(query)
  local worker
  if query.worker_id then
    worker = registry.find(query.worker_id)
    if not worker then
      reply.fail("worker_unknown_here")
    end
  end
  local found = M.select(request.account, { from = from, to = to, worker = worker, status = query.status })
  local list = paging.map(paging.slice(found, query.offset, query.limit), listed)
  return reply.ok(request, encode.fields("count", #found, "list", list))
end

function M.abort(request)
  if not runs.abort(M.of(request)) then
    reply.fail("run_ended")
  end
  return reply.done(request)
end

return M
