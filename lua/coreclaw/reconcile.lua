--- After an unknown outcome: look whether the run was started after all. Only reads; starts nothing.
--
-- The platform has no idempotency key and does not tell a run's input, so the time is what can be
-- looked for: runs of that Worker which began within the window of the call, by the server's clock,
-- and which this client has not been given by another call.

local core = require "coreclaw.core"
local calendar = require "coreclaw.calendar"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local journal = require "coreclaw.journal"
local reader = require "coreclaw.journal.reader"
local run = require "coreclaw.run"
local validate = require "coreclaw.validate"

local OPTIONS = {
  margin = { type = "seconds", default = 3 },
  timeout = { type = "seconds" },
}

-- Methods of the client.
local reconcile = { methods = {} }

local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

-- Unix seconds of an HTTP date (IMF-fixdate, the only form that servers send today), or nil.
local function http_date(text)
  local day, month, year, h, m, s = (text or ""):match "(%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT"
  if not day or not MONTHS[month] then return nil end
  local days = calendar.day(tonumber(year), MONTHS[month], tonumber(day))
  return days * 86400 + tonumber(h) * 3600 + tonumber(m) * 60 + tonumber(s)
end

-- The Worker that an unknown start would have run.
function reconcile.worker_of(client, err, options)
  local path = err.path or {}
  if path.workerId then return path.workerId end
  if path.runId then
    local handle, why = run.new(client, path.runId):reload { timeout = options.timeout }
    return handle and handle.scraper_slug, why
  end
  local data, why = http.data(client, "getWorkerTask", { path = path }, { timeout = options.timeout })
  if not data then return nil, why end
  local function id(name) return type(data[name]) == "string" and data[name] ~= "" and data[name] or nil end
  return id "worker_slug" or id "worker_path"
end

-- One page of the newest runs, of a Worker or of all, and by how much the server's clock is ahead of ours.
local function newest(client, worker_id, options)
  local asked = core.time()
  local data, err, response = http.data(client, "listWorkerRuns",
    { query = { worker_id = worker_id and worker_id:gsub("/", "~"), offset = 1, limit = 100 } },
    { timeout = options.timeout })
  if not data then return nil, err end
  local there = http_date(response:header "date")
  local skew = there and there - math.floor((asked + core.time()) / 2) or 0
  return type(data.list) == "table" and data.list or {}, skew
end

-- A run that waits has no time yet; it may be the one.
function reconcile.in_window(record, window, skew, margin)
  local at = type(record.started_at) == "number" and record.started_at or 0
  return at == 0 or (at >= window.from + skew - margin and at <= window.to + skew + margin)
end

-- What the platform lists of a Worker from a time on. API v1 knows no times, but lists the newest first.
local function each_run(client, worker_id, from, options)
  if client.settings.api == "v2" then
    return client:runs { worker = worker_id, from = from, timeout = options.timeout }
  end
  local next_run, from_day = client:runs { worker = worker_id, timeout = options.timeout }, from - 86400
  return function()
    local handle = next_run()
    local at = handle and handle.started_at or 0
    return (at == 0 or at >= from_day) and handle or nil
  end
end

---All runs of a Worker that may belong to one of several windows, however many have come since.
---@param client table
---@param worker_id string
---@param items { window: table }[]
---@param options { margin: number, timeout: number? }
---@return coreclaw.Run[]?
---@return number|coreclaw.Error  by how much the server's clock is ahead of ours; or what failed
function reconcile.runs_of(client, worker_id, items, options)
  local from = math.huge
  for _, item in ipairs(items) do from = math.min(from, item.window.from) end
  local list, skew = newest(client, worker_id, options)
  if not list then return nil, skew end
  local found = {}
  local ok, err = pcall(function()
    for handle in each_run(client, worker_id, from + skew - options.margin, options) do
      found[#found + 1] = handle
    end
  end)
  if not ok and not errors.is(err) then error(err, 0) end
  if not ok then return nil, err end
  return found, skew
end

-- Runs of which the journal knows to whom they belong.
local function owned_by_others(client, intent)
  local path = client.settings.journal
  local content = path and reader.read(path)
  local owned = {}
  for slug, id in pairs(content and content.owned or {}) do owned[slug] = id ~= intent end
  return owned
end

local function candidates(client, list, err, skew, margin)
  local found, owned = {}, owned_by_others(client, err.intent)
  for _, record in ipairs(list) do
    local handle = run.of(client, record)
    if handle and not client.started:has(handle.slug) and not owned[handle.slug]
      and reconcile.in_window(record, err.window, skew, margin) then
      found[#found + 1] = handle
    end
  end
  return found
end

local function undecided(err, found)
  local message = #found == 0 and "no run of that time is to be seen (yet): it may not have been started"
    or #found .. " runs were started at that time, any of them may be the one"
  return errors.new {
    kind = "unknown_outcome", message = message, cause = err, candidates = found,
    operation = err.operation, worker = err.worker, intent = err.intent, window = err.window, path = err.path,
    sent = "unknown",
  }
end

local function check(err)
  if not errors.is(err) or err.kind ~= "unknown_outcome" then
    validate.fail("client:reconcile: an error of kind unknown_outcome is wanted, got " .. validate.show(err))
  end
  local path = err.path or {}
  if err.operation == "rerunLastWorkerRun" then return end -- of whatever Worker
  if not (path.workerId or path.runId or path.workerTaskId) or err.operation == "queuedRunWorker" then
    validate.fail("client:reconcile: " .. tostring(err.operation) .. " starts no run to look for")
  end
end

---Looks for the run that a call with `unknown_outcome` may have started. Exactly one candidate: its
---handle. None or several: nil and an `unknown_outcome` with `candidates`. Calls `listWorkerRuns`.
---@param err coreclaw.Error
---@param options { margin: number?, timeout: number? }?  margin: seconds of grace around the call, default 3
---@return coreclaw.Run?
---@return coreclaw.Error?
function reconcile.methods:reconcile(err, options)
  options = validate.options("client:reconcile", options, OPTIONS)
  check(err)
  local worker_id, why
  if err.operation ~= "rerunLastWorkerRun" then
    worker_id, why = reconcile.worker_of(self, err, options)
    if not worker_id then return nil, why or undecided(err, {}) end
  end
  local list, skew = newest(self, worker_id, options)
  if not list then return nil, skew end
  local found = candidates(self, list, err, skew, options.margin)
  if #found ~= 1 then return nil, undecided(err, found) end
  self.started:add(found[1].slug)
  if self.settings.journal and err.intent then
    local ok, trouble = journal.close(self, err.intent, "adopted", "run_slug", found[1].slug)
    if not ok then journal.warn(self, trouble.message) end
  end
  return found[1]
end

return reconcile
