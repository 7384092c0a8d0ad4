--- What each operation answers with in `data`: field → type, `?` behind a name that may be missing, { shape } for a
-- list of such things, "any" for anything. No field that is not named here may come. `false`: there is no data.

local M = {}

local page = { count = "integer", headers = { { key = "string", label = "string", ["format?"] = "string" } },
  list = { "object" }, page_index = "integer", page_size = "integer" }

local run = { slug = "string", scraper_slug = "string", scraper_title = "string", version = "string", status = "string",
  results = "integer", usage = "decimal", traffic = "integer", origin = "string", started_at = "integer",
  finished_at = "integer", duration = "integer" }

local function with(base, more)
  local out = {}
  for name, shape in pairs(base) do
    out[name] = shape
  end
  for name, shape in pairs(more) do
    out[name] = shape
  end
  return out
end

local worker = { slug = "string", title = "string", description = "string", name = "string", path = "string",
  username = "string" }

local task = { slug = "string", title = "string", version = "string", worker_title = "string", worker_slug = "string",
  worker_path = "string", platform_actors_id = "integer", input = "any", run_times = "integer", last_run_id = "integer",
  last_modified_at = "integer", schedule_enabled = "integer", schedule_type = "integer", ["schedule_time?"] = "string",
  ["schedule_weekday?"] = "integer", ["schedule_day?"] = "integer", ["schedule_once_date?"] = "string",
  created_at = "integer", updated_at = "integer" }

local log = { all_logs_url = "string", result_count = "integer",
  list = { { type = "integer", group = "string", content = "string", timestamp = "integer" } } }

local outcomes = { results = { { queue_ref = "string", success = "boolean", ["error?"] = "string" } } }
local started = { run_slug = "string" }
local export = { download_url = "string" }
local regions = { list = { { code = "string", name = "string" } } }
local parameters = { system = "object", custom = "object" }

M.sync_run = { run_slug = "string", run_status = "string", error_message = "string", result_message = "string",
  execution_start_timestamp = "integer", execution_end_timestamp = "integer", running_duration = "integer",
  results = page }
M.sync_rerun = { run_slug = "string", run_status = "string", is_finished = "boolean",
  execution_start_timestamp = "integer", execution_end_timestamp = "integer", running_duration = "integer",
  results = page }

M.v2 = {
  listProxyRegions = regions,
  listStore = { scraper = { worker } },
  getAccount = { balance = "decimal", balance_expiration_at = "integer" },
  listWorkers = { scraper = { worker } },
  getWorker = { name = "string", username = "string", version = "string", readme = "string", parameters = parameters },
  getWorkerInputSchema = { input_schema = "object" },
  runWorker = started,
  listWorkerTasks = { count = "integer", page_index = "integer", page_size = "integer",
    list = { with(task, { description = "string" }) } },
  createWorkerTask = { slug = "string" },
  getWorkerTask = with(task, { id = "integer", worker_id = "integer" }),
  updateWorkerTask = false,
  deleteWorkerTask = false,
  getWorkerTaskInput = { input = "any", version = "string" },
  updateWorkerTaskInput = false,
  runWorkerTask = started,
  listWorkerRuns = { count = "integer", list = { with(run, { ["err_msg?"] = "string" }) } },
  queuedRunWorker = { queued = "boolean", queue_ref = "string", queue_status = "string" },
  listRunQueueItems = { count = "integer", list = { { queue_ref = "string", queue_status = "string",
    worker_slug = "string", worker_title = "string", version = "string", created_at = "integer" } } },
  activateRunQueueItems = outcomes,
  releaseRunQueueItems = outcomes,
  releaseRunQueueItem = outcomes,
}

-- Three families of six: one run, the newest, the newest of a Worker.
for _, names in ipairs({
  { "getWorkerRun", "abortWorkerRun", "rerunWorkerRun", "getWorkerRunLog", "listWorkerRunResults",
    "exportWorkerRunResults" },
  { "getLastWorkerRun", "abortLastWorkerRun", "rerunLastWorkerRun", "getLastWorkerRunLog", "listLastWorkerRunResults",
    "exportLastWorkerRunResults" },
  { "getWorkerLastRun", "abortWorkerLastRun", "rerunWorkerLastRun", "getWorkerLastRunLog", "listWorkerLastRunResults",
    "exportWorkerLastRunResults" },
}) do
  for i, shape in ipairs({ run, false, started, log, page, export }) do
    M.v2[names[i]] = shape
  end
end

local run_v1 = with(run, { status = "integer", err_msg = "string" })

M.v1 = {
  scraperRun = started,
  scraperAbort = false,
  runList = { count = "integer", list = { run_v1 } },
  runDetail = run_v1,
  runResultList = page,
  runResultExport = export,
  runLastLog = log,
  rerun = started,
  taskRun = started,
  accountInfo = { balance = "decimal", traffic = "integer", traffic_expiration_at = "integer" },
  scraperDetail = { version = "string", readme = "string", parameters = parameters },
  storeSearch = { scraper = { { slug = "string", title = "string", description = "string" } } },
  proxyRegion = regions,
}

return M
