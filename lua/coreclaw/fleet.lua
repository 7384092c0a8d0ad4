--- The states of many runs, with few requests: the run list shows up to 100 runs at once.
--
-- It lists one calendar month, newest first (API.md 16). What it does not show is asked for run by
-- run: runs too far down, runs too new to be listed, and all of them where there is no list to use.

local months = require "coreclaw.months"
local pages = require "coreclaw.pages"
local run = require "coreclaw.run"

local core = require "coreclaw.core"

local LIMIT = 100

-- So few runs are asked for one by one at the same price.
local FEW = 1

-- Seconds by which the platform's clock may be behind ours.
local SLACK = 600

local fleet = {}

local function source(fleet_of, window, timeout)
  return {
    client = fleet_of.client, operation = "listWorkerRuns", options = { timeout = timeout },
    query = {
      worker_id = fleet_of.worker_id, start_time = window.start_time, end_time = window.end_time,
    },
  }
end

-- The months to list: the current one needs no times. API v1 knows no times.
local function windows(client, since)
  if client.settings.api == "v1" then return { {} } end
  local list = months.windows(since - SLACK, nil, core.time())
  return #list > 1 and list or { {} }
end

-- Hands a page's records to their runs; returns how many of them were looked for.
local function absorb(list, missing)
  local found = 0
  for _, record in ipairs(list) do
    local handle = type(record) == "table" and missing[record.slug]
    if handle and type(record.status) == "string" then
      run.absorb(handle, record)
      missing[record.slug], found = nil, found + 1
    end
  end
  return found
end

-- Reads one month's list, as long as that is cheaper than asking for the rest one by one.
local function read_window(of, missing, left)
  local page = 1
  while left > math.max(FEW, page - 1) do
    local data, list = pages.fetch(of, page, LIMIT)
    if not data then return left, list end
    left = left - absorb(list, missing)
    if #list < LIMIT then break end
    page = page + 1
  end
  return left
end

local function by_slug(runs)
  local missing = {}
  for _, handle in ipairs(runs) do missing[handle.slug] = handle end
  return missing
end

---Reads the states of runs into their handles.
---@param fleet_of { client: table, worker_id: string? }  whose runs; of one Worker, if given
---@param runs coreclaw.Run[]
---@param since number    Unix seconds before which none of them was started
---@param timeout number? seconds for each request
---@return table<coreclaw.Run, coreclaw.Error> failures  of runs whose state could not be read
function fleet.read(fleet_of, runs, since, timeout)
  local missing, left, err, failures = by_slug(runs), #runs, nil, {}
  if left > FEW then
    for _, window in ipairs(windows(fleet_of.client, since)) do
      left, err = read_window(source(fleet_of, window, timeout), missing, left)
      if err or left <= FEW then break end
    end
  end
  for _, handle in ipairs(runs) do
    if missing[handle.slug] then
      -- A list that fails for now would fail for each run as well; all of them are read next time.
      local ok, failure = nil, err and (err.retryable or err.kind == "cancelled") and err
      if not failure then ok, failure = handle:reload { timeout = timeout } end
      if not ok then failures[handle] = failure end
    end
  end
  return failures
end

return fleet
