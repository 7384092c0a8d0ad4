--- The account's runs: the list across months, and the newest one.

local core = require "coreclaw.core"
local http = require "coreclaw.http"
local lazy = require "coreclaw.lazy"
local run = require "coreclaw.run"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local months, paging = lazy.module "coreclaw.months", lazy.module "coreclaw.paging"
local worker = lazy.module "coreclaw.worker"

local TIMEOUT = { type = "seconds" }
local LIST = {
  worker = { type = "any" },
  status = { type = "string", enum = { "ready", "running", "succeeded", "failed", "aborting" } },
  from = { type = "any" },
  to = { type = "any" },
  limit = { type = "integer", min = 1, max = 100, default = 100 },
  timeout = TIMEOUT,
}

-- Methods of the client.
local runs = { methods = {} }

-- The records of one window after the other.
local function records(client, windows, options, worker_id)
  local i, next_record, source = 0, nil, {}
  return function()
    while true do
      local record = next_record and next_record()
      if record then return record end
      i = i + 1
      local window = windows[i]
      if not window then return nil end
      source = {
        client = client, operation = "listWorkerRuns", objects = true, options = { timeout = options.timeout },
        fetched = source.fetched,
        query = {
          worker_id = worker_id, status = options.status,
          start_time = window.start_time, end_time = window.end_time,
        },
      }
      next_record = paging.items(paging.each(source, 1, options.limit, false))
    end
  end
end

---Iterates over runs, newest month first, as handles. The API lists one calendar month (UTC+8) at a
---time; this crosses them. Without `from`: the current month. Raises the error object.
---Calls `listWorkerRuns`.
---@param options coreclaw.RunsOptions?  worker: handle or id; status; from, to: Unix seconds or "YYYY-MM-DD" (days
---  of UTC+8, `to` included); limit: runs per request, 1–100 (100); timeout: seconds per request
---@return fun(): coreclaw.Run?
function runs.methods:runs(options)
  options = validate.options("client:runs", options, LIST)
  local from, to = months.range("client:runs", options.from, options.to)
  local worker_id = options.worker and worker.new(self, options.worker, "client:runs").id
  local next_record = records(self, months.windows(from, to, core.time()), options, worker_id)
  local keep = months.keep(from, to)
  return function()
    while true do
      local record = next_record()
      if not record then return nil end
      if keep(record) then
        local handle, err = run.found(self, record, "listWorkerRuns")
        return handle or error(err, 0)
      end
    end
  end
end

---The account's newest run, as a handle pinned to that run. Calls `getLastWorkerRun`.
---@param options { timeout: number? }?
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function runs.methods:last_run(options)
  options = validate.options("client:last_run", options, { timeout = TIMEOUT })
  local data, err, behind = http.data(self, "getLastWorkerRun", {}, options)
  if not data then return nil, err end
  return run.found(self, data, "getLastWorkerRun", behind)
end

---A handle to a run that was started elsewhere or earlier: by its slug, or by what
---`run:serialize()` wrote. Sends nothing; `run:reload()` reads it.
---@param slug string
---@return coreclaw.Run
function runs.methods:run(slug)
  if type(slug) == "table" and not run.is(slug) then
    validate.fail("client:run: a run's slug is wanted, got " .. validate.show(slug))
  end
  if run.is(slug) then slug = slug.slug end
  local fields = type(slug) == "string" and run.deserialize(slug) or nil
  if fields then slug = fields.slug end
  local handle = run.new(self, url.run_id(slug, "client:run"), fields)
  return handle
end

return runs
