--- All operations of the platform, as data: what is checked before a handler (`module.function` of handlers/) is asked.
-- Parameter entries: name = { type, required?, min?, max?, enum?, nullable?, min_length?, default? }.

local M = {}

local STATUSES = { "ready", "running", "succeeded", "failed", "aborting" }

local text = { type = "string" }
local needed_text = { type = "string", required = true }
local url = { type = "string", url = true }
local any = { type = "any" }
local bool = { type = "boolean" }
local unix_time = { type = "integer" }
local page = { type = "integer", min = 0, default = 1 }
local per_page = { type = "integer", min = 1, max = 100, default = 20 }
local refs = { type = "array<string>", required = true, nullable = true }

local row_page = { type = "integer", min = 0, default = 0 }
local window = { offset = row_page, limit = per_page, is_async = bool, callback_url = url }
local start = { input = any, version = text, offset = row_page, limit = per_page, is_async = bool, callback_url = url }
local pages = { offset = page, limit = per_page }
local search = { offset = page, limit = per_page, keyword = text }
-- An unknown format is the handler's to refuse, in words of its own.
local export = { format = { type = "string", default = "csv" }, filter_keys = text }

local function one_of(...)
  return { type = "integer", enum = { ... } }
end

local schedule = {
  title = text,
  description = text,
  schedule_enabled = one_of(0, 1),
  schedule_type = one_of(1, 2, 3, 4),
  schedule_weekday = one_of(1, 2, 3, 4, 5, 6, 7),
  schedule_day = { type = "integer", min = 1, max = 31 },
  schedule_time = text,
  schedule_once_date = text,
}

local function with(base, extra)
  local out = {}
  for name, entry in pairs(base) do
    out[name] = entry
  end
  for name, entry in pairs(extra) do
    out[name] = entry
  end
  return out
end

local function v2(id, method, path, handler, more)
  local op = more or {}
  op.id, op.api, op.method, op.path, op.handler = id, "v2", method, "/api/v2" .. path, handler
  op.auth = not op.public
  M[#M + 1] = op
end

local needed_any = { type = "any", required = true }
local new_task = with(schedule, { worker_id = needed_text, title = needed_text, input = needed_any, version = text })
local new_input = { input = needed_any, version = text }
local runs_filter = with(pages, {
  worker_id = text,
  status = { type = "string", enum = STATUSES },
  start_time = unix_time,
  end_time = unix_time,
})

v2("listProxyRegions", "GET", "/proxy/region", "catalogue.regions", { public = true, query = { language = text } })
v2("listStore", "GET", "/store", "catalogue.store", { public = true, query = search })
v2("getAccount", "GET", "/users/account", "account.show")
v2("listWorkers", "GET", "/workers", "catalogue.own", { query = search })
v2("getWorker", "GET", "/workers/{workerId}", "workers.detail")
v2("getWorkerInputSchema", "GET", "/workers/{workerId}/input-schema", "workers.schema", { public = true })
v2("runWorker", "POST", "/workers/{workerId}/runs", "starts.worker", { body = start })

v2("listWorkerTasks", "GET", "/worker-tasks", "tasks.list", { query = with(search, { worker_id = text }) })
v2("createWorkerTask", "POST", "/worker-tasks", "tasks.create", { body = new_task })
v2("getWorkerTask", "GET", "/worker-tasks/{workerTaskId}", "tasks.detail")
v2("updateWorkerTask", "PUT", "/worker-tasks/{workerTaskId}", "tasks.update", { body = schedule })
v2("deleteWorkerTask", "DELETE", "/worker-tasks/{workerTaskId}", "tasks.delete")
v2("getWorkerTaskInput", "GET", "/worker-tasks/{workerTaskId}/input", "tasks.input")
v2("updateWorkerTaskInput", "PUT", "/worker-tasks/{workerTaskId}/input", "tasks.set_input", { body = new_input })
v2("runWorkerTask", "POST", "/worker-tasks/{workerTaskId}/runs", "starts.task", { body = window })

v2("listWorkerRuns", "GET", "/worker-runs", "runs.list", { query = runs_filter })

-- The same six questions to a run by id, the newest of the account, and the newest of one Worker.
local function run_family(names, path, export_path)
  v2(names[1], "GET", path, "runs.detail")
  v2(names[2], "POST", path .. "/abort", "runs.abort")
  v2(names[3], "POST", path .. "/rerun", "starts.rerun", { body = window })
  v2(names[4], "GET", path .. "/log", "logs.show")
  v2(names[5], "GET", path .. "/result", "results.list", { query = pages })
  v2(names[6], "GET", path .. export_path, "exports.create", { query = export })
end

run_family({
  "getWorkerRun",
  "abortWorkerRun",
  "rerunWorkerRun",
  "getWorkerRunLog",
  "listWorkerRunResults",
  "exportWorkerRunResults",
}, "/worker-runs/{runId}", "/result/export")
run_family({
  "getLastWorkerRun",
  "abortLastWorkerRun",
  "rerunLastWorkerRun",
  "getLastWorkerRunLog",
  "listLastWorkerRunResults",
  "exportLastWorkerRunResults",
}, "/worker-runs/last", "/export")
run_family({
  "getWorkerLastRun",
  "abortWorkerLastRun",
  "rerunWorkerLastRun",
  "getWorkerLastRunLog",
  "listWorkerLastRunResults",
  "exportWorkerLastRunResults",
}, "/workers/{workerId}/runs/last", "/export")

local queue_status = { type = "string", enum = { "waiting", "inactive" } }

v2("queuedRunWorker", "POST", "/workers/{workerId}/queued-runs", "queue.add", { body = start })
v2("listRunQueueItems", "GET", "/run-queue/items", "queue.list", { query = with(pages, { status = queue_status }) })
v2("activateRunQueueItems", "POST", "/run-queue/items/activate", "queue.activate", { body = { queue_refs = refs } })
v2("releaseRunQueueItems", "POST", "/run-queue/items/release", "queue.release", {
  body = { queue_refs = refs, reason = text },
})
v2("releaseRunQueueItem", "POST", "/run-queue/items/{queueId}/release", "queue.release_one", {
  body = { reason = text },
})

-- What is wrong with these is answered with 400: their contract knows no 422.
for _, operation in ipairs(M) do
  local plain = { getAccount = true, getLastWorkerRun = true, abortLastWorkerRun = true, getLastWorkerRunLog = true }
  operation.plain = plain[operation.id]
end

local function v1(id, method, path, handler, more)
  local op = more or {}
  op.id, op.api, op.method, op.path, op.handler = id, "v1", method, "/api" .. path, handler
  op.auth = not op.public
  M[#M + 1] = op
end

local from_one = { type = "integer", min = 1, default = 1 }
local this_run = { run_slug = needed_text }
local needed_url = { type = "string", url = true, required = true }

v1("scraperRun", "POST", "/v1/scraper/run", "v1.run_worker", {
  body = {
    scraper_slug = needed_text,
    version = text,
    input = { type = "object", required = true },
    is_async = { type = "boolean", required = true },
    callback_url = url,
  },
})
v1("scraperAbort", "POST", "/v1/scraper/abort", "v1.abort", { body = this_run })
v1("runList", "POST", "/v1/run/list", "v1.runs", {
  body = {
    page_index = { type = "integer", required = true, min = 1 },
    page_size = { type = "integer", required = true, min = 1 },
    status = one_of(0, 1, 2, 3, 4, 5),
    scraper_slug = text,
  },
})
v1("runDetail", "POST", "/v1/run/detail", "v1.detail", { body = this_run })
v1("runResultList", "POST", "/v1/run/result/list", "v1.results", {
  body = { run_slug = needed_text, page_index = from_one, page_size = { type = "integer", min = 1, default = 10 } },
})
v1("runResultExport", "POST", "/v1/run/result/export", "v1.export", {
  body = {
    run_slug = needed_text,
    filter_keys = { type = "array<string>", required = true },
    format = { type = "string", required = true, enum = { "csv", "json" } },
  },
})
v1("runLastLog", "POST", "/v1/run/last/log", "v1.log", { body = this_run })
v1("rerun", "POST", "/v1/rerun", "v1.rerun", { body = { run_slug = needed_text, callback_url = needed_url } })
v1("taskRun", "POST", "/v1/task/run", "v1.run_task", { body = { task_slug = needed_text, callback_url = needed_url } })
v1("accountInfo", "POST", "/v1/account/info", "v1.account", { body = {}, body_optional = true })
v1("scraperDetail", "GET", "/scraper", "v1.worker", { public = true, query = { slug = needed_text } })
v1("storeSearch", "GET", "/store", "v1.store", {
  public = true,
  query = {
    search = { type = "string", required = true, min_length = 1 },
    limit = { type = "integer", min = 1, default = 10 },
  },
})
v1("proxyRegion", "GET", "/proxy/region", "v1.regions", { public = true })

return M
