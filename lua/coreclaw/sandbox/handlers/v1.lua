--- The old API: the same platform, asked and answered in v1's words.

local catalogue = require("coreclaw.sandbox.handlers.catalogue")
local encode = require("coreclaw.sandbox.encode")
local exports = require("coreclaw.sandbox.handlers.exports")
local logs = require("coreclaw.sandbox.handlers.logs")
local money = require("coreclaw.sandbox.platform.money")
local paging = require("coreclaw.sandbox.handlers.paging")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local results = require("coreclaw.sandbox.handlers.results")
local run_handlers = require("coreclaw.sandbox.handlers.runs")
local runs = require("coreclaw.sandbox.platform.runs")
local span = require("coreclaw.sandbox.span")
local starts = require("coreclaw.sandbox.handlers.starts")
local state = require("coreclaw.sandbox.platform.state")
local tasks = require("coreclaw.sandbox.platform.tasks")

local M = {}

local STATUS = { ready = 1, running = 2, succeeded = 3, failed = 4, aborting = 5, aborted = 5 }
local WORD = { "ready", "running", "succeeded", "failed", "aborting" }

M.STATUS = STATUS

-- v1 takes owner/name or the id, but not v2's owner~name.
local function worker_of(id)
  local worker = not id:find("~", 1, true) and registry.find(id) or nil
  if not worker then
    reply.fail("worker_unknown")
  end
  return worker
end

-- v1 tells what belongs to somebody else from what does not exist.
local function owned(request, thing, unknown)
  if not thing then
    reply.fail(unknown)
  elseif thing.account ~= request.account then
    reply.fail("foreign")
  end
  return thing
end

local function run_of(request)
  return owned(request, state.runs[request.fields.run_slug], "run_unknown")
end

local function record(run)
  return encode.fields("slug", run.slug, "scraper_slug", run.worker.slug, "scraper_title", run.worker.title, "version",
    run.version, "status", STATUS[run.status], "results", #run.rows, "usage", money.text(run.usage), "traffic",
    run.traffic, "origin", run.origin == "openapi" and "api" or run.origin, "started_at", run.started_at,
    "finished_at", run.finished_at, "duration", run.duration, "err_msg",
    run.status == "failed" and run.err_msg or "")
end

local NEEDED = { "cpus", "memory", "execute_limit_time_seconds", "max_total_charge", "max_total_traffic" }

-- v1 wants the system settings; a region it does not need.
local function check_system(raw)
  local input = span.object(raw)
  local parameters = input and span.object(input.parameters)
  local system = parameters and span.object(parameters.system) or {}
  for _, name in ipairs(NEEDED) do
    if not system[name] then
      reply.fail("bad_request", { "input.parameters.system." .. name .. " is required" })
    end
  end
end

function M.run_worker(request)
  local fields = request.fields
  check_system(request.raw.input)
  local order = { worker = worker_of(fields.scraper_slug), version = fields.version, input = request.raw.input }
  local run = starts.start(request, order)
  if fields.is_async then
    return reply.ok(request, encode.fields("run_slug", run.slug))
  end
  runs.await(run, state.settings.sync_wait)
  -- No source gives this shape; it is v2's.
  return reply.ok(request, starts.sync_data(run, { offset = 1, limit = 20 }, false))
end

function M.abort(request)
  if not runs.abort(run_of(request)) then
    reply.fail("run_ended")
  end
  return reply.done(request)
end

function M.runs(request)
  local fields = request.fields
  local filter = {
    worker = fields.scraper_slug and worker_of(fields.scraper_slug),
    status = WORD[fields.status],
    any_time = true,
  }
  local found = run_handlers.select(request.account, filter)
  local list = paging.map(paging.slice(found, fields.page_index, fields.page_size), record)
  return reply.ok(request, encode.fields("count", #found, "list", list))
end

function M.detail(request)
  return reply.ok(request, record(run_of(request)))
end

function M.results(request)
  return reply.ok(request, results.page(run_of(request), request.fields.page_index, request.fields.page_size))
end

function M.export(request)
  local keys = request.fields.filter_keys
  local url = exports.link(run_of(request), request.fields.format, #keys > 0 and keys or nil)
  return reply.ok(request, encode.fields("download_url", url))
end

function M.log(request)
  return reply.ok(request, logs.data(run_of(request), false))
end

function M.rerun(request)
  local old = run_of(request)
  local run = starts.start(request, { worker = old.worker, version = old.version, input = old.input })
  return reply.ok(request, encode.fields("run_slug", run.slug))
end

function M.run_task(request)
  local task = owned(request, state.tasks[request.fields.task_slug], "task_unknown")
  local run = starts.start(request, { worker = task.worker, version = task.version, input = task.input })
  tasks.ran(task, run)
  return reply.ok(request, encode.fields("run_slug", run.slug))
end

function M.account(request)
  local account = request.account
  return reply.ok(request, encode.fields("balance", money.balance_text(account.balance), "traffic", account.traffic,
    "traffic_expiration_at", account.expires_at))
end

function M.worker(request)
  local worker = worker_of(request.query.slug)
  return reply.ok(request, encode.fields("version", worker.version, "readme", worker.readme, "parameters",
    encode.fields("system", worker.system, "custom", worker.schema)))
end

local function summary(worker)
  return encode.fields("slug", worker.slug, "title", worker.title, "description", worker.description)
end

function M.store(request)
  local found = registry.list(false, request.query.search)
  return reply.ok(request, encode.fields("scraper", paging.map(paging.slice(found, 1, request.query.limit), summary)))
end

function M.regions(request)
  return reply.ok(request, catalogue.region_list("en"))
end

return M
