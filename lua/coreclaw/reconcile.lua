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
local paging = require "coreclaw.paging"
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

local DAY, ZONE = 86400, 8 * 3600

-- Seconds by which what is listed reaches beyond the windows; `place` looks more closely.
local PAD = 600

local function query_of(worker_id, more)
  more.worker_id = worker_id and worker_id:gsub("/", "~")
  return more
end

-- By how much the server's clock is ahead of ours.
local function skew_of(client, worker_id, options)
  local asked = core.time()
  local data, err, response = http.data(client, "listWorkerRuns",
    { query = query_of(worker_id, { offset = 1, limit = 1 }) }, { timeout = options.timeout })
  if not data then return nil, err end
  local there = http_date(response:header "date")
  return there and there - math.floor((asked + core.time()) / 2) or 0
end

-- API v1 knows no times, but lists the newest first: of the current month only, counted in UTC+8.
local function each_run_v1(client, worker_id, from, skew, options)
  local y, m = calendar.date(math.floor((from + ZONE) / DAY))
  local year, month = calendar.date(math.floor((core.time() + skew + ZONE) / DAY))
  if y ~= year or m ~= month then
    return nil, errors.new {
      kind = "not_implemented", operation = "listWorkerRuns", sent = "no",
      message = "API v1 lists the runs of the current month only, and this was in an earlier one: use api = \"v2\"",
    }
  end
  local next_run, from_day = client:runs { worker = worker_id, timeout = options.timeout }, from - DAY
  return function()
    local handle = next_run()
    local at = handle and handle.started_at or 0
    return (at == 0 or at >= from_day) and handle or nil
  end
end

-- What the platform lists of a Worker, or of all, from one time to another, by its clock.
local function each_run(client, worker_id, from, to, skew, options)
  if client.settings.api ~= "v2" then return each_run_v1(client, worker_id, from, skew, options) end
  return client:runs {
    worker = worker_id, from = math.max(from - PAD, 0), to = to + PAD, timeout = options.timeout,
  }
end

-- Iterators raise what fails.
local function collect(next_item)
  local found = {}
  local ok, err = pcall(function()
    for item in next_item do found[#found + 1] = item end
  end)
  if ok then return found end
  if not errors.is(err) then error(err, 0) end
  return nil, err
end

---All runs of a Worker that may belong to one of several windows, however many have come since.
---@param client table
---@param worker_id string?  nil: of all Workers
---@param items { window: table }[]
---@param options { margin: number, timeout: number? }
---@return coreclaw.Run[]?
---@return number|coreclaw.Error  by how much the server's clock is ahead of ours; or what failed
function reconcile.runs_of(client, worker_id, items, options)
  local from, to = math.huge, 0
  for _, item in ipairs(items) do
    from, to = math.min(from, item.window.from), math.max(to, item.window.to)
  end
  local skew, err = skew_of(client, worker_id, options)
  if not skew then return nil, err end
  local next_run
  next_run, err = each_run(client, worker_id, from + skew - options.margin, to + skew + options.margin, skew, options)
  if not next_run then return nil, err end
  local found
  found, err = collect(next_run)
  if not found then return nil, err end
  return found, skew
end

local function begun(record)
  return type(record.started_at) == "number" and record.started_at > 0
end

-- Runs that were created at or after a time (and within a day of it). Nil where it cannot be had: on a
-- month's last day, for the API adds a day to `end_time` and lists no two months.
local function created_since(client, worker_id, time, options)
  local list = collect(paging.items(paging.each({
    client = client, operation = "listWorkerRuns", objects = true, options = { timeout = options.timeout },
    query = query_of(worker_id, { start_time = time, end_time = time }),
  }, 1, 100, false)))
  local runs = {}
  for _, record in ipairs(list or {}) do runs[#runs + 1] = run.of(client, record) end
  return list and runs
end

-- Runs that were created within the window, whenever they began: listed from its beginning on, and not listed from
-- its end on. A platform that cares for the day only lists them both times, and nothing is proved; but not if the
-- two lie in two days.
local function proven(client, worker_id, from, to, options, free)
  if client.settings.api ~= "v2" then return {} end
  from, to = math.max(math.floor(from), 0), math.ceil(to) + 1
  for _, zone in ipairs { 0, ZONE } do
    if math.floor((from + zone) / DAY) ~= math.floor((to + zone) / DAY) then return {} end
  end
  local since = created_since(client, worker_id, from, options)
  local later = since and created_since(client, worker_id, to, options)
  local list, not_it = {}, {}
  for _, record in ipairs(later or {}) do not_it[record.slug] = true end
  for _, record in ipairs(later and since or {}) do
    if free(record.slug) and not not_it[record.slug] then list[#list + 1] = record end
  end
  return list
end

---The runs that may be the one of a window: those that began in it, or were created in it as far as the list tells.
---A run that has not begun tells no time; where the list does not either, it is one of doubt, and so is the outcome.
---@param client table
---@param worker_id string?
---@param records coreclaw.Run[]  of `reconcile.runs_of`
---@param window { from: number, to: number }  by our clock
---@param skew number
---@param options { margin: number, timeout: number? }
---@param free fun(slug: string): boolean  may it be looked at, or is it known to be another's?
---@return coreclaw.Run[]
---@return integer doubtful  so many of them may have been created at any time
function reconcile.place(client, worker_id, records, window, skew, options, free)
  local from, to = window.from + skew - options.margin, window.to + skew + options.margin
  local found, waiting = {}, {}
  for _, record in ipairs(records) do
    local list = not begun(record) and waiting
      or record.started_at >= from and record.started_at <= to and found
    if list and free(record.slug) then list[#list + 1] = record end
  end
  if #waiting == 0 and #found > 0 then return found, 0 end
  local sure, known = proven(client, worker_id, from, to, options, free), {}
  for _, record in ipairs(found) do known[record.slug] = true end
  for _, record in ipairs(#sure > 0 and sure or waiting) do
    if not known[record.slug] then found[#found + 1] = record end
  end
  return found, #sure > 0 and 0 or #waiting
end

---How doubt is put into words.
---@param n integer  runs that may be the one
---@param doubtful integer
---@return string
function reconcile.doubt(n, doubtful)
  local began = n > doubtful and string.format("%d began at that time and ", n - doubtful) or ""
  return string.format("%s%d run%s not begun and may have been created at any time: look again when %s",
    began, doubtful, doubtful > 1 and "s have" or " has", doubtful > 1 and "they have" or "it has")
end

-- Runs of which the journal knows to whom they belong.
local function owned_by_others(client, intent)
  local path = client.settings.journal
  local content = path and reader.read(path)
  local owned = {}
  for slug, id in pairs(content and content.owned or {}) do owned[slug] = id ~= intent end
  return owned
end

local function outcome(err, message, found, cause)
  return errors.new {
    kind = "unknown_outcome", message = message, cause = cause or err, candidates = found,
    operation = err.operation, worker = err.worker, intent = err.intent, window = err.window, path = err.path,
    sent = "unknown",
  }
end

local function undecided(err, found, doubtful)
  local message = #found .. " runs were started at that time, any of them may be the one"
  if #found == 0 then
    message = "no run of that time is to be seen (yet): it may not have been started"
  elseif doubtful > 0 then
    message = reconcile.doubt(#found, doubtful)
  end
  return outcome(err, message, found)
end

-- Nothing is known where the list could not be read to its end.
local function unread(err, why)
  return outcome(err, "it is not known whether it was started: the runs of that time could not all be read: "
    .. tostring(why), {}, why)
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
---handle. None, several, or one that has not begun and cannot be placed: nil and an `unknown_outcome` with
---`candidates`. Calls `listWorkerRuns`.
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
    if not worker_id then
      return nil, why or outcome(err, "it cannot be looked for: the platform does not tell the task's Worker", {})
    end
  end
  local list, skew = reconcile.runs_of(self, worker_id, { err }, options)
  if not list then return nil, unread(err, skew) end
  local owned = owned_by_others(self, err.intent)
  local function free(slug) return not owned[slug] and not self.started:has(slug) end
  local found, doubtful = reconcile.place(self, worker_id, list, err.window, skew, options, free)
  if #found ~= 1 or doubtful > 0 then return nil, undecided(err, found, doubtful) end
  self.started:add(found[1].slug)
  if self.settings.journal and err.intent then
    local ok, trouble = journal.close(self, err.intent, "adopted", "run_slug", found[1].slug)
    if not ok then journal.warn(self, trouble.message) end
  end
  return found[1]
end

return reconcile
