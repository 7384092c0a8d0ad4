-- Calls by name, requests of one's own, hooks, prepared inputs.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("below the handles", function()
  local server, client

  setup(function()
    server = box.start()
    client = box.client(server)
  end)
  teardown(function() server:stop() end)

  it("any operation can be called by its name", function()
    local data = assert(client:operation("getWorker", { workerId = "demo/rows" }))
    assert.equal("rows", data.name)
    local run = assert(client:worker("demo/rows"):call { count = 5 })
    data = assert(client:operation("listWorkerRunResults", { runId = run, limit = 2, offset = 2 }))
    assert.equal(2, #data.list)
    local account, _, response = client:operation "getAccount"
    assert.is_string(account.balance)
    assert.equal(200, response.status)
    data = assert(client:operation("runWorker", {
      workerId = client:worker "demo/rows", input = { parameters = { custom = { count = 1 } } },
    }))
    assert.is_string(data.run_slug)
  end)

  local misuse = {
    { "listWorkerRun", {}, "no such operation: listWorkerRun %(did you mean listWorkerRuns%?%)" },
    { 5, {}, "no such operation" },
    { "listWorkerRuns", { limt = 5 }, "unknown parameter limt %(did you mean limit%?%)" },
    { "listWorkerRuns", { limit = 101 }, "limit must be .* from 1 to 100, got 101" },
    { "listWorkerRuns", { status = "done" }, "status must be one of ready" },
    { "getWorker", {}, "the Worker id must be" },
    { "getWorkerRun", { runId = "last" }, "the run id must be" },
    { "createWorkerTask", { title = "x" }, "is required" },
    { "getAccount", "x", "parameters must be a table" },
  }
  for i, case in ipairs(misuse) do
    it("checks what it is given: " .. i, function()
      assert.matches(case[3], box.raised(function() client:operation(case[1], case[2]) end))
    end)
  end

  it("reads a request's own fields only, which are those that it has checked", function()
    local inherited = setmetatable({ path = "/api/v2/store" }, { __index = { class = "x", query = { limit = "1" } } })
    assert.is_table(assert(client:request(inherited)).scraper)
    assert.matches("options must be a table, got false", box.raised(function() client:request(false) end))
    assert.matches("path must begin", box.raised(function() client:request() end))
  end)

  it("any request can be sent", function()
    local data = assert(client:request { path = "/api/v2/store", query = { limit = 1 } })
    assert.equal(1, #data.scraper)
    local nothing, err = client:request { method = "POST", path = "/api/v2/nowhere", body = { a = 1 } }
    assert.is_nil(nothing)
    assert.is_string(err.kind)
    local before = server:paid()
    server:fault { method = "POST", times = 1, close = "after" }
    nothing, err = client:request {
      method = "POST", path = "/api/v2/workers/demo~rows/runs",
      body = { input = { parameters = { custom = { count = 1 } } } },
    }
    assert.is_nil(nothing)
    assert.equal("unknown_outcome", err.kind)
    assert.equal(before + 1, server:paid())
    for _, path in ipairs { "store", "//evil.example", "/a?b=c", "/a b", "/../x", "/{x}" } do
      assert.matches("path must begin", box.raised(function() client:request { path = path } end))
    end
  end)

  it("a rerun of the last run is a paid call, sent once", function()
    local run = assert(client:worker "demo/rows":call { count = 1 })
    for _, id in ipairs { "rerunLastWorkerRun", "rerunWorkerLastRun" } do
      coreclaw.sleep(1.1) -- the platform's times are whole seconds
      local before = server:paid()
      local own = box.client(server)
      server:fault { operation = id, times = 1, close = "after" }
      local data, err = own:operation(id, id == "rerunWorkerLastRun" and { workerId = "demo/rows" } or {})
      assert.is_nil(data)
      assert.same({ "unknown_outcome", "unknown", 1 }, { err.kind, err.sent, err.attempts })
      assert.equal(before + 1, server:paid())
      own.started:add(run.slug)
      local found
      for _ = 1, 100 do -- on a month's last day it is told from others when it has begun
        found = found or own:reconcile(err, { margin = 0 })
        if not found then coreclaw.sleep(0.05) end
      end
      assert(found)
      assert.not_equal(run.slug, found.slug)
      run = assert(found:wait())
    end
  end)

  it("hooks see everything but the key", function()
    local seen = {}
    local function note(name) return function(event) seen[#seen + 1] = { name, event } end end
    for _, auth in ipairs { "bearer", "api_key", "query" } do
      seen = {}
      local watched = box.client(server, {
        auth = auth, on_request = note "request", on_response = note "response", on_retry = note "retry",
      })
      server:fault { operation = "getAccount", times = 1, status = 503, body = "key " .. server.key }
      assert(watched:account())
      local names = {}
      for i, item in ipairs(seen) do names[i] = item[1] end
      assert.same({ "request", "response", "retry", "request", "response" }, names)
      assert.equal("getAccount", seen[1][2].operation)
      assert.equal(503, seen[2][2].status)
      assert.equal("server_error", seen[2][2].error.kind)
      assert.equal(2, seen[4][2].attempt)
      local function walk(value)
        if type(value) == "string" then assert.is_nil(value:find(server.key, 1, true)) end
        if type(value) == "table" then
          for k, v in pairs(value) do walk(k) walk(v) end
        end
      end
      walk(seen)
    end
  end)

  it("a hook may stop a call before it is sent, and cannot lose an answer", function()
    local veto = box.client(server, { on_request = function() error("not now", 0) end })
    local before = server:paid()
    assert.equal("not now", box.raised(function() veto:worker("demo/rows"):start { count = 1 } end))
    assert.equal(before, server:paid())
    local clumsy = box.client(server, { on_response = function() error "oops" end })
    local stderr = io.stderr
    io.stderr = { write = function() end } -- luacheck: ignore 122
    local run = clumsy:worker("demo/rows"):start { count = 1 }
    io.stderr = stderr -- luacheck: ignore 122
    assert.is_table(run)
  end)

  describe("an input can be prepared", function()
    it("against the Worker's schema, which is read once", function()
      local worker = client:worker "coreclaw/google-maps-scraper"
      server:reset_requests()
      local prepared = assert(worker:prepare { keywords = { "tea", "coffee" } })
      assert.same({}, prepared.errors)
      assert.equal(20, prepared.custom.max_results)
      assert.equal(2, prepared.subtasks)
      assert.same({ parameters = { custom = { keywords = { "tea", "coffee" }, max_results = 20 } } },
        prepared.payload)
      prepared = assert(worker:prepare { keyword = { "tea" }, max_results = "five" })
      assert.is_true(#prepared.errors >= 1)
      assert.equal("keyword", prepared.warnings[1].field)
      assert.equal("keywords", prepared.warnings[1].did_you_mean)
      assert.equal(1, #server:requests())
    end)

    it("and a start can insist on it", function()
      local worker = client:worker "coreclaw/google-maps-scraper"
      local before = server:paid()
      local run, err = worker:start({ max_results = "five" }, { check = true })
      assert.is_nil(run)
      assert.equal("bad_request", err.kind)
      assert.equal("no", err.sent)
      assert.matches("max_results", err.message)
      assert.equal(before, server:paid())
      run = assert(worker:start({ keywords = { "tea" } }, { check = true }))
      assert.equal("succeeded", assert(run:wait()).status)
      assert.equal(20, run.results_count)
    end)

    it("with resources that fit together, and defaults of the client", function()
      local worker = client:worker "demo/rows"
      assert.matches("memory", box.raised(function()
        worker:start({ count = 1 }, { system = { memory = 700 } })
      end))
      assert.matches("did you mean memory", box.raised(function()
        worker:start({ count = 1 }, { system = { memroy = 512 } })
      end))
      local with = box.client(server, { defaults = { system = { proxy_region = "PT", memory = 512, cpus = 0.125 } } })
      server:reset_requests()
      assert(with:worker("demo/rows"):start({ count = 1 }, { system = { memory = 1024, cpus = 0.25 } }))
      assert.matches('"proxy_region":"PT"', server:requests()[1].body)
      assert.matches('"memory":1024', server:requests()[1].body)
      assert.matches("unknown option sytem", box.raised(function() box.client(server, { defaults = { sytem = {} } }) end))
    end)
  end)
end)
