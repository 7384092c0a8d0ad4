-- All 52 operations through the client against the sandbox: what each sends, and that it is
-- understood. API v1 goes through the same handles.

local box = require "spec.support.box"
local json = require "coreclaw.json"
local v1 = require "coreclaw.v1"
local v1_operations = require "coreclaw.operations.v1"
local v2_operations = require "coreclaw.operations.v2"

-- What there must be before operations can be tried: a run, a task, two queue items.
local function furnish(client)
  local worker = client:worker "demo/rows"
  return {
    run = assert(worker:call { count = 3 }),
    task = assert(client:create_task { worker = worker, title = "t", input = { count = 1 } }),
    items = { assert(worker:queue { count = 1 }), assert(worker:queue { count = 1 }) },
    going = assert(worker:start { count = 500, delay = 0.05 }),
  }
end

-- Operation → parameters by name, as a person gives them.
local function parameters(here)
  local run, task = here.run.slug, here.task.slug
  local worker, input = "demo/rows", { parameters = { custom = { count = 1 } } }
  local page = { offset = 1, limit = 2 }
  local function with(a, b)
    local out = {}
    for k, v in pairs(a) do out[k] = v end
    for k, v in pairs(b or {}) do out[k] = v end
    return out
  end
  return {
    listProxyRegions = { language = "en" },
    listStore = with(page, { keyword = "rows" }),
    getAccount = {},
    listWorkers = with(page, { keyword = "echo" }),
    getWorker = { workerId = worker },
    getWorkerInputSchema = { workerId = worker },
    runWorker = { workerId = worker, input = input, version = "v1.1.0", is_async = true,
      callback_url = "http://127.0.0.1:9/" },
    listWorkerTasks = with(page, { worker_id = worker, keyword = "t" }),
    createWorkerTask = { worker_id = worker, title = "u", input = input, description = "d", version = "v1.2.0",
      schedule_enabled = 1, schedule_type = 2, schedule_weekday = 3, schedule_time = "10:00" },
    getWorkerTask = { workerTaskId = task },
    updateWorkerTask = { workerTaskId = task, title = "new", schedule_enabled = 1, schedule_type = 4,
      schedule_once_date = "2031-01-01", schedule_time = "10:00" },
    getWorkerTaskInput = { workerTaskId = task },
    updateWorkerTaskInput = { workerTaskId = task, input = input, version = "v1.1.0" },
    runWorkerTask = { workerTaskId = task, is_async = false, limit = 1, offset = 1 },
    listWorkerRuns = with(page, { worker_id = worker, status = "succeeded" }),
    getWorkerRun = { runId = run },
    rerunWorkerRun = { runId = run, is_async = false, limit = 1 },
    getWorkerRunLog = { runId = run },
    listWorkerRunResults = with(page, { runId = run }),
    exportWorkerRunResults = { runId = run, format = "csv", filter_keys = "index,title" },
    getLastWorkerRun = {}, getLastWorkerRunLog = {}, listLastWorkerRunResults = page,
    exportLastWorkerRunResults = { format = "json" },
    getWorkerLastRun = { workerId = worker }, getWorkerLastRunLog = { workerId = worker },
    listWorkerLastRunResults = with(page, { workerId = worker }),
    exportWorkerLastRunResults = { workerId = worker, format = "jsonl" },
    queuedRunWorker = { workerId = worker, input = input },
    listRunQueueItems = with(page, { status = "waiting" }),
    activateRunQueueItems = { queue_refs = json.array { here.items[1].queue_ref } },
    releaseRunQueueItems = { queue_refs = json.array { "1" }, reason = "r" },
    releaseRunQueueItem = { queueId = here.items[2].queue_ref, reason = "r" },
    abortWorkerRun = { runId = here.going.slug },
    rerunLastWorkerRun = {}, rerunWorkerLastRun = { workerId = worker },
    abortLastWorkerRun = {}, abortWorkerLastRun = { workerId = worker },
    deleteWorkerTask = { workerTaskId = task },
  }
end

-- These change what others need, or need something going on.
local LAST = { "abortWorkerRun", "rerunLastWorkerRun", "abortLastWorkerRun", "rerunWorkerLastRun",
  "abortWorkerLastRun", "deleteWorkerTask" }

local function keep_last_run_busy(client, id)
  if id:find "^abort.*Last" then assert(client:worker("demo/rows"):start { count = 500, delay = 0.05 }) end
end

local function order()
  local list, late = {}, {}
  for _, id in ipairs(LAST) do late[id] = true end
  for id in pairs(v2_operations) do
    if not late[id] then list[#list + 1] = id end
  end
  table.sort(list)
  for _, id in ipairs(LAST) do list[#list + 1] = id end
  return list
end

local function query_of(request)
  local query = {}
  for name, value in (request.query or ""):gmatch "([^&=]+)=([^&]*)" do
    query[name] = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  return query
end

describe("API v2", function()
  local server, client, params

  setup(function()
    server = box.start { balance = 100000 }
    client = box.client(server)
    params = parameters(furnish(client))
  end)
  teardown(function() server:stop() end)

  for _, id in ipairs(order()) do
    it(id .. " is sent as its table says, and understood", function()
      keep_last_run_busy(client, id)
      server:reset_requests()
      assert(client:operation(id, params[id]))
      local requests = server:requests()
      assert.equal(1, #requests)
      local request, operation = requests[1], v2_operations[id]
      assert.equal(id, request.operation)
      assert.equal(operation.method, request.method)
      local pattern = operation.path:gsub("%-", "%%-"):gsub("{%w+}", "[^/]+")
      assert.matches("^" .. pattern .. "$", request.path)
      local query, body = query_of(request), request.body ~= "" and json.decode(request.body) or {}
      for name, value in pairs(params[id]) do
        if operation.query and operation.query[name] then
          assert.equal(tostring(value), query[name])
          query[name] = nil
        elseif operation.body and operation.body[name] then
          assert.same(value, body[name])
          body[name] = nil
        else
          assert.is_truthy(request.path:find((tostring(value):gsub("/", "~")), 1, true))
        end
      end
      assert.same({}, query) -- nothing that nobody asked for
      assert.same({}, body)
      assert.equal(operation.body ~= nil, (request.body or "") ~= "")
      assert.matches("^Bearer ", request.headers.authorization)
    end)
  end
end)

describe("API v1", function()
  local server, client, run

  setup(function()
    server = box.start { balance = 100000 }
    client = box.client(server, { api = "v1" })
    run = assert(client:worker("demo/rows"):call { count = 30 })
  end)
  teardown(function() server:stop() end)
  before_each(function() server:reset_requests() end)

  local function sent(id)
    for _, request in ipairs(server:requests()) do
      if request.operation == id then return request end
    end
    error("not sent: " .. id, 2)
  end

  it("gives the same handles, words and pages", function()
    assert.equal("succeeded", run.status)
    assert.equal(30, run.results_count)
    assert.equal(30, #box.collect(run:results { limit = 10 }))
    local page = assert(run:results_page { page = 2, limit = 10 })
    assert.equal(11, page.list[1].index)
    assert.equal(30, page.count)
    local request = sent "runResultList"
    assert.equal("/api/v1/run/result/list", request.path)
    assert.is_string(request.headers["api-key"])
    assert.is_nil(request.headers.authorization)
  end)

  local calls = {
    scraperRun = function() return client:worker("demo/rows"):start { count = 1 } end,
    scraperAbort = function() return assert(client:worker("demo/rows"):start { count = 99, delay = 0.1 }):abort() end,
    runList = function() return client:operation("listWorkerRuns", { status = "succeeded", limit = 5 }) end,
    runDetail = function() return run:reload() end,
    runResultList = function() return run:results_page() end,
    runResultExport = function() return client:operation("exportWorkerRunResults", { runId = run, format = "json" }) end,
    runLastLog = function() return run:log() end,
    rerun = function() return run:rerun { callback_url = "http://127.0.0.1:9/" } end,
    taskRun = function()
      local task = assert(box.client(server):create_task { worker = "demo/rows", title = "t", input = { count = 1 } })
      return client:task(task.slug):start { callback_url = "http://127.0.0.1:9/" }
    end,
    accountInfo = function() return client:account() end,
    scraperDetail = function() return client:worker("demo/rows"):detail() end,
    storeSearch = function() return client:store { keyword = "rows" }() end,
    proxyRegion = function() return client:proxy_regions() end,
  }
  for id, operation in pairs(v1_operations) do
    it("does " .. id, function()
      assert(calls[id], "no call for " .. id)
      assert(calls[id]())
      local request = sent(id)
      assert.equal(operation.method, request.method)
      assert.equal(operation.path, request.path)
      if not operation.public then assert.is_string(request.headers["api-key"]) end
      local body = (request.body or "") ~= "" and json.decode(request.body) or {}
      for name, rule in pairs(operation.body or {}) do
        if rule.required then assert.is_not_nil(body[name], id .. " lacks " .. name) end
      end
      if body.scraper_slug then assert.equal("demo/rows", body.scraper_slug) end
      for name in pairs(body) do assert.is_not_nil(operation.body[name], id .. " sends " .. name) end
    end)
  end

  it("says by name what it cannot do", function()
    for id in pairs(v1.missing) do
      local params = {}
      for name in v2_operations[id].path:gmatch "{(%w+)}" do params[name] = "x" end
      for name, rule in pairs(v2_operations[id].body or {}) do
        if rule.required then params[name] = rule.type == "table" and json.array { "1" } or "x" end
      end
      local data, err = client:operation(id, params)
      assert.is_nil(data)
      assert.equal("not_implemented", err.kind)
      assert.equal("no", err.sent)
      assert.is_truthy(err.message:find(id, 1, true))
    end
    assert.same({}, server:requests())
  end)

  it("refuses what it cannot honour", function()
    assert.matches("callback_url is required by API v1", box.raised(function() run:rerun() end))
    assert.matches("keyword", box.raised(function() client:store()() end))
    assert.matches("language", box.raised(function() client:proxy_regions "de" end))
    assert.same({}, server:requests())
  end)

  it("maps errors and waits as v2 does", function()
    local _, err = client:run("01KZS4D8M2XW7Q5T9BHNVRC3EA"):reload()
    assert.equal("not_found", err.kind)
    assert.equal(70001, err.code)
    _, err = box.client(server, { api = "v1", api_key = "wrong" }):account()
    assert.equal("authentication", err.kind)
    assert.equal(20001, err.code)
    local failed = client:worker("demo/rows"):start { count = 1, fail_at = 1 }
    assert.equal("failed", assert(failed:wait()).status)
  end)

  it("is never paid for twice", function()
    local before = server:paid()
    server:fault { operation = "scraperRun", times = 1, close = "after" }
    local _, err = client:worker("demo/rows"):start { count = 1 }
    assert.equal("unknown_outcome", err.kind)
    assert.equal(before + 1, server:paid())
  end)
end)
