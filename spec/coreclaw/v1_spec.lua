-- API v1 behind the handles: calls of v2 in, calls of v1 out; answers of v1 in, data of v2 out.

local json = require "coreclaw.json"
local v1 = require "coreclaw.v1"
local v1_operations = require "coreclaw.operations.v1"
local v2_operations = require "coreclaw.operations.v2"

local RUN = "01KSGT5P0W8B3E7QZ6NDVXKM4R"
local HOOK = "https://hooks.example/coreclaw"

-- One call of each operation that v1 can do, with what it cannot do without.
local LEAST = {
  listProxyRegions = {},
  listStore = { query = { keyword = "news" } },
  getAccount = {},
  getWorker = { path = { workerId = "lan~news-cn" } },
  getWorkerInputSchema = { path = { workerId = "lan~news-cn" } },
  runWorker = { path = { workerId = "lan~news-cn" } },
  runWorkerTask = { path = { workerTaskId = "01TASK" }, body = { callback_url = HOOK } },
  listWorkerRuns = {},
  getWorkerRun = { path = { runId = RUN } },
  abortWorkerRun = { path = { runId = RUN } },
  rerunWorkerRun = { path = { runId = RUN }, body = { callback_url = HOOK } },
  getWorkerRunLog = { path = { runId = RUN } },
  listWorkerRunResults = { path = { runId = RUN } },
  exportWorkerRunResults = { path = { runId = RUN } },
}

-- The least call of an operation, with one parameter more.
local function with(id, group, name, value)
  local params = {}
  for key, given in pairs(LEAST[id]) do
    params[key] = {}
    for k, v in pairs(given) do params[key][k] = v end
  end
  params[group] = params[group] or {}
  params[group][name] = value
  return params
end

-- Translates; the arguments must stand where v1 wants them, and nothing else beside them.
local function arguments(expected_id, group, id, params)
  local v1_id, v1_params, known = v1.request(id, params)
  assert.equal(expected_id, v1_id, v1_params)
  assert.is_nil(known)
  assert.equal(group, next(v1_params))
  assert.is_nil(next(v1_params, group))
  return v1_params[group]
end

local function why_not(id, params)
  local v1_id, why, known = v1.request(id, params)
  assert.is_nil(v1_id)
  assert.is_nil(known)
  assert.is_string(why)
  return why
end

describe("v1.request", function()
  it("gives every argument a place that the table of v1 knows, and all that v1 insists on", function()
    for id, params in pairs(LEAST) do
      local v1_id, v1_params = v1.request(id, params)
      local operation = assert(v1_operations[v1_id], id)
      for group, given in pairs(v1_params) do
        for name in pairs(given) do assert.is_table(operation[group][name], id .. " " .. name) end
        for name, rule in pairs(operation[group] or {}) do
          assert.is_false(rule.required and given[name] == nil or false, id .. " " .. name)
        end
      end
    end
  end)

  it("changes no table it is given", function()
    local function call()
      local input = { note = "x", parameters = { custom = { a = 1 }, system = { memory = 1024 } } }
      return { path = { workerId = "a~b" }, body = { input = input } }
    end
    local params = call()
    v1.request("runWorker", params)
    assert.same(call(), params)
  end)

  it("puts a run's id into the body", function()
    for id, expected in pairs {
      getWorkerRun = "runDetail", abortWorkerRun = "scraperAbort", getWorkerRunLog = "runLastLog",
    } do
      assert.same({ run_slug = RUN }, arguments(expected, "body", id, LEAST[id]))
    end
  end)

  it("asks for the account with an empty body", function()
    assert.same({}, arguments("accountInfo", "body", "getAccount", {}))
  end)

  it("asks for regions, in v1's only language", function()
    assert.same({}, arguments("proxyRegion", "query", "listProxyRegions", {}))
    assert.equal("listProxyRegions: language cannot be honoured by API v1: its names of regions come "
      .. 'in one language; use api = "v2"',
      why_not("listProxyRegions", { query = { language = "de" } }))
  end)

  it("writes a Worker with a slash", function()
    for _, id in ipairs { "getWorker", "getWorkerInputSchema" } do
      assert.same({ slug = "lan/news-cn" }, arguments("scraperDetail", "query", id, LEAST[id]))
    end
    for given, expected in pairs {
      ["a~b"] = "a/b", ["a/b"] = "a/b", ["01KTB7X0QM"] = "01KTB7X0QM", ["~x"] = "~x", ["a~b~c"] = "a~b~c",
    } do
      local params = { path = { workerId = given } }
      assert.equal(expected, arguments("scraperDetail", "query", "getWorker", params).slug)
      assert.equal(expected, arguments("scraperRun", "body", "runWorker", params).scraper_slug)
      params = { query = { worker_id = given } }
      assert.equal(expected, arguments("runList", "body", "listWorkerRuns", params).scraper_slug)
    end
  end)

  it("says which id is missing, in the words of v2", function()
    for id, params in pairs(LEAST) do
      local name = next(params.path or {})
      if name then
        assert.equal(id .. ": " .. name .. " is required", why_not(id, { body = params.body }))
      end
    end
  end)

  it("does not take what it does not know", function()
    assert.equal("getWorkerRun: colour is unknown",
      why_not("getWorkerRun", with("getWorkerRun", "query", "colour", "red")))
    assert.equal("walkTheDog is no operation of the API", why_not("walkTheDog", {}))
  end)

  it("tells the same fault every time when there are several", function()
    local params = { query = { start_time = 1, end_time = 2, status = "gone" } }
    for _ = 1, 5 do assert.matches("^listWorkerRuns: end_time ", why_not("listWorkerRuns", params)) end
  end)
end)

describe("v1.request for the store", function()
  it("searches, as many as a page of v2 would hold", function()
    assert.same({ search = "news", limit = 20 },
      arguments("storeSearch", "query", "listStore", LEAST.listStore))
    assert.same({ search = "news", limit = 100 }, arguments("storeSearch", "query", "listStore",
      { query = { keyword = "news", limit = 100, offset = 1 } }))
  end)

  it("knows that the second page is empty, without a request", function()
    local v1_id, params, known = v1.request("listStore", { query = { keyword = "news", offset = 2 } })
    assert.equal("storeSearch", v1_id)
    assert.is_nil(params)
    assert.equal('{"scraper":[]}', json.encode(known))
  end)

  it("cannot list without words to look for, on any page", function()
    for _, query in ipairs { {}, { keyword = "" }, { offset = 2 } } do
      assert.equal("listStore: keyword is required by API v1: it cannot list the whole store",
        why_not("listStore", { query = query }))
    end
  end)
end)

describe("v1.request for runs and rows", function()
  it("counts pages as v2 does, and says so even when nobody asked", function()
    assert.same({ page_index = 1, page_size = 20 },
      arguments("runList", "body", "listWorkerRuns", {}))
    assert.same({ page_index = 3, page_size = 50 },
      arguments("runList", "body", "listWorkerRuns", { query = { offset = 3, limit = 50 } }))
    assert.same({ run_slug = RUN, page_index = 1, page_size = 20 },
      arguments("runResultList", "body", "listWorkerRunResults", LEAST.listWorkerRunResults))
    assert.same({ run_slug = RUN, page_index = 7, page_size = 100 },
      arguments("runResultList", "body", "listWorkerRunResults",
        { path = { runId = RUN }, query = { offset = 7, limit = 100 } }))
  end)

  it("filters by the number of a status", function()
    for word, number in pairs { ready = 1, running = 2, succeeded = 3, failed = 4, aborting = 5 } do
      assert.equal(number,
        arguments("runList", "body", "listWorkerRuns", { query = { status = word } }).status)
    end
    assert.equal("listWorkerRuns: status must be one of ready, running, succeeded, failed, aborting "
      .. 'with API v1, got the string "aborted"',
      why_not("listWorkerRuns", { query = { status = "aborted" } }))
  end)

  it("knows no times", function()
    for _, name in ipairs { "start_time", "end_time" } do
      assert.equal("listWorkerRuns: " .. name .. " cannot be honoured by API v1: its list of runs "
        .. 'knows no times; use api = "v2"', why_not("listWorkerRuns", { query = { [name] = 1 } }))
    end
  end)

  it("exports with a format and an array of keys, always", function()
    local function export(query)
      return arguments("runResultExport", "body", "exportWorkerRunResults",
        { path = { runId = RUN }, query = query })
    end
    assert.same({ run_slug = RUN, format = "csv", filter_keys = {} }, export())
    assert.matches('"filter_keys":%[%]', json.encode(export()))
    assert.matches('"filter_keys":%[%]', json.encode(export { filter_keys = "" }))
    assert.same({ run_slug = RUN, format = "json", filter_keys = { "title", "a b", "city" } },
      export { format = "json", filter_keys = "title,a b,city" })
  end)

  it("exports to csv and json only", function()
    for _, format in ipairs(v2_operations.exportWorkerRunResults.query.format.enum) do
      local params = { path = { runId = RUN }, query = { format = format } }
      if format == "csv" or format == "json" then
        assert.is_string((v1.request("exportWorkerRunResults", params)))
      else
        assert.equal("exportWorkerRunResults: format must be csv or json with API v1, got the string "
          .. '"' .. format .. '"; use api = "v2" for the others',
          why_not("exportWorkerRunResults", params))
      end
    end
  end)
end)

describe("v1", function()
  it("does with its 13 operations what 14 of v2 do, and says of the other 25 that it cannot", function()
    local reached, able, unable = {}, 0, 0
    for id in pairs(v2_operations) do
      local v1_id, why = v1.operations_for[id], v1.missing[id]
      assert.is_true((v1_id == nil) ~= (why == nil), id .. " is in neither table, or in both")
      if v1_id then able, reached[v1_id] = able + 1, true else unable = unable + 1 end
    end
    for id in pairs(v1_operations) do assert.is_true(reached[id], id .. " cannot be reached") end
    for id in pairs(reached) do assert.is_table(v1_operations[id], id .. " does not exist") end
    for _, list in ipairs { v1.operations_for, v1.missing, LEAST } do
      for id in pairs(list) do assert.is_table(v2_operations[id], id .. " does not exist") end
    end
    for id in pairs(v1.operations_for) do assert.is_table(LEAST[id], id .. " is not tried") end
    assert.same({ 14, 25 }, { able, unable })
  end)

  it("names the operation that it has nothing for, what cannot be done, and the way out", function()
    for id, message in pairs(v1.missing) do
      assert.equal(message, why_not(id, { path = { runId = "x" } }))
      assert.matches("^%l[%a' ]+ cannot be [%a ]+ through API v1 %(" .. id .. '%); use api = "v2"$',
        message)
    end
    assert.equal('saved tasks cannot be listed through API v1 (listWorkerTasks); use api = "v2"',
      v1.missing.listWorkerTasks)
  end)

  it("repeats no call that its counterpart would not", function()
    for id, v1_id in pairs(v1.operations_for) do
      assert.equal(v2_operations[id].class, v1_operations[v1_id].class, id)
      assert.equal(v2_operations[id].list_key, v1_operations[v1_id].list_key, id)
    end
  end)

  it("takes or refuses by name every parameter of v2", function()
    local values = { status = "ready", format = "json", is_async = true, callback_url = HOOK,
      input = {}, offset = 1, limit = 1, start_time = 1, end_time = 1 }
    for id in pairs(v1.operations_for) do
      for _, group in ipairs { "query", "body" } do
        for name in pairs(v2_operations[id][group] or {}) do
          local v1_id, why = v1.request(id, with(id, group, name, values[name] or "x"))
          local refused = id .. ": " .. name .. " cannot be honoured by API v1: "
          assert.is_true(v1_id ~= nil or why:sub(1, #refused) == refused, why)
        end
      end
    end
  end)
end)
