--- What every way to start something has in common: its options, its payload, its sync answer.

local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local input = require "coreclaw.input"
local json = require "coreclaw.json"
local log = require "coreclaw.log"
local pages = require "coreclaw.pages"
local run = require "coreclaw.run"

local start = {}

-- The platform holds a sync call for at most 300 seconds; what comes after that is a lost answer.
start.SYNC_TIMEOUT = 330

local TIMEOUT = { type = "seconds" }

---Options of a start with an input of its own.
start.INPUT = {
  system = { type = "table" },
  raw_input = { type = "table" },
  callback_url = { type = "url" },
  version = { type = "text" },
  check = { type = "boolean", default = false },
  label = { type = "text" },
  timeout = TIMEOUT,
}

---Options of a start whose input the platform has already.
start.SAVED = { callback_url = { type = "url" }, label = { type = "text" }, timeout = TIMEOUT }

---The window of a sync answer.
start.WINDOW = {
  limit = { type = "integer", min = 1, max = 100 },
  page = { type = "integer", min = 1 },
  skip_internal = { type = "boolean", default = true },
}

---One option table of several.
function start.options(...)
  local out = {}
  for _, spec in ipairs { ... } do
    for name, rule in pairs(spec) do out[name] = rule end
  end
  return out
end

---The body of a start.
---@param client table
---@param where string
---@param custom table?
---@param options table
function start.body(client, where, custom, options)
  return {
    input = input.build(where, custom, options, client.settings.defaults),
    callback_url = options.callback_url,
    version = options.version,
  }
end

---A run that ended otherwise than well, as an error that tells what the log tells.
---@param handle coreclaw.Run
---@param deadline number?  of the call (by the client's clock): the log is read for comfort, and never keeps it up
---@return coreclaw.Error
function start.failure(handle, deadline)
  local message = "run " .. handle.slug .. " ended as " .. tostring(handle.status)
  local rest = handle.client.clock:left(deadline or math.huge, 0.5)
  local run_log = handle:log { timeout = math.min(20, rest) }
  local why = run_log and log.last_error(run_log.entries) or handle.err_msg
  if why and why ~= "" then message = message .. ": " .. errors.mask(why, config.secret(handle.client.settings)) end
  return errors.new {
    kind = handle.status == "failed" and "run_failed" or "run_aborted",
    message = message, operation = "getWorkerRun", run = handle, sent = "yes",
    request_id = handle.request_id,
  }
end

---@class coreclaw.SyncResult: coreclaw.Page
---@field run coreclaw.Run     the run; read on with `run:results()`, or `run:wait()` if it was cut
---@field status string        the run's status when the platform answered
---@field finished boolean     false: the platform stopped waiting (5 minutes), the run goes on

-- Rows that cannot be read are no reason to say that there are none.
local function window_of(data, operation)
  local window = data.results
  if window == nil or window == json.null then return {} end
  if type(window) ~= "table" or rawget(window, 1) ~= nil then
    return nil, answer.unusable("the run was started, but the answer's results are " .. answer.show(window)
      .. ", not an object", operation)
  end
  local list, err = answer.list(window, "list", operation)
  return list and window, err
end

local function sync_result(handle, data, options, operation)
  local key = config.secret(handle.client.settings)
  for _, name in ipairs { "run_status", "error_message" } do
    if type(data[name]) == "string" then data[name] = errors.mask(data[name], key) end
  end
  handle.status = type(data.run_status) == "string" and data.run_status or nil
  local function number(name) return type(data[name]) == "number" and data[name] or nil end
  handle.started_at, handle.finished_at = number "execution_start_timestamp", number "execution_end_timestamp"
  handle.duration = number "running_duration"
  if type(data.error_message) == "string" and data.error_message ~= "" then handle.err_msg = data.error_message end
  local window, err = window_of(data, operation)
  if not window then
    err.run, err.request_id = handle, handle.request_id
    return nil, err
  end
  local result = pages.read(window, "list", options.page or 1, options.limit or 20,
    options.skip_internal)
  handle.results_count = result.count or 0
  result.run, result.status, result.raw = handle, handle.status, data
  result.finished = handle:is_final() and data.is_finished ~= false
  return result
end

---Starts synchronously: the platform holds the answer until the run has ended, or for 5 minutes.
---@param client table
---@param operation string
---@param params table      `body` gets is_async and the window
---@param options table     of start.WINDOW, and timeout
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
---@return coreclaw.Response?
function start.sync(client, operation, params, options)
  local body = params.body
  body.is_async, body.limit, body.offset = false, options.limit, options.page
  local timeout = options.timeout or start.SYNC_TIMEOUT
  local deadline = client.clock:deadline(timeout)
  local handle, err, data, behind = run.start(client, operation, params,
    { timeout = timeout, request_timeout = timeout, idle_timeout = 0, label = options.label })
  if not handle then return nil, err end
  local result
  result, err = sync_result(handle, data, options, operation)
  if not result then return nil, err end
  if result.finished and handle.status ~= "succeeded" then
    err = start.failure(handle, deadline)
    err.result = result
    return nil, err
  end
  return result, nil, behind
end

return start
