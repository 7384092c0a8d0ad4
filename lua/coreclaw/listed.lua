--- The records of many runs, with few requests: the run list shows up to 100 runs at once.
--
-- It lists one calendar month, newest first (API.md 16), and need not show everything: runs too far down,
-- runs too new to be listed.

local months = require "coreclaw.months"
local pages = require "coreclaw.pages"

local core = require "coreclaw.core"

local LIMIT = 100

-- So few runs are asked for one by one at the same price.
local FEW = 1

-- Seconds by which the platform's clock may be behind ours.
local SLACK = 600

local listed = { FEW = FEW }

local function source(of, window, timeout)
  return {
    client = of.client, operation = "listWorkerRuns", options = { timeout = timeout },
    query = { worker_id = of.worker_id, start_time = window.start_time, end_time = window.end_time },
  }
end

-- The months to list: the current one needs no times. API v1 knows no times.
local function windows(client, since)
  if client.settings.api == "v1" then return { {} } end
  local list = months.windows(since - SLACK, nil, core.time())
  return #list > 1 and list or { {} }
end

-- Keeps those of a page's records that were looked for; returns how many these were.
local function keep(list, wanted, found)
  local n = 0
  for _, record in ipairs(list) do
    local slug = type(record) == "table" and record.slug
    if slug and wanted[slug] and not found[slug] and type(record.status) == "string" and record.status ~= "" then
      found[slug], n = record, n + 1
    end
  end
  return n
end

-- Reads one month's list, as long as that is cheaper than asking for the rest one by one.
local function read_window(of, wanted, found, left)
  local page = 1
  while left > math.max(FEW, page - 1) do
    local data, list = pages.fetch(of, page, LIMIT)
    if not data then return left, list end
    left = left - keep(list, wanted, found)
    if #list < LIMIT then break end
    page = page + 1
  end
  return left
end

---Looks for runs in the list.
---@param of { client: table, worker_id: string? }  whose runs; of one Worker, if given
---@param wanted table<string, any>  by their slugs
---@param count integer   how many these are
---@param since number    Unix seconds before which none of them was started
---@param timeout number? seconds for each request
---@return table<string, table> found  slug → record, of those that the list shows
---@return coreclaw.Error? err  why it was not read to its end
function listed.find(of, wanted, count, since, timeout)
  local found, left, err = {}, count, nil
  for _, window in ipairs(windows(of.client, since)) do
    left, err = read_window(source(of, window, timeout), wanted, found, left)
    if err or left <= FEW then break end
  end
  return found, err
end

return listed
