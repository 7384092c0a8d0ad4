--- A run: one execution of a Worker.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local json = require "coreclaw.json"
local lazy = require "coreclaw.lazy"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local readback, watch = lazy.module "coreclaw.readback", lazy.module "coreclaw.watch"

---@class coreclaw.Run
---@field slug string             the run's id (`run_slug`)
---@field status coreclaw.RunStatus|string|nil  nil until it was read
---@field results_count integer   rows so far, or in the end (the API's `results`)
---@field request_id string?      of the call that started it: what the platform's support asks for
---@field scraper_slug string?    the Worker
---@field scraper_title string?
---@field version string?         version that ran
---@field usage string?           cost, a decimal in a string
---@field traffic integer?
---@field origin string?          "api", "web", …
---@field started_at integer?     Unix seconds; 0 when not yet
---@field finished_at integer?    Unix seconds; 0 when not yet
---@field duration integer?       seconds
---@field err_msg string?         may be absent on failed runs; the log tells more
---@field raw table?              the last answer's data as it came
local Run = { __name = "coreclaw.Run" }
Run.__index = Run

lazy.functions(Run, "coreclaw.rows", { "results", "pages", "results_page" })
lazy.functions(Run, "coreclaw.logs", { "log", "logs" })
lazy.functions(Run, "coreclaw.verdict", { "verdict" })
lazy.functions(Run, "coreclaw.export", { "export", "export_url", "download_log" })

---@alias coreclaw.RunStatus "ready"|"running"|"succeeded"|"failed"|"aborting"|"aborted"

-- What a serialised run begins with; a slug never does.
local SERIALIZED = "coreclaw-run:"
local SERIALIZED_FIELDS = {
  slug = "string", status = "string", results_count = "number", scraper_slug = "string", request_id = "string",
}

local FINAL = { succeeded = true, failed = true, aborted = true }

-- The API's fields that a handle shows under their own names: texts, and numbers, which may be strings of
-- digits. Others stay in `raw`, where they cannot hide a method.
local TEXTS = { "status", "scraper_slug", "scraper_title", "version", "origin", "err_msg" }
local NUMBERS = { "usage", "traffic", "started_at", "finished_at", "duration" }

local TIMEOUT = { type = "seconds" }

local WAIT = {
  timeout = { type = "seconds", default = 3600 },
  on_update = { type = "callable" },
  poll_intervals = { type = "table" },
}
local RERUN = { callback_url = { type = "url" }, label = { type = "text" }, timeout = TIMEOUT }
local ONLY_TIMEOUT = { timeout = TIMEOUT }

local run = { FINAL = FINAL }

---Makes a handle. `fields` are what is known already.
---@return coreclaw.Run
function run.new(client, slug, fields)
  local self = { slug = slug, results_count = 0, status = nil, client = client }
  for name, value in pairs(fields or {}) do self[name] = value end
  return setmetatable(self, Run)
end

---Is this value a run handle?
function run.is(value)
  return type(value) == "table" and getmetatable(value) == Run
end

function Run:__tostring()
  return string.format("coreclaw.Run %s (%s, %d rows)", self.slug, self.status or "not read yet",
    self.results_count)
end

local function take(self, data, names, numbers, key, length)
  for i = 1, #names do
    local name = names[i]
    local value = data[name]
    if type(value) == "string" then
      -- A Worker may repeat what the platform called it with. What is shorter than the key cannot hold it.
      if #value >= length then
        value = errors.mask(value, key)
        data[name] = value
      end
      self[name] = value
    elseif numbers and type(value) == "number" then
      self[name] = value
    end
  end
end

---Takes over what a run record of the API says.
---@param self coreclaw.Run
---@param data table
---@return coreclaw.Run
function run.absorb(self, data)
  local key = config.secret(self.client.settings)
  local length = key and key:length() or math.huge
  self.raw = data
  take(self, data, TEXTS, false, key, length)
  take(self, data, NUMBERS, true, key, length)
  local count = data.results
  if type(count) == "number" and count % 1 == 0 and count >= 0 then self.results_count = count end
  return self
end

---Makes a handle of a run record of the API; nil for a record without a slug.
---@return coreclaw.Run?
function run.of(client, record)
  if type(record) ~= "table" or not url.usable(record.slug) then return nil end
  return run.absorb(run.new(client, record.slug), record)
end

---The handle of a run that an operation found, or the error that there is none.
---@return coreclaw.Run?
---@return coreclaw.Error?
function run.found(client, record, operation, behind)
  local handle = run.of(client, record)
  if handle then return handle, nil, behind end
  return nil, answer.unusable("the answer holds no run with a usable slug", operation)
end

---Reads what `run:serialize()` wrote; nil for a text that is something else, a slug for instance.
---@param text string
---@return table? fields
function run.deserialize(text)
  if text:sub(1, #SERIALIZED) ~= SERIALIZED then return nil end
  local decoded = json.decode(text:sub(#SERIALIZED + 1))
  local fields = {}
  -- Nothing but what `serialize` writes: a text from elsewhere must not put anything over a method.
  for name, kind in pairs(SERIALIZED_FIELDS) do
    local value = type(decoded) == "table" and decoded[name]
    if type(value) == kind then fields[name] = value end
  end
  return fields
end

---The run as a short text, to be kept and given to `client:run` later, by whatever process.
---Holds no key.
---@return string
function Run:serialize()
  return SERIALIZED .. json.encode {
    slug = self.slug, status = self.status, results_count = self.results_count,
    scraper_slug = self.scraper_slug, request_id = self.request_id,
  }
end

local function path(self)
  return { runId = self.slug }
end

---Has the run come to its end? (`aborting` has not.)
---@return boolean
function Run:is_final()
  return FINAL[self.status] == true
end

---Reads the run's state anew. Calls `getWorkerRun`.
---@param options { timeout: number? }?  seconds for the whole call
---@return coreclaw.Run?   itself, with new fields
---@return coreclaw.Error?
function Run:reload(options)
  options = validate.options("run:reload", options, ONLY_TIMEOUT)
  local envelope, err, behind = http.call(self.client, "getWorkerRun", { path = path(self) }, options)
  if not envelope then
    err.run = self
    return nil, err
  end
  local data, why = answer.data(envelope, "getWorkerRun")
  if data and (type(data.status) ~= "string" or data.status == "") then
    why = answer.unusable("the run's detail has no status", "getWorkerRun",
      { request_id = answer.request_id(envelope, self.client) })
  end
  if why then
    why.run = self
    return nil, why
  end
  return run.absorb(self, data), nil, behind
end

---Waits until the run has ended. Polls `getWorkerRun` after 2, 2, 3, 5, 8, 10, then every 15
---seconds, ± 20 %; four and more waits of one client that go on at the same time read `listWorkerRuns`
---together instead, as far as it shows their runs. A run that stays `aborting` is returned as it is
---after ten further reads.
---On timeout: error `wait_timeout` with the run in it; the run goes on. It goes on as well when
---`on_update` returns false: error `cancelled`.
---@param options { timeout: number?, on_update: (fun(run: coreclaw.Run): boolean?)?, poll_intervals: number[]? }?
---  timeout in seconds, default 3600, 0 = none; on_update is called after each read
---@return coreclaw.Run?   itself: look at `status`
---@return coreclaw.Error?
function Run:wait(options)
  options = validate.options("run:wait", options, WAIT)
  local watching = watch.new(self, options.timeout,
    config.intervals("run:wait", options.poll_intervals), options.on_update)
  watching.absorb = run.absorb
  local just_started = self.raw == nil and self.status ~= nil
  while not watching:settled() do
    if just_started and not watching:pause() then return nil, watching:expired() end
    just_started = true
    local ok, err = watching:read()
    if ok == nil then return nil, err end
  end
  return self
end

-- An abort whose first answer was lost is refused the second time: then the state decides.
local function aborted_already(self, err, seconds)
  return readback.helps(err) and self:reload { timeout = seconds() }
    and (self.status == "aborting" or self.status == "aborted")
end

---Asks the platform to abort the run. Success means accepted, not done: `wait` or `reload` tell.
---A run that has ended gives error `run_conflict`. Calls `abortWorkerRun`.
---@param options { timeout: number? }?
---@return coreclaw.Run?
---@return coreclaw.Error?
function Run:abort(options)
  options = validate.options("run:abort", options, ONLY_TIMEOUT)
  local seconds = readback.time(self.client, options)
  local envelope, err, behind = http.call(self.client, "abortWorkerRun", { path = path(self) }, options)
  if not envelope and not aborted_already(self, err, seconds) then
    err.run = self
    return nil, err
  end
  return self, nil, behind
end

---Starts the run's Worker again with the same input: a new run, which is paid for.
---Calls `rerunWorkerRun`.
---@param options { callback_url: string?, label: string?, timeout: number? }?
---@return coreclaw.Run?   the new run
---@return coreclaw.Error?
function Run:rerun(options)
  options = validate.options("run:rerun", options, RERUN)
  local params = { path = path(self), body = { callback_url = options.callback_url } }
  local again, err, _, behind = run.start(self.client, "rerunWorkerRun", params, options,
    { scraper_slug = self.scraper_slug, scraper_title = self.scraper_title })
  if again then return again, nil, behind end
  err.run, err.worker = self, err.worker or self.scraper_slug
  return nil, err
end

---Calls an operation that starts a run, and makes the handle of its answer. A success without a
---run id is an outcome that nobody can know.
---@return coreclaw.Run?
---@return coreclaw.Error?
function run.start(client, operation, params, options, fields)
  local since = math.floor(core.time())
  local envelope, err, behind = http.call(client, operation, params, options)
  if not envelope then return nil, err end
  local data, why = answer.data(envelope, operation)
  if data and not url.usable(data.run_slug) then
    why = answer.unusable("the platform accepted the start but gave no usable run_slug", operation,
      { request_id = answer.request_id(envelope, client) })
  end
  if why then
    return nil, http.unknown_outcome(why, { params = params, intent = behind and behind.intent }, since)
  end
  local handle = run.new(client, data.run_slug, fields)
  handle.status, handle.request_id = "ready", answer.request_id(envelope, client)
  client.started:add(handle.slug)
  return handle, nil, data, behind
end

return run
