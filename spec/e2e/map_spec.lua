-- Many runs of one Worker: all of them, no more than allowed at once, and few requests.

local box = require "spec.support.box"
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local fleet = require "coreclaw.fleet"
local map = require "coreclaw.map"

local ENVELOPE = '{"code":%d,"message":"told so","request_id":"req-1"}'

describe("client:map", function()
  local server, client

  setup(function()
    server = box.start {
      ready_for = 0.02,
      accounts = {
        { key = "sandbox-free", plan = "free" }, { key = "sandbox-poor", balance = 0 }, { key = "sandbox-many" },
      },
    }
    client = box.client(server, { poll_intervals = { 0.05 } })
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function inputs(n, input_of)
    local list = {}
    for i = 1, n do list[i] = input_of and input_of(i) or { count = i } end
    return list
  end

  -- All items, by their index; each must come once.
  local function collect(iterator)
    local by_index, n = {}, 0
    for item in iterator do
      assert.is_nil(by_index[item.index])
      by_index[item.index], n = item, n + 1
    end
    return by_index, n
  end

  local function requests(operation)
    local list = {}
    for _, request in ipairs(server:requests()) do
      if request.operation == operation then list[#list + 1] = request end
    end
    return list
  end

  -- Two that wait for a place in a full plan would start the same input twice.
  it("is read from by one task at a time: others are refused, and nothing is paid for twice", function()
    local free = box.client(server, { api_key = "sandbox-free", poll_intervals = { 0.05 } })
    local before, seen, refused = server:paid(), 0, 0
    local iterator = free:map("demo/rows", inputs(8, function() return { count = 1, wait = 0.1 } end), { concurrency = 8 })
    coreclaw.run(function()
      for _ = 1, 3 do
        coreclaw.spawn(function()
          local ok, err = pcall(function() for _ in iterator do seen = seen + 1 end end)
          if not ok and tostring(err):find("this iterator is being read from already", 1, true) then refused = refused + 1 end
        end)
      end
    end)
    -- PUC Lua 5.1 blocks inside pcall: there the first has read all before the others begin.
    local blocks = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
    assert.same({ 8, blocks and 0 or 2 }, { seen, refused })
    assert.equal(before + 8, (server:paid()))
  end)

  it("yields every item once, with its input and its run", function()
    local given = inputs(12)
    local items, n = collect(map.new(client, "demo/rows", given))
    assert.equal(12, n)
    for i, item in ipairs(items) do
      assert.equal(given[i], item.input)
      assert.is_nil(item.err)
      assert.equal("succeeded", item.run.status)
      assert.equal(i, item.run.results_count)
    end
    assert.equal(12, #requests "runWorker")
  end)

  it("yields them as they end, not as they began", function()
    local order = {}
    local given = { { count = 1, wait = 1 }, { count = 1 }, { count = 1, wait = 0.4 } }
    for item in map.new(client, "demo/rows", given, { concurrency = 3 }) do order[#order + 1] = item.index end
    assert.same({ 2, 3, 1 }, order)
  end)

  it("takes an iterator, reads it no further than needed, and none or no inputs", function()
    local given = 0
    local next_item = map.new(client, client:worker "demo/rows", function()
      if given < 5 then
        given = given + 1
        return { count = 1 }
      end
    end, { concurrency = 2 })
    assert.equal("succeeded", next_item().run.status)
    assert.is_true(given <= 4)
    local _, n = collect(next_item)
    assert.equal(4, n)
    assert.is_nil(next_item())
    assert.is_nil(map.new(client, "demo/rows", {})())
    assert.is_nil(map.new(client, "demo/rows", function() end)())
  end)

  it("never has more runs at once than it may", function()
    local runs, most = {}, 0
    local given = inputs(15, function() return { count = 1, wait = 0.1 } end)
    local _, n = collect(map.new(client, "demo/rows", given, {
      concurrency = 4,
      on_start = function(item)
        runs[#runs + 1] = item.run
        local going = 0
        for _, run in ipairs(runs) do
          if not run:is_final() then going = going + 1 end
        end
        most = math.max(most, going)
      end,
    }))
    assert.equal(15, n)
    assert.equal(15, #runs)
    assert.equal(4, most)
  end)

  it("looks at all its runs with one request", function()
    local given = inputs(45, function() return { count = 1, wait = 0.5 } end)
    local _, n = collect(map.new(client, "demo/rows", given, { concurrency = 45 }))
    assert.equal(45, n)
    -- One by one, even a single look at each would be 45.
    local list, single = #requests "listWorkerRuns", #requests "getWorkerRun"
    assert.is_true(list > 1 and list + single < 40, list .. " and " .. single)
  end)

  it("does not lose the others when one fails, is refused, or makes no sense", function()
    local given = inputs(10)
    given[2] = { count = 3, fail_at = 2, fail_message = "the shop is closed" }
    given[4] = { count = print }
    given[5] = "coffee"
    given[6] = { "a", "list" }
    server:fault { operation = "runWorker", nth = 3, times = 1, status = 400, body = ENVELOPE:format(50003) }
    local items, n = collect(map.new(client, "demo/rows", given, { concurrency = 1 }))
    assert.equal(10, n)
    assert.equal("run_failed", items[2].err.kind)
    assert.equal("failed", items[2].run.status)
    assert.matches("the shop is closed", tostring(items[2].err))
    assert.equal("version_unavailable", items[3].err.kind)
    assert.is_nil(items[3].run)
    assert.matches("input.count", items[4].err.message)
    assert.equal("no", items[4].err.sent)
    for i = 4, 6 do assert.equal("bad_request", items[i].err.kind) end
    for _, i in ipairs { 1, 7, 8, 9, 10 } do assert.is_nil(items[i].err) end
    assert.equal(7, #requests "runWorker")
  end)

  it("reports a start whose outcome is unknown, and never makes it again", function()
    local before = server:paid()
    server:fault { operation = "runWorker", nth = 2, times = 1, close = "after" }
    local items, n = collect(map.new(client, "demo/rows", inputs(4)))
    assert.equal(4, n)
    assert.equal("unknown_outcome", items[2].err.kind)
    assert.is_nil(items[2].run)
    assert.equal(4, #requests "runWorker")
    assert.equal(4, server:paid() - before)
  end)

  it("waits where the plan allows no further run, or not if so told", function()
    local free = box.client(server, { api_key = "sandbox-free", poll_intervals = { 0.05 } })
    local given = inputs(9, function() return { count = 1, wait = 0.3 } end)
    local items, n = collect(map.new(free, "demo/rows", given, { concurrency = 6 }))
    assert.equal(9, n)
    for _, item in ipairs(items) do assert.is_nil(item.err) end
    -- Not all were let in at the first try, or there was nothing to wait for.
    assert.is_true(#requests "runWorker" > 9)
    local blocker = assert(free:worker "demo/rows":start { count = 1, wait = 20 })
    local second = assert(free:worker "demo/rows":start { count = 1, wait = 20 })
    while second.status ~= "running" or blocker.status ~= "running" do
      assert(blocker:reload())
      assert(second:reload())
    end
    items = collect(map.new(free, "demo/rows", inputs(2), { wait_for_slot = false }))
    assert.equal("plan_limit", items[1].err.kind)
    assert.equal("plan_limit", items[2].err.kind)
    items = collect(map.new(free, "demo/rows", inputs(1), { timeout = 0.4 }))
    assert.equal("plan_limit", items[1].err.kind)
    assert(blocker:abort())
    assert(second:abort())
  end)

  it("reports each item where no start can succeed", function()
    local poor = box.client(server, { api_key = "sandbox-poor" })
    local given = 0
    local next_item = map.new(poor, "demo/rows", function()
      given = given + 1
      return { count = 1 }
    end)
    for _ = 1, 3 do assert.equal("insufficient_balance", next_item().err.kind) end
    assert.equal(3, given)
  end)

  it("gives up a run that takes too long, which goes on", function()
    local items, n = collect(map.new(client, "demo/rows", {
      { count = 1 }, { count = 500, delay = 0.05 }, { count = 2 },
    }, { timeout = 1 }))
    assert.equal(3, n)
    assert.is_nil(items[1].err)
    assert.equal("wait_timeout", items[2].err.kind)
    assert.equal(items[2].run, items[2].err.run)
    assert(items[2].run:reload())
    assert.equal("running", items[2].run.status)
    assert(items[2].run:abort())
  end)

  it("holds to the time of each run where the list does not come", function()
    server:fault { operation = "listWorkerRuns", stall_after = 0, times = 99 }
    server:fault { operation = "getWorkerRun", stall_after = 0, times = 99 }
    local before = core.now()
    local items = collect(client:map("demo/rows", inputs(3, function() return { count = 1, wait = 30 } end),
      { timeout = 0.5 }))
    assert.is_true(core.now() - before < 8)
    for i = 1, 3 do assert.equal("wait_timeout", items[i].err.kind) end
  end)

  it("tells data from diagnostic rows with require = \"data\"", function()
    local items = collect(map.new(client, "demo/rows", {
      { count = 1 }, { count = 1, kind = "diagnostic" }, { count = 0 },
    }, { require = "data" }))
    assert.is_nil(items[1].err)
    assert.matches("ERROR_RECORD", items[2].err.message)
    assert.matches("NO_DATA", items[3].err.message)
    assert.equal("succeeded", items[2].run.status)
  end)

  it("hands the options of a start on", function()
    collect(map.new(client, "demo/rows", { { count = 1 } }, {
      system = { memory = 512, proxy_region = "PT" }, version = "v1.1.0", callback_url = server.hook_url .. "map",
    }))
    local body = requests "runWorker"[1].body
    for _, text in ipairs { '"memory":512', '"proxy_region":"PT"', '"version":"v1.1.0"', "hook" } do
      assert.is_truthy(body:find(text, 1, true), body)
    end
  end)

  it("asks run by run where the list does not help", function()
    for _, fault in ipairs {
      { status = 403, body = "no" },
      { status = 200, body = '{"code":0,"message":"","data":{"count":0,"list":[]}}' },
      { status = 200, body = '{"code":0,"message":"","data":{}}' },
    } do
      fault.operation, fault.times = "listWorkerRuns", 1000
      server:fault(fault)
      local items, n = collect(map.new(client, "demo/rows", inputs(4)))
      assert.equal(4, n)
      for _, item in ipairs(items) do assert.is_nil(item.err) end
      assert.is_true(#requests "getWorkerRun" > 0)
      server:clear_faults()
    end
  end)

  it("goes on through failures that pass", function()
    local patient = box.client(server, { retry = false, poll_intervals = { 0.05 } })
    server:fault { operation = "listWorkerRuns", probability = 0.4, seed = 2, status = 503, body = "<html>" }
    server:fault { operation = "getWorkerRun", probability = 0.4, seed = 3, close = "before" }
    local items, n = collect(map.new(patient, "demo/rows", inputs(8, function() return { count = 1, wait = 0.2 } end)))
    assert.equal(8, n)
    for _, item in ipairs(items) do assert.is_nil(item.err) end
  end)

  it("reports a run that cannot be found any more", function()
    server:fault { operation = "listWorkerRuns", times = 1000, status = 403, body = "no" }
    local items, n = collect(map.new(client, "demo/rows", inputs(3, function() return { count = 1, wait = 0.4 } end), {
      on_start = function(item)
        if item.index == 1 then
          local path = item.run.slug .. "$"
          server:fault { operation = "getWorkerRun", times = 1000, path = path, status = 404, body = ENVELOPE:format(70001) }
        elseif item.index == 2 then
          -- Not to be found yet, for a moment.
          server:fault { operation = "getWorkerRun", path = item.run.slug, status = 404, body = ENVELOPE:format(70001) }
        end
      end,
    }))
    assert.equal(3, n)
    local lost = 0
    for _, item in ipairs(items) do
      if item.err then
        lost = lost + 1
        assert.equal("not_found", item.err.kind)
        assert.equal(item.run, item.err.run)
      end
    end
    assert.equal(1, lost)
  end)

  describe("reads the states of 200 runs", function()
    local slow, all, worker, runs, since

    setup(function()
      slow = box.start { ready_for = 60 }
      all = box.client(slow)
      worker, runs, since = all:worker "demo/rows", {}, os.time()
      for i = 1, 200 do runs[i] = assert(worker:start { count = 0 }) end
    end)
    teardown(function() slow:stop() end)

    local function read(some, from)
      slow:reset_requests()
      for _, run in ipairs(some) do run.raw = nil end
      assert.same({}, fleet.read({ client = all, worker_id = worker.id }, some, from or since))
      for _, run in ipairs(some) do assert.equal(run.slug, run.raw.slug) end
      local counts = { listWorkerRuns = 0, getWorkerRun = 0 }
      for _, request in ipairs(slow:requests()) do
        counts[request.operation] = counts[request.operation] + 1
      end
      return counts
    end

    it("with two requests", function()
      assert.same({ listWorkerRuns = 2, getWorkerRun = 0 }, read(runs))
    end)

    it("and a few that stand far down one by one, where that is cheaper", function()
      assert.same({ listWorkerRuns = 0, getWorkerRun = 1 }, read { runs[1] })
      assert.same({ listWorkerRuns = 1, getWorkerRun = 1 }, read { runs[1], runs[150], runs[200] })
      assert.same({ listWorkerRuns = 2, getWorkerRun = 0 }, read { runs[1], runs[2], runs[200] })
    end)

    it("across months, with the times that the list wants", function()
      local counts = read(runs, since - 40 * 86400)
      assert.equal(0, counts.getWorkerRun)
      -- One more in the last minutes of a month, when the platform may be in the next one.
      assert.is_true(counts.listWorkerRuns == 2 or counts.listWorkerRuns == 3)
      for _, request in ipairs(slow:requests()) do
        assert.matches("start_time=%d+", request.query)
        assert.matches("end_time=%d+", request.query)
      end
    end)
  end)

  it("checks its options and inputs before it starts anything", function()
    for _, case in ipairs {
      { { {} }, { concurrency = 0 }, "concurrency must be" },
      { { {} }, { concurency = 2 }, "did you mean concurrency" },
      { { {} }, { raw_input = {} }, "unknown" },
      { { {} }, { system = { memory = 1 } }, "memory" },
      { { {} }, { callback_url = "x" }, "callback_url must be" },
      { "x", nil, "inputs must be a list" },
      { { count = 1 }, nil, "inputs must be a list of tables, got one table with fields" },
      { nil, nil, "inputs must be a list" },
    } do
      assert.matches(case[3], box.raised(map.new, client, "demo/rows", case[1], case[2]))
    end
    assert.same({}, server:requests())
  end)
end)
