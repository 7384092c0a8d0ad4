--- Which operation of API v1 does the work of which of v2, and what v1 lacks.
--
-- v2 id → {
--   to, group   the operation of v1, and where its arguments go
--   take        parameter of v2 → { name in v1, converter?, required? }; a converter gives the
--               value for v1, or nil and how a message goes on after the parameter's name
--   fill        what v2 takes for granted and v1 must be told, in the words of v2
--   need        parameters that v1 insists on → what for
--   lack        parameters that v1 does not have → why not; or a function of the value, which
--               gives nil where v1 does just that unasked
--   known       function of the parameters: the data, where no request is needed for it
-- }

local json = require "coreclaw.json"
local input = require "coreclaw.v1.input"
local status = require "coreclaw.v1.status"
local validate = require "coreclaw.validate"

-- v2 writes a Worker as owner~name, v1 as owner/name; a slug is a slug.
local function slash(id)
  return (id:gsub("^([^~/]+)~([^~/]+)$", "%1/%2"))
end

local function status_number(word)
  local number = status.numbers[word]
  if number then return number end
  return nil, " must be one of " .. table.concat(status.words, ", ") .. " with API v1, got "
    .. validate.show(word)
end

local function v1_format(word)
  if word == "csv" or word == "json" then return word end
  return nil, " must be csv or json with API v1, got " .. validate.show(word)
    .. '; use api = "v2" for the others'
end

local function list_of_keys(text)
  local list = json.array {}
  for key in text:gmatch "[^,]+" do list[#list + 1] = key end
  return list
end

local WINDOW = "it has no window on the rows of a sync run"
local NO_TIMES = "its list of runs knows no times"

local function only_async(value)
  return value == false and "it starts tasks and repeats runs without waiting only" or nil
end

local WORKER = { "scraper_slug", slash, required = true }
local DETAIL = { workerId = { "slug", slash, required = true } }
local RUN = { "run_slug", required = true }
local TASK = { "task_slug", required = true }
local NEED_CALLBACK = { callback_url = "no task is run and no run repeated without one" }
local RESTART_LACKS = { is_async = only_async, offset = WINDOW, limit = WINDOW }

local function run_operation(to)
  return { to = to, group = "body", take = { runId = RUN } }
end

local operations = {
  listProxyRegions = {
    to = "proxyRegion", group = "query", take = {},
    lack = { language = "its names of regions come in one language" },
  },
  listStore = {
    to = "storeSearch", group = "query",
    take = { keyword = { "search" }, limit = { "limit" } },
    fill = { limit = 20 },
    need = { keyword = "it cannot list the whole store" },
    -- A search has one page. Asked for the next one, v1 would serve the first again.
    lack = { offset = function() return nil end },
    known = function(given)
      return (given.offset or 1) > 1 and { scraper = json.array {} } or nil
    end,
  },
  getAccount = { to = "accountInfo", group = "body", take = {} },
  getWorker = { to = "scraperDetail", group = "query", take = DETAIL },
  getWorkerInputSchema = { to = "scraperDetail", group = "query", take = DETAIL },
  runWorker = {
    to = "scraperRun", group = "body",
    take = {
      workerId = WORKER, version = { "version" }, input = { "input", input.full },
      is_async = { "is_async" }, callback_url = { "callback_url" },
    },
    fill = { is_async = true, input = {} },
    lack = { offset = WINDOW, limit = WINDOW },
  },
  runWorkerTask = {
    to = "taskRun", group = "body",
    take = { workerTaskId = TASK, callback_url = { "callback_url" } },
    need = NEED_CALLBACK, lack = RESTART_LACKS,
  },
  listWorkerRuns = {
    to = "runList", group = "body",
    take = {
      offset = { "page_index" }, limit = { "page_size" },
      worker_id = { "scraper_slug", slash }, status = { "status", status_number },
    },
    fill = { offset = 1, limit = 20 },
    lack = { start_time = NO_TIMES, end_time = NO_TIMES },
  },
  getWorkerRun = run_operation "runDetail",
  abortWorkerRun = run_operation "scraperAbort",
  getWorkerRunLog = run_operation "runLastLog",
  rerunWorkerRun = {
    to = "rerun", group = "body",
    take = { runId = RUN, callback_url = { "callback_url" } },
    need = NEED_CALLBACK, lack = RESTART_LACKS,
  },
  listWorkerRunResults = {
    to = "runResultList", group = "body",
    take = { runId = RUN, offset = { "page_index" }, limit = { "page_size" } },
    fill = { offset = 1, limit = 20 },
  },
  exportWorkerRunResults = {
    to = "runResultExport", group = "body",
    take = {
      runId = RUN, format = { "format", v1_format }, filter_keys = { "filter_keys", list_of_keys },
    },
    fill = { format = "csv", filter_keys = "" },
  },
}

local missing = {
  listWorkers = "the account's own Workers cannot be listed",
  listWorkerTasks = "saved tasks cannot be listed",
  createWorkerTask = "tasks cannot be saved",
  getWorkerTask = "a saved task cannot be read",
  updateWorkerTask = "a saved task cannot be changed",
  deleteWorkerTask = "a saved task cannot be deleted",
  getWorkerTaskInput = "the input of a saved task cannot be read",
  updateWorkerTaskInput = "the input of a saved task cannot be changed",
  getLastWorkerRun = "the account's newest run cannot be asked for",
  abortLastWorkerRun = "the account's newest run cannot be aborted",
  rerunLastWorkerRun = "the account's newest run cannot be repeated",
  getLastWorkerRunLog = "the log of the account's newest run cannot be read",
  listLastWorkerRunResults = "the results of the account's newest run cannot be read",
  exportLastWorkerRunResults = "the results of the account's newest run cannot be exported",
  getWorkerLastRun = "a Worker's newest run cannot be asked for",
  abortWorkerLastRun = "a Worker's newest run cannot be aborted",
  rerunWorkerLastRun = "a Worker's newest run cannot be repeated",
  getWorkerLastRunLog = "the log of a Worker's newest run cannot be read",
  listWorkerLastRunResults = "the results of a Worker's newest run cannot be read",
  exportWorkerLastRunResults = "the results of a Worker's newest run cannot be exported",
  queuedRunWorker = "runs cannot be queued",
  listRunQueueItems = "the run queue cannot be listed",
  activateRunQueueItems = "queued runs cannot be activated",
  releaseRunQueueItems = "queued runs cannot be released",
  releaseRunQueueItem = "a queued run cannot be released",
}

return { operations = operations, missing = missing }
