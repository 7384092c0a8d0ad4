--- A Worker: a scraper of the platform, ready to be started.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local input = require "coreclaw.input"
local log = require "coreclaw.log"
local pages = require "coreclaw.pages"
local run = require "coreclaw.run"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

---@class coreclaw.Worker
---@field id string           as the API wants it: a slug, or owner~name
---@field title string?       where it came from a list
---@field description string?
---@field raw table?          the list entry as it came
local Worker = { __name = "coreclaw.Worker" }
Worker.__index = Worker

local TIMEOUT = { type = "seconds" }
local ONLY_TIMEOUT = { timeout = TIMEOUT }

local START = {
  system = { type = "table" },
  raw_input = { type = "table" },
  callback_url = { type = "url" },
  version = { type = "text" },
  timeout = TIMEOUT,
}

local function extend(base, extra)
  local out = {}
  for name, rule in pairs(base) do out[name] = rule end
  for name, rule in pairs(extra) do out[name] = rule end
  return out
end

local CALL = extend(START, {
  on_update = { type = "callable" },
  poll_intervals = { type = "table" },
  timeout = { type = "seconds", default = 3600 },
})

local SYNC = extend(START, {
  limit = { type = "integer", min = 1, max = 100 },
  page = { type = "integer", min = 1 },
  skip_internal = { type = "boolean", default = true },
})

-- The platform holds a sync call for at most 300 seconds; what comes after that is a lost answer.
local SYNC_TIMEOUT = 330

local worker = {}

---Makes a handle; the id is checked. A handle is taken as well, a run is refused.
---@return coreclaw.Worker
function worker.new(client, id, where, fields)
  if getmetatable(id) == Worker then id = id.id end
  if run.is(id) then
    validate.fail(where .. ": a Worker is wanted, but a run handle came (" .. id.slug
      .. "); a run's Worker is its scraper_slug")
  end
  local self = { id = url.worker_id(id, where), client = client }
  for name, value in pairs(fields or {}) do self[name] = value end
  return setmetatable(self, Worker)
end

---Makes a handle of an entry of a list of Workers; `path` is the id to use, else `slug`.
function worker.of(client, item)
  local function text(name)
    return type(item[name]) == "string" and item[name] ~= "" and item[name] or nil
  end
  return worker.new(client, text "path" or text "slug", "list of Workers", {
    title = text "title", description = text "description", raw = item,
  })
end

function Worker:__tostring()
  return "coreclaw.Worker " .. self.id
end

local function path(self)
  return { workerId = self.id }
end

local function fetch(self, operation, options)
  local envelope, err = http.call(self.client, operation, { path = path(self) }, options)
  if not envelope then
    err.worker = self.id
    return nil, err
  end
  return answer.data(envelope)
end

---The Worker's detail: name, username, version, readme, parameters. Calls `getWorker`.
---@param options { timeout: number? }?  seconds for the whole call
---@return table?
---@return coreclaw.Error?
function Worker:detail(options)
  return fetch(self, "getWorker", validate.options("worker:detail", options, ONLY_TIMEOUT))
end

---The Worker's input schema, in whichever of its two shapes the platform has it. Needs no key.
---Calls `getWorkerInputSchema`.
---@param options { timeout: number? }?
---@return table?
---@return coreclaw.Error?
function Worker:input_schema(options)
  options = validate.options("worker:input_schema", options, ONLY_TIMEOUT)
  local data, err = fetch(self, "getWorkerInputSchema", options)
  if not data then return nil, err end
  return type(data.input_schema) == "table" and data.input_schema or data
end

local function start_params(self, where, custom, options)
  return {
    path = path(self),
    body = {
      input = input.build(where, custom, options),
      callback_url = options.callback_url,
      version = options.version,
    },
  }
end

---Starts a run and returns at once. The table becomes `input.parameters.custom`.
---Never repeated when its outcome is unknown: error `unknown_outcome`. Calls `runWorker`.
---@param custom table?  the Worker's own fields
---@param options { system: table?, raw_input: table?, callback_url: string?, version: string?, timeout: number? }?
---  system: resources, e.g. { memory = 512, proxy_region = "PT" }; raw_input: the whole `input`
---  instead of both; version: a concrete one, newest when absent
---@return coreclaw.Run?
---@return coreclaw.Error?
function Worker:start(custom, options)
  options = validate.options("worker:start", options, START)
  local params = start_params(self, "worker:start", custom, options)
  params.body.is_async = true
  local handle, err = run.start(self.client, "runWorker", params, options)
  return handle, err
end

-- A run that ended otherwise than well, as an error that tells what the log tells.
local function failure(handle)
  local aborted = handle.status ~= "failed"
  local message = "run " .. handle.slug .. " ended as " .. handle.status
  local run_log = handle:log { timeout = 20 }
  local why = run_log and log.last_error(run_log.entries) or handle.err_msg
  if why and why ~= "" then message = message .. ": " .. why end
  return errors.new {
    kind = aborted and "run_aborted" or "run_failed",
    message = message, operation = "runWorker", run = handle, sent = "yes",
    request_id = handle.request_id,
  }
end

-- Waits for a run within what is left of a call's time.
local function wait(handle, options, started)
  local rest = 0
  if options.timeout > 0 then rest = math.max(options.timeout - (core.now() - started), 0.001) end
  return handle:wait {
    timeout = rest, on_update = options.on_update, poll_intervals = options.poll_intervals,
  }
end

---Starts a run, waits for its end, and returns it if it succeeded. Otherwise nil and an error:
---`run_failed` or `run_aborted` with the run in it and the log's last error in the message.
---@param custom table?
---@param options table?  of `worker:start` and `run:wait`; timeout: seconds for all of it, default 3600
---@return coreclaw.Run?
---@return coreclaw.Error?
function Worker:call(custom, options)
  options = validate.options("worker:call", options, CALL)
  local params = start_params(self, "worker:call", custom, options)
  params.body.is_async = true
  local started, usual = core.now(), self.client.settings.timeout
  local timeout = options.timeout > 0 and math.min(options.timeout, usual) or usual
  local handle, err = run.start(self.client, "runWorker", params, { timeout = timeout })
  if not handle then return nil, err end
  local ok
  ok, err = wait(handle, options, started)
  if not ok then return nil, err end
  if handle.status ~= "succeeded" then return nil, failure(handle) end
  return handle
end

---@class coreclaw.SyncResult: coreclaw.Page
---@field run coreclaw.Run     the run; read on with `run:results()`, or `run:wait()` if it was cut
---@field status string        the run's status when the platform answered
---@field finished boolean     false: the platform stopped waiting (5 minutes), the run goes on

local function sync_result(handle, data, options)
  handle.status = type(data.run_status) == "string" and data.run_status or nil
  handle.started_at = data.execution_start_timestamp
  handle.finished_at = data.execution_end_timestamp
  handle.duration = data.running_duration
  local window = type(data.results) == "table" and data.results or {}
  local result = pages.read(window, "list", options.page or 1, options.limit or 20,
    options.skip_internal)
  handle.results_count = result.count or 0
  result.run, result.status, result.raw = handle, handle.status, data
  result.finished = handle:is_final() and data.is_finished ~= false
  return result
end

---Starts a run and lets the platform hold the answer until the run has ended, at most 5 minutes;
---the answer shows a window of the rows. Calls `runWorker` with `is_async = false`.
---@param custom table?
---@param options table?  of `worker:start`, and the window: limit 1–100 (20), page from 1;
---  timeout default 330 seconds
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
function Worker:run_sync(custom, options)
  options = validate.options("worker:run_sync", options, SYNC)
  local params = start_params(self, "worker:run_sync", custom, options)
  local body = params.body
  body.is_async, body.limit, body.offset = false, options.limit, options.page
  local timeout = options.timeout or SYNC_TIMEOUT
  local handle, err, data = run.start(self.client, "runWorker", params,
    { timeout = timeout, request_timeout = timeout, idle_timeout = 0 })
  if not handle then return nil, err end
  local result = sync_result(handle, data, options)
  if result.finished and handle.status ~= "succeeded" then
    err = failure(handle)
    err.result = result
    return nil, err
  end
  return result
end

return worker
