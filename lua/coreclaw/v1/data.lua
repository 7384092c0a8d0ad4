--- The data of an answer of API v1 in the shape that the operation has in v2.

local json = require "coreclaw.json"
local status = require "coreclaw.v1.status"

local function copy(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

-- The detail of docs 2026-04 calls a scraper an actor.
local function read_run(data)
  local run = copy(data)
  run.status = status.word(run.status)
  if run.scraper_slug == nil then run.scraper_slug = run.actors_slug end
  if run.scraper_title == nil then run.scraper_title = run.actors_title end
  run.actors_slug, run.actors_title = nil, nil
  return run
end

local function read_runs(data)
  local page = copy(data)
  if type(data.list) == "table" then
    page.list = json.array {}
    for i, item in ipairs(data.list) do
      page.list[i] = type(item) == "table" and read_run(item) or item
    end
  end
  return page
end

-- Megabytes, whatever the name says.
local function read_worker(data)
  local worker = copy(data)
  local system = type(data.parameters) == "table" and data.parameters.system
  if type(system) == "table" and system.memory_bytes ~= nil then
    worker.parameters, system = copy(data.parameters), copy(system)
    if system.memory == nil then system.memory = system.memory_bytes end
    system.memory_bytes = nil
    worker.parameters.system = system
  end
  return worker
end

local function read_schema(data)
  local custom = type(data.parameters) == "table" and data.parameters.custom
  return { input_schema = type(custom) == "table" and custom or nil }
end

-- What a sync run answers is not written down for v1: take what looks like v2 or like a run.
local function read_start(data)
  local start = copy(data)
  if start.run_slug == nil then start.run_slug = start.slug end
  if start.run_status == nil then start.run_status = start.status end
  start.run_status = status.word(start.run_status)
  if json.is_array(start.results) then
    start.results = { count = #start.results, list = start.results }
  end
  return start
end

---Operation of v2 → function(data of v1) → data of v2; none where they are alike.
return {
  getWorker = read_worker,
  getWorkerInputSchema = read_schema,
  getWorkerRun = read_run,
  listWorkerRuns = read_runs,
  runWorker = read_start,
  runWorkerTask = read_start,
  rerunWorkerRun = read_start,
}
