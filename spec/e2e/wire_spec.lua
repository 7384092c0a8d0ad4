-- What is on the wire: method, path, query, headers and body of every operation in use.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local json = require "coreclaw.json"

describe("on the wire", function()
  local server, client, run

  setup(function()
    server = box.start()
    client = box.client(server)
    run = assert(client:worker("demo/rows"):call { count = 2 })
  end)
  teardown(function() server:stop() end)
  before_each(function() server:reset_requests() end)

  local function sent()
    local list = server:requests()
    assert.equal(1, #list)
    return list[1]
  end

  local function query_of(request)
    local query = {}
    for name, value in request.query:gmatch "([^&=]+)=([^&]*)" do
      query[name] = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    end
    return query
  end

  local function body_of(request)
    return assert(json.decode(request.body))
  end

  it("names itself, wants JSON, and sends no body with a GET", function()
    assert(client:account())
    local request = sent()
    assert.equal("GET", request.method)
    assert.equal("/api/v2/users/account", request.path)
    assert.matches("^coreclaw%-lua/%d+%.%d+%.%d+ %(.+; libcurl/[%d.]+%)$", request.headers["user-agent"])
    assert.equal("application/json", request.headers["accept"])
    assert.is_nil(request.headers["content-type"])
    assert.is_true(request.body == nil or request.body == "")
  end)

  it("sends the key as it was told to, and never twice", function()
    assert(client:account())
    assert.matches("^Bearer ", sent().headers["authorization"])
    assert.is_nil(sent().headers["api-key"])
    server:reset_requests()

    assert(box.client(server, { auth = "api_key" }):account())
    assert.is_string(sent().headers["api-key"])
    assert.is_nil(sent().headers["authorization"])
    server:reset_requests()

    assert(box.client(server, { auth = "query" }):account())
    assert.is_string(query_of(sent()).token)
    assert.is_nil(sent().headers["authorization"])
    assert.is_nil(sent().headers["api-key"])
  end)

  it("wraps the input of a start, and sends only what was said", function()
    assert(client:worker("demo/rows"):start { count = 1 })
    local request = sent()
    assert.equal("POST", request.method)
    assert.equal("/api/v2/workers/demo~rows/runs", request.path)
    assert.equal("application/json", request.headers["content-type"])
    assert.same({ input = { parameters = { custom = { count = 1 } } }, is_async = true },
      body_of(request))
    assert.matches('"count":1[,}]', request.body)
  end)

  it("sends every option of a start", function()
    assert(client:worker("demo/rows"):start({ count = 1 }, {
      system = { memory = 512, proxy_region = "PT" },
      callback_url = "http://127.0.0.1:9/cb?nonce=1", version = "v1.1.0",
    }))
    assert.same({
      input = { parameters = { custom = { count = 1 }, system = { memory = 512, proxy_region = "PT" } } },
      callback_url = "http://127.0.0.1:9/cb?nonce=1", version = "v1.1.0", is_async = true,
    }, body_of(sent()))
  end)

  it("sends raw input as it is", function()
    assert(client:worker("demo/rows"):start(nil, {
      raw_input = { parameters = { custom = { count = 1 } } },
    }))
    assert.same({ parameters = { custom = { count = 1 } } }, body_of(sent()).input)
  end)

  it("sends the window of a sync run as page and limit", function()
    assert(client:worker("demo/rows"):run_sync({ count = 3 }, { limit = 2, page = 2 }))
    local body = body_of(sent())
    assert.is_false(body.is_async)
    assert.equal(2, body.limit)
    assert.equal(2, body.offset)
  end)

  local reads = {
    { "detail", function() return client:worker("demo/rows"):detail() end,
      "/api/v2/workers/demo~rows" },
    { "input schema", function() return client:worker("demo/rows"):input_schema() end,
      "/api/v2/workers/demo~rows/input-schema" },
    { "run", function() return run:reload() end, "/api/v2/worker-runs/{run}" },
    { "log", function() return run:log() end, "/api/v2/worker-runs/{run}/log" },
    { "results", function() return run:results_page { page = 3, limit = 7 } end,
      "/api/v2/worker-runs/{run}/result", { offset = "3", limit = "7" } },
    { "store", function() return client:store { keyword = "a&b=c é" }() or true end,
      "/api/v2/store", { offset = "1", limit = "100", keyword = "a&b=c é" } },
    { "regions", function() return client:proxy_regions "zh" end,
      "/api/v2/proxy/region", { language = "zh" } },
  }
  for _, case in ipairs(reads) do
    it("asks for the " .. case[1], function()
      assert(case[2]())
      local request = sent()
      assert.equal("GET", request.method)
      assert.equal((case[3]:gsub("{run}", run.slug)), request.path)
      assert.same(case[4] or {}, query_of(request))
    end)
  end

  it("aborts with an empty body that says so", function()
    local going = assert(client:worker("demo/rows"):start { count = 100, delay = 0.1 })
    server:reset_requests()
    assert(going:abort())
    local request = sent()
    assert.equal("POST", request.method)
    assert.equal("/api/v2/worker-runs/" .. going.slug .. "/abort", request.path)
    assert.equal("0", request.headers["content-length"])
  end)

  it("reruns with at least {}", function()
    assert(run:rerun())
    assert.equal("{}", sent().body)
    server:reset_requests()
    assert(run:rerun { callback_url = "http://127.0.0.1:9/x" })
    assert.same({ callback_url = "http://127.0.0.1:9/x" }, body_of(sent()))
  end)

  it("polls no more often than it was told to", function()
    local going = assert(client:worker("demo/rows"):start { count = 10, delay = 0.05 })
    server:reset_requests()
    assert(going:wait { poll_intervals = { 0.2 } })
    assert.is_true(#server:requests() <= 6)
    for _, request in ipairs(server:requests()) do
      assert.equal("getWorkerRun", request.operation)
    end
  end)

  it("is not led astray by what the caller does to its tables afterwards", function()
    local options = { api_key = server.key, base_url = server.url }
    local careful = coreclaw.new(options)
    options.api_key, options.base_url = "other", "http://127.0.0.1:1"
    assert(careful:account())
    sent()
  end)
end)
