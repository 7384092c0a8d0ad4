-- client:stats() and its text for Prometheus, from calls against the sandbox; and what hooks tell of time
-- and of names.
local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local prometheus = require "coreclaw.prometheus"

local ID = "demo/rows"

-- Every text in a table.
local function texts(value, list)
  list = list or {}
  if type(value) == "table" then
    for k, v in pairs(value) do texts(v, texts(k, list)) end
  else
    list[#list + 1] = tostring(value)
  end
  return list
end

describe("client:stats()", function()
  local server, client
  setup(function() server = box.start { ready_for = 0.01 } end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
    client = box.client(server)
  end)

  -- Connections are shared by all clients of a host: none is open to this one.
  local function new_server()
    local fresh = box.start {}
    finally(function() fresh:stop() end)
    return fresh, box.client(fresh)
  end

  local function sum(map)
    local n = 0
    for _, value in pairs(map) do n = n + value end
    return n
  end

  it("begins with nothing, and every client has its own", function()
    local nothing = {
      requests = 0, in_flight = 0, connections = 0, bytes_sent = 0, bytes_received = 0, retries = 0, throttles = 0,
      operations = {}, failures = {},
      time = { queued = 0, connecting = 0, answering = 0, receiving = 0, backoff = 0 },
    }
    assert.same(nothing, client:stats())
    assert(box.client(server):account())
    assert.same(nothing, client:stats())
  end)

  it("gives away a copy", function()
    assert(client:account())
    local mine = client:stats()
    mine.operations.getAccount, mine.requests, mine.time.answering = 7, 7, 7
    assert.equal(1, client:stats().operations.getAccount)
    assert.equal(1, client:stats().requests)
    assert.is_true(client:stats().time.answering < 7)
  end)

  it("counts the requests that the platform got, by operation", function()
    local run = assert(client:worker(ID):call { count = 120 })
    assert.equal(120, #box.collect(run:results { limit = 50, ahead = 0 }))
    client:request { path = "/api/v2/store" }
    local got, all = {}, client:stats()
    for _, request in ipairs(server:requests()) do got[request.operation] = (got[request.operation] or 0) + 1 end
    got.request, got.listStore = got.listStore, nil
    assert.same(got, all.operations)
    assert.equal(sum(got), all.requests)
    assert.equal(0, all.in_flight)
    assert.equal(1, all.operations.runWorker)
    assert.equal(3, all.operations.listWorkerRunResults)
    assert.same({}, all.failures)
  end)

  it("counts the bytes of bodies, both ways", function()
    local sent, received = 0, 0
    local watched = box.client(server, {
      on_request = function(event) sent = sent + #(event.body or "") end,
      on_response = function(event) received = received + #event.body end,
    })
    assert(watched:worker(ID):call { count = 3 })
    local all = watched:stats()
    assert.is_true(sent > 20 and received > 200)
    assert.same({ sent, received }, { all.bytes_sent, all.bytes_received })
  end)

  it("counts the bytes of a file, as they travel, and its requests", function()
    local run, path = assert(client:worker(ID):call { count = 200 }), os.tmpname()
    local before = client:stats()
    local file = assert(run:export(path))
    os.remove(path)
    local all = client:stats()
    assert.equal(1, all.operations.download)
    assert.is_true(all.bytes_received - before.bytes_received >= file.bytes)
    assert.is_true(all.bytes_received - before.bytes_received < file.bytes + 2000)
  end)

  it("counts what travels, not what is made of it", function()
    server:fault { operation = "getAccount", gzip = "good" }
    local length
    local watched = box.client(server, { on_response = function(event)
      length = tonumber(event.headers:lower():match "content%-length: (%d+)")
    end })
    assert(watched:account())
    assert.equal(length, watched:stats().bytes_received)
  end)

  it("counts connections that are opened: one for reads one after the other, one for each start", function()
    local _, first = new_server()
    for _ = 1, 5 do assert(first:account()) end
    assert.equal(1, first:stats().connections)
    for _ = 1, 2 do assert(first:worker(ID):start { count = 1 }) end
    assert.equal(3, first:stats().connections)
  end)

  it("counts repeats, throttling and failures by kind, and the time between", function()
    server:fault { operation = "getAccount", times = 1, status = 503, body = "no" }
    server:fault { operation = "getAccount", nth = 2, code = 13000 }
    local slow = box.client(server, { retry = { base = 0.05, throttle_base = 0.05, random = function() return 1 end } })
    assert(slow:account())
    local all = slow:stats()
    assert.same({ server_error = 1, rate_limited = 1 }, all.failures)
    assert.same({ 3, 2, 1 }, { all.requests, all.retries, all.throttles })
    assert.is_true(math.abs(all.time.backoff - 0.15) < 1e-9, all.time.backoff)
    local _, err = slow:worker("nobody/nothing"):detail()
    assert.equal("not_found", err.kind)
    assert.same({ 1, 2 }, { slow:stats().failures.not_found, slow:stats().retries })
  end)

  it("counts what never came to a connection", function()
    local lost = box.client(server, { base_url = server.refused_url, retry = { attempts = 3, base = 0.001 } })
    lost:account()
    local all = lost:stats()
    assert.same({ network = 3 }, all.failures)
    assert.same({ 3, 0, 0, 2 }, { all.requests, all.connections, all.in_flight, all.retries })
  end)

  it("counts nothing that a hook stopped", function()
    local stopped = box.client(server, { on_request = function() return false end })
    stopped:account()
    assert.same({ 0, 0 }, { stopped:stats().requests, sum(stopped:stats().operations) })
  end)

  describe("tells where the time went:", function()
    it("waiting for the answer", function()
      local fresh, first = new_server()
      fresh:fault { operation = "getAccount", header_delay = 0.8 }
      assert(first:account())
      local time = first:stats().time
      assert.is_true(time.answering > 0.79, time.answering)
      assert.is_true(time.connecting > 0 and time.queued > 0)
      assert.is_true(time.answering > time.connecting + time.queued + time.receiving)
    end)

    it("receiving it", function()
      server:fault { operation = "getAccount", dribble = { bytes = 40, interval = 0.4 } }
      assert(client:account())
      local time = client:stats().time
      assert.is_true(time.receiving > 0.7, time.receiving)
      assert.is_true(time.receiving > time.connecting + time.queued + time.answering)
    end)

    it("in line for a connection", function()
      local fresh = box.start {}
      coreclaw.connections(1, 10)
      finally(function()
        coreclaw.connections(16, 256)
        fresh:stop()
      end)
      local first = box.client(fresh)
      fresh:fault { operation = "getAccount", header_delay = 0.3, times = 2 }
      local function ask() return assert(first:account()) end
      coreclaw.all { ask, ask }
      local all = first:stats()
      assert.is_true(all.time.queued > 0.29, all.time.queued)
      assert.is_true(all.time.answering > 0.59, all.time.answering)
      assert.equal(1, all.connections)
    end)

    it("also of what was given up", function()
      server:fault { operation = "getAccount", stall_after = 0 }
      local once = box.client(server, { retry = false })
      local _, err = once:account { timeout = 0.3 }
      assert.equal("timeout", err.kind)
      local all = once:stats()
      assert.same({ { timeout = 1 }, 0 }, { all.failures, all.in_flight })
      local spent = all.time.answering + all.time.receiving
      assert.is_true(spent > 0.25, spent)
    end)
  end)

  it("knows what is on its way", function()
    server:fault { operation = "getAccount", header_delay = 0.2, times = 2 }
    local task = coreclaw.spawn(function() return client:account() end)
    assert.equal(1, client:stats().in_flight)
    task:join()
    assert.equal(0, client:stats().in_flight)
    task = coreclaw.spawn(function() return client:account() end)
    task:cancel()
    pcall(task.join, task)
    assert.same({ 2, 0 }, { client:stats().requests, client:stats().in_flight })
    assert.equal(1, client:stats().failures.cancelled)
  end)

  it("counts pages that are read ahead and dropped", function()
    local run = assert(client:worker(ID):call { count = 60 })
    local before = client:stats()
    server:fault { operation = "listWorkerRunResults", delay = 0.05, times = 9 }
    local next_row = run:results { limit = 10, ahead = 3 }
    assert.is_table(next_row())
    next_row = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    for _ = 1, 200 do -- whoever waits takes what has ended
      coreclaw.sleep(0.05)
      if client:stats().in_flight == 0 then break end
    end
    local all = client:stats()
    assert.equal(sum(all.operations), all.requests)
    assert.is_true(all.requests > before.requests + 3)
    assert.equal(0, all.in_flight)
  end)

  it("goes on after the client was closed", function()
    assert(client:account())
    client:close()
    assert.equal(1, client:stats().requests)
  end)

  it("holds nothing secret and no identifier", function()
    for _, auth in ipairs { "bearer", "query" } do
      local own = box.client(server, { auth = auth })
      local run = assert(own:worker(ID):call { count = 1 })
      own:run "01KZS4D8M2XW7Q5T9BHNVRC3EA":reload()
      own:request { path = "/api/v2/worker-runs/" .. run.slug }
      local all = own:stats()
      for _, text in ipairs(texts(all)) do
        assert.is_nil(text:find(server.key, 1, true))
        assert.is_nil(text:find(run.slug, 1, true))
        assert.is_nil(text:find("01KZS4D8M2XW7Q5T9BHNVRC3EA", 1, true))
      end
      assert.equal(1, all.operations.request)
    end
  end)

  it("counts the same with API v1, by the names of v2", function()
    local old = box.client(server, { api = "v1" })
    assert(old:account())
    assert.same({ getAccount = 1 }, old:stats().operations)
  end)
end)

describe("coreclaw.prometheus", function()
  local stats = {
    requests = 3, in_flight = 1, connections = 2, bytes_sent = 10, bytes_received = 123456789012, retries = 1,
    throttles = 0, operations = { runWorker = 1, getWorkerRun = 2 }, failures = { network = 1 },
    time = { queued = 0, connecting = 0.0125, answering = 1.5, receiving = 2, backoff = 0.25 },
  }

  it("writes what Prometheus reads", function()
    assert.equal([[
# HELP coreclaw_requests_total HTTP requests sent, repeats included.
# TYPE coreclaw_requests_total counter
coreclaw_requests_total{operation="getWorkerRun"} 2
coreclaw_requests_total{operation="runWorker"} 1
# HELP coreclaw_failures_total HTTP requests that failed, by kind of error.
# TYPE coreclaw_failures_total counter
coreclaw_failures_total{kind="network"} 1
# HELP coreclaw_retries_total Repeats of failed requests.
# TYPE coreclaw_retries_total counter
coreclaw_retries_total 1
# HELP coreclaw_throttles_total Answers that said: too many requests.
# TYPE coreclaw_throttles_total counter
coreclaw_throttles_total 0
# HELP coreclaw_connections_total Connections opened.
# TYPE coreclaw_connections_total counter
coreclaw_connections_total 2
# HELP coreclaw_sent_bytes_total Bytes of bodies sent.
# TYPE coreclaw_sent_bytes_total counter
coreclaw_sent_bytes_total 10
# HELP coreclaw_received_bytes_total Bytes of bodies received, as they travelled.
# TYPE coreclaw_received_bytes_total counter
coreclaw_received_bytes_total 123456789012
# HELP coreclaw_request_seconds_total Time spent on requests that have ended, by state.
# TYPE coreclaw_request_seconds_total counter
coreclaw_request_seconds_total{state="answering"} 1.500000
coreclaw_request_seconds_total{state="backoff"} 0.250000
coreclaw_request_seconds_total{state="connecting"} 0.012500
coreclaw_request_seconds_total{state="queued"} 0
coreclaw_request_seconds_total{state="receiving"} 2
# HELP coreclaw_requests_in_flight HTTP requests on their way.
# TYPE coreclaw_requests_in_flight gauge
coreclaw_requests_in_flight 1
]], prometheus.text(stats))
  end)

  it("tells many apart by labels, under one heading each", function()
    local text = prometheus.text {
      { stats = stats, labels = { worker = 0, account = 'a "b"\\\n' } }, { stats = stats, labels = { worker = 1 } },
    }
    assert.truthy(text:find('coreclaw_requests_total{account="a \\"b\\"\\\\\\n",worker="0",operation="runWorker"} 1\n', 1, true))
    assert.truthy(text:find('coreclaw_retries_total{worker="1"} 1\n', 1, true))
    assert.equal(9, select(2, text:gsub("# TYPE", "")))
  end)

  it("refuses what is no such thing", function()
    assert.matches("must be given client:stats%(%)", box.raised(prometheus.text))
    assert.matches("labels must have names of letters", box.raised(prometheus.text, { { stats = stats, labels = { ["a-b"] = 1 } } }))
  end)

  it("reads what a client tells", function()
    local server = box.start {}
    local client = box.client(server)
    assert(client:account())
    server:stop()
    assert.truthy(prometheus.text(client:stats()):find('coreclaw_requests_total{operation="getAccount"} 1\n', 1, true))
  end)
end)

describe("hooks", function()
  local server
  setup(function() server = box.start { ready_for = 0.01 } end)
  teardown(function() server:stop() end)
  after_each(function() server:clear_faults() end)

  local function watched(options)
    local seen = {}
    for _, name in ipairs { "request", "response", "retry" } do
      options["on_" .. name] = function(event)
        event.hook = name
        seen[#seen + 1] = event
      end
    end
    return box.client(server, options), seen
  end

  it("name the call, its attempt, and a route that stays the same", function()
    for api, route in pairs { v2 = "/api/v2/worker-runs/{runId}", v1 = "/api/v1/run/detail" } do
      local client, seen = watched { api = api }
      local run = assert(client:worker(ID):start { count = 1 })
      server:fault { path = api == "v2" and "/worker.runs/" .. run.slug or route, times = 1, status = 503 }
      assert(run:reload())
      local first, list = seen[1].call, {}
      for i = 3, #seen do
        local e = seen[i]
        assert.is_true(e.call > first)
        list[#list + 1] = table.concat({ e.hook, e.operation, tostring(e.route), e.call - seen[3].call, e.attempt }, " ")
      end
      assert.same({
        "request getWorkerRun " .. route .. " 0 1", "response getWorkerRun " .. route .. " 0 1",
        "retry getWorkerRun " .. route .. " 0 1",
        "request getWorkerRun " .. route .. " 0 2", "response getWorkerRun " .. route .. " 0 2",
      }, list)
      for i = 3, 7 do assert.equal(api == "v2" and "GET" or "POST", seen[i].method) end
    end
  end)

  it("have no route for what is in no table", function()
    local client, seen = watched {}
    client:request { path = "/api/v2/store" }
    assert.same({ "GET /api/v2/store", nil }, { seen[1].operation, seen[1].route })
    local run, path = assert(client:worker(ID):call { count = 1 }), os.tmpname()
    assert(run:export(path))
    os.remove(path)
    assert.equal("response", seen[#seen].hook)
    assert.is_nil(seen[#seen].route)
    assert.equal("GET", seen[#seen].method)
    assert.is_true(seen[#seen].seconds > 0)
  end)

  it("tell when, and how long it took", function()
    local client, seen = watched {}
    server:fault { operation = "getAccount", header_delay = 0.2 }
    local before = os.time()
    assert(client:account())
    assert.is_true(seen[1].at >= before and seen[1].at <= os.time() + 1)
    assert.is_true(seen[2].seconds >= 0.2, seen[2].seconds)
    assert.is_true(math.abs(seen[2].at - seen[1].at - seen[2].seconds) < 0.5)
  end)

  it("tell of pages read ahead how long they took, not how long they lay there", function()
    local client, seen = watched {}
    local run = assert(client:worker(ID):call { count = 30 })
    local pages = 0
    for _ in run:pages { limit = 10, ahead = 2 } do
      pages = pages + 1
      coreclaw.sleep(0.8) -- the others come meanwhile
    end
    assert.equal(3, pages)
    local last = seen[#seen]
    assert.equal("listWorkerRunResults", last.operation)
    assert.is_true(last.seconds < 1.2, last.seconds)
  end)
end)
