-- What costs money, or makes something: each kind with its preparation, its call, and the entry of
-- the sandbox's books that it may make, once.

local errors = require "coreclaw.errors"

local paid = {}

-- Where an intent's number travels: a field that the Worker has no other use for.
local function input(trial)
  return { count = trial.rows, fail_message = trial.intent, fail_at = trial.fails and 1 or nil }
end

local function worker(trial)
  return trial.client:worker(trial.worker)
end

local function create_task(trial)
  return trial.client:create_task {
    worker = trial.worker, title = trial.intent, input = input(trial), timeout = trial.timeout,
  }
end

local function options(trial, more)
  local all = { timeout = trial.timeout }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

-- API v1 insists on an address for callbacks; nobody is there.
local function callback(trial)
  return trial.api == "v1" and { callback_url = trial.box.refused_url .. "/hook" } or nil
end

-- With all its time, before there are faults.
local function prepared(fn)
  return function(trial)
    local given = trial.timeout
    trial.timeout = 5
    trial.handle = assert(fn(trial))
    trial.timeout = given
  end
end

-- Several intents in one call; every item says what became of its own.
local function map(trial)
  local inputs, items = {}, {}
  for i = 1, trial.parts do
    inputs[i] = { count = 1, fail_message = trial.intent .. "_" .. i }
  end
  for item in trial.client:map(trial.worker, inputs, {
    concurrency = trial.limit, timeout = trial.timeout, wait_for_slot = false,
  }) do
    items[item.index] = item
  end
  return items
end

local kinds = {
  {
    name = "start", weight = 5, operation = "runWorker", runs = true,
    call = function(trial) return worker(trial):start(input(trial), options(trial)) end,
  },
  {
    name = "sync run", weight = 3, operation = "runWorker", runs = true, fails = true,
    also = { "getWorkerRunLog" },
    call = function(trial) return worker(trial):run_sync(input(trial), options(trial)) end,
  },
  {
    name = "task start", weight = 3, operation = "runWorkerTask", runs = true,
    prepare = prepared(create_task),
    call = function(trial) return trial.handle:start(options(trial, callback(trial))) end,
  },
  {
    name = "task sync run", weight = 1, operation = "runWorkerTask", runs = true, fails = true,
    also = { "getWorkerRunLog" },
    prepare = prepared(create_task),
    call = function(trial) return trial.handle:run_sync(options(trial)) end,
  },
  {
    name = "rerun", weight = 3, operation = "rerunWorkerRun", runs = true,
    prepare = prepared(function(trial) return worker(trial):start(input(trial), { timeout = 5 }) end),
    call = function(trial) return trial.handle:rerun(options(trial, callback(trial))) end,
  },
  {
    name = "queued run", weight = 3, operation = "queuedRunWorker", book = "queue",
    call = function(trial) return worker(trial):queue(input(trial), options(trial)) end,
  },
  {
    name = "create task", weight = 3, operation = "createWorkerTask", book = "tasks",
    call = create_task,
  },
  {
    name = "activate", weight = 2, operation = "activateRunQueueItems", booked = "queuedRunWorker",
    prepare = prepared(function(trial) return worker(trial):queue(input(trial), { timeout = 5 }) end),
    call = function(trial) return trial.handle:activate(options(trial)) end,
  },
  {
    name = "call", weight = 3, operation = "runWorker", runs = true, fails = true,
    also = { "getWorkerRun", "getWorkerRun", "getWorkerRunLog" },
    call = function(trial) return worker(trial):call(input(trial), options(trial)) end,
  },
  {
    name = "map", weight = 1, operation = "runWorker", runs = true, many = true, calls = 8,
    also = { "listWorkerRuns", "getWorkerRun" }, call = map,
  },
  {
    name = "request", weight = 1, operation = "runWorker", raw = true,
    call = function(trial)
      return trial.client:request {
        method = "POST", path = "/api/v2/workers/" .. trial.worker:gsub("/", "~") .. "/runs", timeout = trial.timeout,
        body = { input = { parameters = { custom = input(trial) } } },
      }
    end,
  },
}

-- API v1: other operations, the same handles. It saves no tasks and queues nothing.
local V1 = { ["start"] = "scraperRun", ["rerun"] = "rerun", ["task start"] = "taskRun" }

-- A task of v2, started by v1.
local function with_v1(kind)
  local copy = {}
  for name, value in pairs(kind) do copy[name] = value end
  copy.name, copy.operation, copy.api, copy.weight = kind.name .. " (v1)", V1[kind.name], "v1", 1
  if kind.name == "task start" then
    copy.prepare = function(trial)
      local client = trial.client
      trial.client = trial.lab:calm_client(trial.transport, "v2")
      kind.prepare(trial)
      trial.client = client
      trial.handle = client:task(trial.handle.slug)
    end
  end
  return copy
end

paid.kinds = {}
for _, kind in ipairs(kinds) do
  paid.kinds[#paid.kinds + 1] = kind
  if V1[kind.name] then paid.kinds[#paid.kinds + 1] = with_v1(kind) end
end

---The runs that a result stands for: one, or none.
function paid.run_of(trial, result)
  if trial.kind.raw then return type(result) == "table" and result.run_slug or nil end
  if not trial.kind.runs then return nil end
  local handle = result.run or result
  return handle.slug
end

---What a result says happened: "done", "not done", or "unknown" with an error; nil and why where it
---says nothing that may be said.
function paid.verdict(trial, result, err)
  if result ~= nil then
    -- What nobody looked into says nothing without a run in it.
    local slug = type(result) == "table" and result.run_slug
    if trial.kind.raw and (type(slug) ~= "string" or slug == "") then return "unknown" end
    return "done"
  end
  if not errors.is(err) then return nil, "neither a result nor an error object: " .. tostring(err) end
  local said = { no = "not done", refused = "not done", unknown = "unknown", yes = "done" }
  return said[err.sent], "sent = " .. tostring(err.sent)
end

return paid
