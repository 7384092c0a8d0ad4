-- Both operation tables against what the platform documents, told here in words of our own, and
-- against what the rest of the house reads in them.

local retry = require "coreclaw.retry"
local validate = require "coreclaw.validate"

-- id METHOD path [public] [query:names] [body:names] [list:key]; `!` marks what the API insists on.
-- An indented line goes on with the one before.
local DOCUMENTED = {
  v2 = [[
listProxyRegions GET /api/v2/proxy/region public query:language list:list
listStore GET /api/v2/store public query:keyword,limit,offset list:scraper
getAccount GET /api/v2/users/account
listWorkers GET /api/v2/workers query:keyword,limit,offset list:scraper
getWorker GET /api/v2/workers/{workerId}
getWorkerInputSchema GET /api/v2/workers/{workerId}/input-schema public
runWorker POST /api/v2/workers/{workerId}/runs body:callback_url,input,is_async,limit,offset,version
listWorkerTasks GET /api/v2/worker-tasks query:keyword,limit,offset,worker_id list:list
createWorkerTask POST /api/v2/worker-tasks
  body:description,input!,schedule_day,schedule_enabled,schedule_once_date,schedule_time,
    schedule_type,schedule_weekday,title!,version,worker_id!
getWorkerTask GET /api/v2/worker-tasks/{workerTaskId}
updateWorkerTask PUT /api/v2/worker-tasks/{workerTaskId}
  body:description,schedule_day,schedule_enabled,schedule_once_date,schedule_time,schedule_type,
    schedule_weekday,title
deleteWorkerTask DELETE /api/v2/worker-tasks/{workerTaskId}
getWorkerTaskInput GET /api/v2/worker-tasks/{workerTaskId}/input
updateWorkerTaskInput PUT /api/v2/worker-tasks/{workerTaskId}/input body:input!,version
runWorkerTask POST /api/v2/worker-tasks/{workerTaskId}/runs body:callback_url,is_async,limit,offset
listWorkerRuns GET /api/v2/worker-runs
  query:end_time,limit,offset,start_time,status,worker_id list:list
getWorkerRun GET /api/v2/worker-runs/{runId}
abortWorkerRun POST /api/v2/worker-runs/{runId}/abort
rerunWorkerRun POST /api/v2/worker-runs/{runId}/rerun body:callback_url,is_async,limit,offset
getWorkerRunLog GET /api/v2/worker-runs/{runId}/log
listWorkerRunResults GET /api/v2/worker-runs/{runId}/result query:limit,offset list:list
exportWorkerRunResults GET /api/v2/worker-runs/{runId}/result/export query:filter_keys,format
getLastWorkerRun GET /api/v2/worker-runs/last
abortLastWorkerRun POST /api/v2/worker-runs/last/abort
rerunLastWorkerRun POST /api/v2/worker-runs/last/rerun body:callback_url,is_async,limit,offset
getLastWorkerRunLog GET /api/v2/worker-runs/last/log
listLastWorkerRunResults GET /api/v2/worker-runs/last/result query:limit,offset list:list
exportLastWorkerRunResults GET /api/v2/worker-runs/last/export query:filter_keys,format
getWorkerLastRun GET /api/v2/workers/{workerId}/runs/last
abortWorkerLastRun POST /api/v2/workers/{workerId}/runs/last/abort
rerunWorkerLastRun POST /api/v2/workers/{workerId}/runs/last/rerun
  body:callback_url,is_async,limit,offset
getWorkerLastRunLog GET /api/v2/workers/{workerId}/runs/last/log
listWorkerLastRunResults GET /api/v2/workers/{workerId}/runs/last/result
  query:limit,offset list:list
exportWorkerLastRunResults GET /api/v2/workers/{workerId}/runs/last/export query:filter_keys,format
queuedRunWorker POST /api/v2/workers/{workerId}/queued-runs
  body:callback_url,input,is_async,limit,offset,version
listRunQueueItems GET /api/v2/run-queue/items query:limit,offset,status list:list
activateRunQueueItems POST /api/v2/run-queue/items/activate body:queue_refs!
releaseRunQueueItems POST /api/v2/run-queue/items/release body:queue_refs!,reason
releaseRunQueueItem POST /api/v2/run-queue/items/{queueId}/release body:reason
]],
  v1 = [[
scraperRun POST /api/v1/scraper/run body:callback_url,input!,is_async!,scraper_slug!,version
scraperAbort POST /api/v1/scraper/abort body:run_slug!
runList POST /api/v1/run/list body:page_index!,page_size!,scraper_slug,status list:list
runDetail POST /api/v1/run/detail body:run_slug!
runResultList POST /api/v1/run/result/list body:page_index,page_size,run_slug! list:list
runResultExport POST /api/v1/run/result/export body:filter_keys!,format!,run_slug!
runLastLog POST /api/v1/run/last/log body:run_slug!
rerun POST /api/v1/rerun body:callback_url!,run_slug!
taskRun POST /api/v1/task/run body:callback_url!,task_slug!
accountInfo POST /api/v1/account/info body:
scraperDetail GET /api/scraper public query:slug!
storeSearch GET /api/store public query:limit,search! list:scraper
proxyRegion GET /api/proxy/region public list:list
]],
}

-- Which may be repeated when: each of them, so that none slips into a class by default.
local CLASSES = {
  v2 = {
    read = {
      "listProxyRegions", "listStore", "getAccount", "listWorkers", "getWorker",
      "getWorkerInputSchema", "listWorkerTasks", "getWorkerTask", "getWorkerTaskInput",
      "listWorkerRuns", "getWorkerRun", "getWorkerRunLog", "listWorkerRunResults",
      "exportWorkerRunResults", "getLastWorkerRun", "getLastWorkerRunLog", "listLastWorkerRunResults",
      "exportLastWorkerRunResults", "getWorkerLastRun", "getWorkerLastRunLog",
      "listWorkerLastRunResults", "exportWorkerLastRunResults", "listRunQueueItems",
    },
    write = {
      "updateWorkerTask", "updateWorkerTaskInput", "deleteWorkerTask", "abortWorkerRun",
      "activateRunQueueItems", "releaseRunQueueItems", "releaseRunQueueItem",
    },
    paid = {
      "runWorker", "runWorkerTask", "rerunWorkerRun", "queuedRunWorker", "createWorkerTask",
    },
    last = {
      "abortLastWorkerRun", "rerunLastWorkerRun", "abortWorkerLastRun", "rerunWorkerLastRun",
    },
  },
  v1 = {
    read = {
      "runList", "runDetail", "runResultList", "runResultExport", "runLastLog", "accountInfo",
      "scraperDetail", "storeSearch", "proxyRegion",
    },
    write = { "scraperAbort" }, paid = { "scraperRun", "taskRun", "rerun" },
  },
}

local PATH_PARAMETERS = { workerId = true, workerTaskId = true, runId = true, queueId = true }
local COUNTS = { v2 = 39, v1 = 13 }

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

local function parse(line)
  local entry = { query = {}, body = {} }
  entry.id, entry.method, entry.path = line:match "^(%S+) (%S+) (%S+)"
  entry.public = line:find(" public", 1, true) ~= nil
  entry.list_key = line:match " list:(%S+)"
  entry.has_body = line:find(" body:", 1, true) ~= nil
  for _, group in ipairs { "query", "body" } do
    local names = line:match(" " .. group .. ":(%S*)") or ""
    for name, mark in names:gmatch "([%w_]+)(!?)" do entry[group][name] = mark == "!" end
  end
  return entry
end

local function documented(api)
  local list = {}
  for line in DOCUMENTED[api]:gsub(",\n%s+", ","):gsub("\n%s+", " "):gmatch "[^\n]+" do
    local entry = parse(line)
    list[entry.id] = entry
  end
  return list
end

local function required_of(rules)
  local out = {}
  for name, rule in pairs(rules or {}) do out[name] = rule.required == true end
  return out
end

-- What validate.lua says of a value that no rule would have; nil when the rule takes it.
local function verdict(rule)
  local ok, message = pcall(validate.value, "here", "field", rule.type == "any" or print, rule)
  return not ok and tostring(message) or nil
end

for _, api in ipairs { "v2", "v1" } do
  local operations = require("coreclaw.operations." .. api)

  local function each_rule(visit)
    for id, operation in pairs(operations) do
      for _, group in ipairs { "query", "body" } do
        for name, rule in pairs(operation[group] or {}) do visit(id .. " " .. name, rule) end
      end
    end
  end

  describe("operations of " .. api, function()
    it("are those that are documented: method, path, parameters, list, public ones", function()
      local expected = documented(api)
      assert.equal(COUNTS[api], count(expected))
      assert.equal(COUNTS[api], count(operations))
      for id, entry in pairs(expected) do
        local operation = assert(operations[id], id .. " is missing")
        assert.equal(entry.method .. " " .. entry.path, operation.method .. " " .. operation.path)
        assert.equal(entry.public, operation.public == true, id .. " public")
        assert.equal(entry.list_key, operation.list_key, id .. " list_key")
        assert.equal(entry.has_body, operation.body ~= nil, id .. " body")
        assert.same(entry.query, required_of(operation.query), id)
        assert.same(entry.body, required_of(operation.body), id)
      end
    end)

    it("are three without a key, all reads", function()
      local public = 0
      for id, operation in pairs(operations) do
        if operation.public then
          public = public + 1
          assert.same({ "GET", "read" }, { operation.method, operation.class }, id)
        end
      end
      assert.equal(3, public)
    end)

    it("have the class that says what may be repeated", function()
      local expected, real = {}, {}
      for class, ids in pairs(CLASSES[api]) do
        for _, id in ipairs(ids) do
          assert.is_nil(expected[id], id)
          expected[id] = class
        end
      end
      for id, operation in pairs(operations) do real[id] = operation.class end
      assert.same(expected, real)
    end)

    it("use nothing but what this table's form knows", function()
      local known = { method = "string", path = "string", class = "string", public = "boolean",
        query = "table", body = "table", list_key = "string" }
      local rule_keys = { type = "string", required = "boolean", min = "number", max = "number",
        enum = "table" }
      for id, operation in pairs(operations) do
        for key, value in pairs(operation) do assert.equal(known[key], type(value), id .. " " .. key) end
      end
      each_rule(function(where, rule)
        for key, value in pairs(rule) do assert.equal(rule_keys[key], type(value), where .. " " .. key) end
      end)
    end)

    it("have rules that validate.lua understands", function()
      each_rule(function(where, rule)
        local message = verdict(rule)
        if rule.type == "any" then
          assert.is_nil(message, where)
        else
          assert.matches("here: field must be ", message, 1, true)
        end
      end)
    end)

    it("have ranges and lists of words that fit their types", function()
      each_rule(function(where, rule)
        assert.is_true(rule.type == "integer" or (not rule.min and not rule.max), where)
        assert.is_true((rule.min or 0) <= (rule.max or math.huge), where)
        for _, word in ipairs(rule.enum or {}) do
          validate.value(where, "enum", word, rule)
        end
        assert.is_false(rule.enum ~= nil and #rule.enum == 0, where)
      end)
    end)

    it("have paths whose parameters are whole segments, told once", function()
      for id, operation in pairs(operations) do
        local seen = {}
        assert.matches("^/api/%l[%w/{}-]*[^/]$", operation.path)
        for segment in operation.path:gmatch "[^/]+" do
          local name = segment:match "^{(%w+)}$"
          assert.is_true(name ~= nil or not segment:find "[{}]", id .. " " .. segment)
          if name then
            assert.is_true(PATH_PARAMETERS[name], id .. " " .. name)
            assert.is_nil(seen[name], id)
            seen[name] = true
            assert.is_nil((operation.query or {})[name], id)
            assert.is_nil((operation.body or {})[name], id)
          end
        end
        assert.is_true(count(seen) <= (api == "v1" and 0 or 1), id)
      end
    end)

    it("differ from each other in method or path", function()
      local seen = {}
      for id, operation in pairs(operations) do
        local line = operation.method .. " " .. operation.path
        assert.is_nil(seen[line], id)
        seen[line] = id
      end
    end)

    it("carry no body with a GET or DELETE", function()
      for id, operation in pairs(operations) do
        if operation.method == "GET" or operation.method == "DELETE" then
          assert.is_nil(operation.body, id)
        else
          assert.is_nil(operation.query, id)
        end
      end
    end)

    it("have classes that the retry policy tells apart", function()
      local again = retry.policy { random = function() return 1 end }
      local passing = { kind = "network", retryable = true, sent = "unknown" }
      for id, operation in pairs(operations) do
        local may = operation.class == "read" or operation.class == "write"
        assert.equal(may, again(passing, operation.class, 1) ~= nil, id)
      end
    end)
  end)
end

describe("paged operations of v2", function()
  local operations = require "coreclaw.operations.v2"

  it("take pages from 1 and at most 100 items, wherever they take them", function()
    for id, operation in pairs(operations) do
      for _, group in ipairs { "query", "body" } do
        local rules = operation[group] or {}
        assert.equal(rules.offset == nil, rules.limit == nil, id)
        if rules.offset then
          assert.same({ type = "integer", min = 1 }, rules.offset, id)
          assert.same({ type = "integer", min = 1, max = 100 }, rules.limit, id)
        end
      end
    end
  end)

  it("say where their items are", function()
    for id, operation in pairs(operations) do
      if operation.query and operation.query.offset then assert.is_string(operation.list_key, id) end
    end
  end)
end)
