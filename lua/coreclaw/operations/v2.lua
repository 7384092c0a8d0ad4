--- The 39 operations of API v2, as data: which HTTP request is that?
--
-- id → {
--   method, path   path parameters in braces
--   class          what may be done when it fails: see retry.lua
--                    read   changes nothing         write  the same twice is the same once
--                    paid   costs money or creates  last   aims at a moving target
--   public         works without a key
--   query, body    parameter → rule of validate.lua; `required = true` where the API insists.
--                  An operation with a `body` always sends one, at least {}.
--   list_key       where the items of a page stand in the answer's data
-- }

local STRING = { type = "string" }
local NEED_STRING = { type = "string", required = true }
local INTEGER = { type = "integer" }
local BOOLEAN = { type = "boolean" }
local ANY = { type = "any" }
local NEED_ANY = { type = "any", required = true }
local URL = { type = "url" }
local REFS = { type = "table", required = true }

-- `offset` is a page number counted from 1; the API takes 0 as 1, we never send it.
local PAGE = { type = "integer", min = 1 }
local LIMIT = { type = "integer", min = 1, max = 100 }

local SWITCH = { type = "integer", enum = { 0, 1 } }
local SCHEDULE = { type = "integer", enum = { 1, 2, 3, 4 } } -- daily, weekly, monthly, once
local WEEKDAY = { type = "integer", min = 1, max = 7 } -- Monday to Sunday
local DAY = { type = "integer", min = 1, max = 31 }
local RUN_STATUS = {
  type = "string", enum = { "ready", "running", "succeeded", "failed", "aborting" },
}
local QUEUE_STATUS = { type = "string", enum = { "waiting", "inactive" } }
local FORMAT = {
  type = "string", enum = { "csv", "json", "jsonl", "xlsx", "xls", "xml", "html", "rss" },
}

return {
  listProxyRegions = {
    method = "GET", path = "/api/v2/proxy/region", class = "read", public = true,
    query = { language = STRING },
    list_key = "list",
  },
  listStore = {
    method = "GET", path = "/api/v2/store", class = "read", public = true,
    query = { offset = PAGE, limit = LIMIT, keyword = STRING },
    list_key = "scraper",
  },
  getAccount = {
    method = "GET", path = "/api/v2/users/account", class = "read",
  },
  listWorkers = {
    method = "GET", path = "/api/v2/workers", class = "read",
    query = { offset = PAGE, limit = LIMIT, keyword = STRING },
    list_key = "scraper",
  },
  getWorker = {
    method = "GET", path = "/api/v2/workers/{workerId}", class = "read",
  },
  getWorkerInputSchema = {
    method = "GET", path = "/api/v2/workers/{workerId}/input-schema", class = "read", public = true,
  },
  runWorker = {
    method = "POST", path = "/api/v2/workers/{workerId}/runs", class = "paid",
    body = {
      callback_url = URL, input = ANY, is_async = BOOLEAN, limit = LIMIT, offset = PAGE,
      version = STRING,
    },
  },
  listWorkerTasks = {
    method = "GET", path = "/api/v2/worker-tasks", class = "read",
    query = { offset = PAGE, limit = LIMIT, worker_id = STRING, keyword = STRING },
    list_key = "list",
  },
  createWorkerTask = {
    method = "POST", path = "/api/v2/worker-tasks", class = "paid",
    body = {
      input = NEED_ANY, title = NEED_STRING, worker_id = NEED_STRING, description = STRING,
      schedule_day = DAY, schedule_enabled = SWITCH, schedule_once_date = STRING,
      schedule_time = STRING, schedule_type = SCHEDULE, schedule_weekday = WEEKDAY,
      version = STRING,
    },
  },
  getWorkerTask = {
    method = "GET", path = "/api/v2/worker-tasks/{workerTaskId}", class = "read",
  },
  updateWorkerTask = {
    method = "PUT", path = "/api/v2/worker-tasks/{workerTaskId}", class = "write",
    body = {
      description = STRING, schedule_day = DAY, schedule_enabled = SWITCH,
      schedule_once_date = STRING, schedule_time = STRING, schedule_type = SCHEDULE,
      schedule_weekday = WEEKDAY, title = STRING,
    },
  },
  deleteWorkerTask = {
    method = "DELETE", path = "/api/v2/worker-tasks/{workerTaskId}", class = "write",
  },
  getWorkerTaskInput = {
    method = "GET", path = "/api/v2/worker-tasks/{workerTaskId}/input", class = "read",
  },
  updateWorkerTaskInput = {
    method = "PUT", path = "/api/v2/worker-tasks/{workerTaskId}/input", class = "write",
    body = { input = NEED_ANY, version = STRING },
  },
  runWorkerTask = {
    method = "POST", path = "/api/v2/worker-tasks/{workerTaskId}/runs", class = "paid",
    body = { callback_url = URL, is_async = BOOLEAN, limit = LIMIT, offset = PAGE },
  },
  listWorkerRuns = {
    method = "GET", path = "/api/v2/worker-runs", class = "read",
    query = {
      offset = PAGE, limit = LIMIT, worker_id = STRING, status = RUN_STATUS, start_time =
      INTEGER, end_time = INTEGER,
    },
    list_key = "list",
  },
  getWorkerRun = {
    method = "GET", path = "/api/v2/worker-runs/{runId}", class = "read",
  },
  abortWorkerRun = {
    method = "POST", path = "/api/v2/worker-runs/{runId}/abort", class = "write",
  },
  rerunWorkerRun = {
    method = "POST", path = "/api/v2/worker-runs/{runId}/rerun", class = "paid",
    body = { callback_url = URL, is_async = BOOLEAN, limit = LIMIT, offset = PAGE },
  },
  getWorkerRunLog = {
    method = "GET", path = "/api/v2/worker-runs/{runId}/log", class = "read",
  },
  listWorkerRunResults = {
    method = "GET", path = "/api/v2/worker-runs/{runId}/result", class = "read",
    query = { offset = PAGE, limit = LIMIT },
    list_key = "list",
  },
  exportWorkerRunResults = {
    method = "GET", path = "/api/v2/worker-runs/{runId}/result/export", class = "read",
    query = { format = FORMAT, filter_keys = STRING },
  },
  getLastWorkerRun = {
    method = "GET", path = "/api/v2/worker-runs/last", class = "read",
  },
  abortLastWorkerRun = {
    method = "POST", path = "/api/v2/worker-runs/last/abort", class = "last",
  },
  rerunLastWorkerRun = {
    method = "POST", path = "/api/v2/worker-runs/last/rerun", class = "last",
    body = { callback_url = URL, is_async = BOOLEAN, limit = LIMIT, offset = PAGE },
  },
  getLastWorkerRunLog = {
    method = "GET", path = "/api/v2/worker-runs/last/log", class = "read",
  },
  listLastWorkerRunResults = {
    method = "GET", path = "/api/v2/worker-runs/last/result", class = "read",
    query = { offset = PAGE, limit = LIMIT },
    list_key = "list",
  },
  exportLastWorkerRunResults = {
    method = "GET", path = "/api/v2/worker-runs/last/export", class = "read",
    query = { format = FORMAT, filter_keys = STRING },
  },
  getWorkerLastRun = {
    method = "GET", path = "/api/v2/workers/{workerId}/runs/last", class = "read",
  },
  abortWorkerLastRun = {
    method = "POST", path = "/api/v2/workers/{workerId}/runs/last/abort", class = "last",
  },
  rerunWorkerLastRun = {
    method = "POST", path = "/api/v2/workers/{workerId}/runs/last/rerun", class = "last",
    body = { callback_url = URL, is_async = BOOLEAN, limit = LIMIT, offset = PAGE },
  },
  getWorkerLastRunLog = {
    method = "GET", path = "/api/v2/workers/{workerId}/runs/last/log", class = "read",
  },
  listWorkerLastRunResults = {
    method = "GET", path = "/api/v2/workers/{workerId}/runs/last/result", class = "read",
    query = { offset = PAGE, limit = LIMIT },
    list_key = "list",
  },
  exportWorkerLastRunResults = {
    method = "GET", path = "/api/v2/workers/{workerId}/runs/last/export", class = "read",
    query = { format = FORMAT, filter_keys = STRING },
  },
  queuedRunWorker = {
    method = "POST", path = "/api/v2/workers/{workerId}/queued-runs", class = "paid",
    body = {
      callback_url = URL, input = ANY, is_async = BOOLEAN, limit = LIMIT, offset = PAGE,
      version = STRING,
    },
  },
  listRunQueueItems = {
    method = "GET", path = "/api/v2/run-queue/items", class = "read",
    query = { offset = PAGE, limit = LIMIT, status = QUEUE_STATUS },
    list_key = "list",
  },
  activateRunQueueItems = {
    method = "POST", path = "/api/v2/run-queue/items/activate", class = "write",
    body = { queue_refs = REFS },
  },
  releaseRunQueueItems = {
    method = "POST", path = "/api/v2/run-queue/items/release", class = "write",
    body = { queue_refs = REFS, reason = STRING },
  },
  releaseRunQueueItem = {
    method = "POST", path = "/api/v2/run-queue/items/{queueId}/release", class = "write",
    body = { reason = STRING },
  },
}
