--- A Worker: a scraper of the platform, ready to be started.

local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local json = require "coreclaw.json"
local prepare = require "coreclaw.prepare"
local queue = require "coreclaw.queue"
local run = require "coreclaw.run"
local start = require "coreclaw.start"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"
local verdict = require "coreclaw.verdict"

---@class coreclaw.Worker
---@field id string           as the API wants it: a slug, or owner~name
---@field title string?       where it came from a list
---@field description string?
---@field raw table?          the list entry as it came
local Worker = { __name = "coreclaw.Worker" }
Worker.__index = Worker

local ONLY_TIMEOUT = { timeout = { type = "seconds" } }

local CALL = start.options(start.INPUT, {
  on_update = { type = "callable" },
  poll_intervals = { type = "table" },
  timeout = { type = "seconds", default = 3600 },
  require = { type = "string", enum = { "data" } },
})
local SYNC = start.options(start.INPUT, start.WINDOW)

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

---Is this value a Worker handle?
function worker.is(value)
  return type(value) == "table" and getmetatable(value) == Worker
end

---Makes a handle of an entry of a list of Workers; `path` is the id to use, else `slug`.
function worker.of(client, item)
  local function text(name)
    return type(item[name]) == "string" and item[name] ~= "" and item[name] or nil
  end
  local ok, handle = pcall(function()
    return worker.new(client, text "path" or text "slug", "list of Workers", {
      title = text "title", description = text "description", raw = item,
    })
  end)
  if ok then return handle end
  error(errors.new {
    kind = "bad_response", message = "an entry of the list of Workers has no usable path or slug",
    operation = "listStore", sent = "yes",
  }, 0)
end

function Worker:__tostring()
  return "coreclaw.Worker " .. self.id
end

local function path(self)
  return { workerId = self.id }
end

local function fetch(self, operation, options)
  local data, err, behind = http.data(self.client, operation, { path = path(self) }, options)
  if data then return data, nil, behind end
  err.worker = self.id
  return nil, err
end

---The Worker's detail: name, username, version, readme, parameters. Calls `getWorker`.
---@param options { timeout: number? }?  seconds for the whole call
---@return table?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:detail(options)
  return fetch(self, "getWorker", validate.options("worker:detail", options, ONLY_TIMEOUT))
end

---The Worker's input schema, in whichever of its two shapes the platform has it. Needs no key.
---Calls `getWorkerInputSchema`.
---@param options { timeout: number? }?
---@return table?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:input_schema(options)
  options = validate.options("worker:input_schema", options, ONLY_TIMEOUT)
  local data, err, behind = fetch(self, "getWorkerInputSchema", options)
  if not data then return nil, err end
  local schema = data.input_schema
  if schema == nil or schema == json.null or type(schema) == "string" then return data, nil, behind end
  if type(schema) ~= "table" then
    return nil, answer.unusable("the answer's input_schema is " .. answer.show(schema) .. ", not an object",
      "getWorkerInputSchema", { worker = self.id })
  end
  return schema, nil, behind
end

---The versions known of the Worker: the current one first, then those of this month's runs.
---The platform has no list of them. Calls `getWorker` and `listWorkerRuns`.
---@param options { timeout: number? }?
---@return string[]?
---@return coreclaw.Error?
function Worker:versions(options)
  options = validate.options("worker:versions", options, ONLY_TIMEOUT)
  local detail, err = fetch(self, "getWorker", options)
  if not detail then return nil, err end
  local data
  data, err = http.data(self.client, "listWorkerRuns",
    { query = { worker_id = self.id, offset = 1, limit = 100 } }, options)
  if not data then return nil, err end
  local list, seen = {}, {}
  local function add(version)
    if type(version) == "string" and version ~= "" and version ~= "latest" and not seen[version] then
      list[#list + 1], seen[version] = version, true
    end
  end
  add(detail.version)
  local records
  records, err = answer.list(data, "list", "listWorkerRuns", true)
  if not records then return nil, err end
  for _, record in ipairs(records) do add(record.version) end
  return list
end

---The Worker's newest run, as a handle pinned to that run; nil, `not_found` if there is none.
---Calls `getWorkerLastRun`.
---@param options { timeout: number? }?
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:last_run(options)
  options = validate.options("worker:last_run", options, ONLY_TIMEOUT)
  local data, err, behind = fetch(self, "getWorkerLastRun", options)
  if not data then return nil, err end
  return run.found(self.client, data, "getWorkerLastRun", behind)
end

---Checks an input against the Worker's schema (read once, then kept) and fills its defaults in.
---Calls `getWorkerInputSchema`.
---@param custom table?
---@param options { system: table?, defaults: boolean?, refresh: boolean?, timeout: number? }?
---  refresh: read the schema anew
---@return coreclaw.PreparedInput?  payload, custom, errors, warnings, subtasks, fields
---@return coreclaw.Error?
function Worker:prepare(custom, options)
  options = validate.options("worker:prepare", options, prepare.OPTIONS)
  return prepare.told(self, "worker:prepare", custom, options)
end

-- What a start sends; with `check`, what the schema makes of the input.
local function start_params(self, where, custom, options)
  if not options.check then
    return { path = path(self), body = start.body(self.client, where, custom, options) }
  end
  local clock = self.client.clock
  local started, timeout = clock.now(), options.timeout or self.client.settings.timeout
  local payload, err = prepare.checked(self, where, custom, options)
  if not payload then return nil, err end
  -- The schema was read in the call's own time.
  if timeout > 0 then options.timeout = math.max(timeout - (clock.now() - started), 0.001) end
  return {
    path = path(self),
    body = { input = payload, callback_url = options.callback_url, version = options.version },
  }
end

local function begin(self, where, custom, options, timeout)
  options = setmetatable({ timeout = timeout }, { __index = options })
  local params, err = start_params(self, where, custom, options)
  if not params then return nil, err end
  params.body.is_async = true
  local handle, data, behind
  handle, err, data, behind = run.start(self.client, "runWorker", params,
    { timeout = options.timeout, label = options.label })
  return handle, err, behind, data
end

---Starts a run and returns at once. The table becomes `input.parameters.custom`.
---Never repeated when its outcome is unknown: error `unknown_outcome`. Calls `runWorker`.
---@param custom table?  the Worker's own fields
---@param options coreclaw.StartOptions?
---  system: resources, e.g. { memory = 512, proxy_region = "PT" }; raw_input: the whole `input`
---  instead of both; version: a concrete one, newest when absent; check: see `worker:prepare`
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:start(custom, options)
  options = validate.options("worker:start", options, start.INPUT)
  local handle, err, behind = begin(self, "worker:start", custom, options, options.timeout)
  if not handle then return nil, err end -- and no third value: LuaJIT's assert would raise that one
  return handle, nil, behind
end

-- A run was started, whatever became of the requests after that: they must not look as if it was not.
local function after_start(handle, err)
  err.run, err.sent = err.run or handle, "yes"
  return nil, err
end

-- Waits for a run within what is left of a call's time.
local function wait(handle, options, started)
  local rest = 0
  if options.timeout > 0 then rest = math.max(options.timeout - (handle.client.clock.now() - started), 0.001) end
  return handle:wait {
    timeout = rest, on_update = options.on_update, poll_intervals = options.poll_intervals,
  }
end

---Starts a run, waits for its end, and returns it if it succeeded. Otherwise nil and an error:
---`run_failed` or `run_aborted` with the run in it and the log's last error in the message.
---@param custom table?
---@param options coreclaw.CallOptions?  of `worker:start` and `run:wait`; timeout: seconds for all of it, default
---  3600; require = "data": a run that brought only diagnostic rows, or none, is a failed one
---@return coreclaw.Run?
---@return coreclaw.Error?
function Worker:call(custom, options)
  options = validate.options("worker:call", options, CALL)
  options.poll_intervals = config.intervals("worker:call", options.poll_intervals)
  local started, usual = self.client.clock.now(), self.client.settings.timeout
  local deadline = options.timeout > 0 and started + options.timeout or math.huge
  local timeout = options.timeout > 0 and usual > 0 and math.min(options.timeout, usual)
    or math.max(options.timeout, usual)
  local handle, err = begin(self, "worker:call", custom, options, timeout)
  if not handle then return nil, err end
  local ok
  ok, err = wait(handle, options, started)
  if not ok then return after_start(handle, err) end
  if handle.status ~= "succeeded" then return nil, start.failure(handle, deadline) end
  err = options.require and verdict.without_data(handle, deadline)
  if err then return after_start(handle, err) end
  return handle
end

---Starts a run and lets the platform hold the answer until the run has ended, at most 5 minutes;
---the answer shows a window of the rows. Calls `runWorker` with `is_async = false`.
---@param custom table?
---@param options coreclaw.SyncOptions?  of `worker:start`, and the window: limit 1–100 (20), page from 1;
---  timeout default 330 seconds
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:run_sync(custom, options)
  options = validate.options("worker:run_sync", options, SYNC)
  local params, err = start_params(self, "worker:run_sync", custom, options)
  if not params then return nil, err end
  return start.sync(self.client, "runWorker", params, options)
end

---Puts a run into the queue instead of starting it; `item:activate()` starts it.
---Calls `queuedRunWorker`.
---@param custom table?
---@param options coreclaw.StartOptions?
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Worker:queue(custom, options)
  options = validate.options("worker:queue", options, start.INPUT)
  local params, err = start_params(self, "worker:queue", custom, options)
  if not params then return nil, err end
  return queue.add(self.client, params, options)
end

return worker
