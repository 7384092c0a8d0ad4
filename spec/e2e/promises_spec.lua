-- What the review of issue 2 found: each test states a promise of the README or of the issue.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"

describe("promises", function()
  local server, client, worker

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function answer(operation, body, status, times)
    server:fault { operation = operation, times = times or 1, status = status or 200, body = body }
  end

  local function seconds(fn)
    local started = core.now()
    fn()
    return core.now() - started
  end

  describe("about money", function()
    it("call checks poll_intervals before it starts anything", function()
      local before = server:paid()
      for _, intervals in ipairs { {}, { "x" }, { -1 } } do
        assert.matches("promises_spec%.lua:%d+: worker:call: poll_intervals", box.raised(function()
          worker:call({ count = 1 }, { poll_intervals = intervals })
        end))
      end
      assert.equal(before, (server:paid()))
    end)

    it("a retry function of the caller's own does not make a start be paid twice", function()
      local before = server:paid()
      local eager = box.client(server, {
        retry = function(_, _, attempt) return attempt < 3 and 0.01 or nil end,
      })
      server:fault { operation = "runWorker", times = 2, close = "after" }
      local run, err = eager:worker("demo/rows"):start { count = 1 }
      assert.is_nil(run)
      assert.equal("unknown_outcome", err.kind)
      assert.equal(before + 1, (server:paid()))
    end)

    it("call does not say refused of a run that it has started", function()
      local before = server:paid()
      answer("getWorkerRun", '{"code":12002,"message":"invalid token"}', 401)
      local run, err = worker:call { count = 1 }
      assert.is_nil(run)
      assert.equal("authentication", err.kind)
      assert.equal("yes", err.sent)
      assert.is_string(err.run.slug)
      assert.equal(before + 1, server:paid())
      assert.equal("succeeded", assert(err.run:wait()).status)
    end)

    it("nor does map", function()
      server:fault { operation = "getWorkerRun", times = 1, status = 401, code = 12002 }
      local items = box.collect(client:map(worker, { { count = 1 } }))
      assert.equal("authentication", items[1].err.kind)
      assert.equal("yes", items[1].err.sent)
      assert.is_string(items[1].run.slug)
    end)

    -- (A thread sends at once: there nothing is between.)
    if not core.always_threaded then
      -- As Ctrl-C does it in the lua program, where a method of the engine is called.
      local function start_interrupted(method)
        local engine_method = debug.getregistry()["coreclaw.engine"].__index[method]
        local jit = rawget(_G, "jit")
        if jit then jit.off() end
        local ok, err = pcall(function()
          debug.sethook(function()
            if debug.getinfo(2, "f").func == engine_method then error("interrupted", 0) end
          end, "c")
          worker:start { count = 1 }
        end)
        debug.sethook()
        if jit then jit.on() end
        assert.same({ false, "interrupted" }, { ok, err })
      end

      it("a start that was interrupted before it was sent is not sent later", function()
        local before = server:paid()
        start_interrupted "perform"
        assert(client:account())
        local other = coreclaw.spawn(function() coreclaw.sleep(0.2) end)
        start_interrupted "wait" -- as calls wait while there are tasks
        other:join()
        assert(client:account())
        coreclaw.sleep(0.2)
        assert.equal(before, (server:paid()))
      end)

      it("a start that was interrupted while its answer was awaited is not on its way any more", function()
        local before = server:paid()
        server:fault { operation = "runWorker", times = 1, delay = 1.5 }
        start_interrupted "wait" -- the second look
        assert(client:account())
        assert.equal(0, client:stats().in_flight)
        assert.is_true((server:paid()) <= before + 1)
      end)
    end

    it("what comes of a request that has left needs no file to be loaded", function()
      server:fault { operation = "getAccount", times = 1, delay = 1.3 }
      server:fault { path = "/api/v2/store", times = 1, status = 503 }
      server:fault { operation = "runWorker", agent = "late", times = 1, close = "after" }
      local i = 0
      while arg[i - 1] do i = i - 1 end
      local pipe = io.popen(string.format("CORECLAW_API_KEY=%s %s spec/support/late.lua %s http://127.0.0.1:1 2>&1",
        server.key, arg[i], server.url))
      local output = pipe:read "*a"
      pipe:close()
      assert.equal("slow\tanswered\tnil\nrefused\tnetwork\t2\nagain repeated\tanswered\tnil\n"
        .. "paid\tunknown_outcome\t1\n", output)
    end)

    it("a rerun without an answer says which run and which Worker to look for", function()
      local run = assert(worker:call { count = 1 })
      server:fault { operation = "rerunWorkerRun", times = 1, close = "after" }
      local _, err = run:rerun()
      assert.equal("unknown_outcome", err.kind)
      assert.equal(run, err.run)
      assert.is_string(err.worker)
    end)
  end)

  describe("about the key", function()
    it("a key given where the options belong is not shown", function()
      assert.is_nil(box.raised(coreclaw.new, "sk-live-0123456789"):find("0123", 1, true))
      assert.is_nil(box.raised(coreclaw.new, { api_key = 1234567890 }):find("1234", 1, true))
    end)

    it("not even a part of it is in an error", function()
      answer("getAccount", "<html>" .. ("x"):rep(114 - #server.key) .. " " .. server.key .. " tail", 502)
      local _, err = box.client(server, { retry = false }):account()
      assert.is_nil(tostring(err):find(server.key:sub(1, 12), 1, true))
    end)

    it("nor percent-encoded, nor as a field's name, nor deep in the details", function()
      local key = "ab+cd/ef==0123456789"
      answer("getAccount", '{"code":11000,"message":"bad url ?token=ab%2Bcd%2Fef%3D%3D0123456789","details":'
        .. '[{"' .. key .. '":1},[[[[["' .. key .. '"]]]]]]}', 400)
      local _, err = box.client(server, { retry = false, api_key = key, auth = "query" }):account()
      assert.is_nil(tostring(err):find("0123456789", 1, true))
      assert.is_nil(coreclaw.json.encode(err.details):find("0123456789", 1, true))
    end)

    it("nor from a log line or a request_id", function()
      answer("getWorkerRunLog", '{"code":0,"data":{"list":[{"type":4,"content":"401 for Bearer '
        .. server.key .. '"}]}}')
      local _, err = worker:call { count = 1, fail_at = 1 }
      assert.is_nil(tostring(err):find(server.key, 1, true))
      answer("runWorker", '{"code":0,"data":{},"request_id":"' .. server.key .. '"}')
      _, err = worker:start { count = 1 }
      assert.is_nil(tostring(err):find(server.key, 1, true))
    end)
  end)

  describe("about time", function()
    it("wait ends by its timeout though the client has none", function()
      local run = assert(box.client(server, { timeout = 0 }):worker("demo/rows"):start { count = 99, delay = 0.1 })
      server:fault { operation = "getWorkerRun", times = 99, delay = 4 }
      assert.is_true(seconds(function() assert.is_nil(run:wait { timeout = 0.5 }) end) < 2)
    end)

    it("call and run_sync end by their timeout though the log of a failed run hangs", function()
      server:fault { operation = "getWorkerRunLog", times = 99, delay = 5 }
      assert.is_true(seconds(function()
        local _, err = worker:call({ count = 1, fail_at = 1 }, { timeout = 1 })
        assert.equal("run_failed", err.kind)
      end) < 2.2)
      assert.is_true(seconds(function()
        local _, err = worker:run_sync({ count = 1, fail_at = 1 }, { timeout = 1 })
        assert.equal("run_failed", err.kind)
      end) < 2.2)
    end)

    it("abort ends by its timeout though the state cannot be read", function()
      local run = assert(worker:start { count = 99, delay = 0.1 })
      server:fault { operation = "abortWorkerRun", times = 1, close = "after" }
      server:fault { operation = "abortWorkerRun", times = 9, status = 400, code = 70002 }
      server:fault { operation = "getWorkerRun", times = 99, delay = 5 }
      assert.is_true(seconds(function() run:abort { timeout = 1 } end) < 2.2)
    end)

    it("a very short timeout is short, not none", function()
      server:fault { operation = "runWorker", times = 1, delay = 3 }
      assert.is_true(seconds(function() worker:run_sync({ count = 1 }, { timeout = 1e-9 }) end) < 1)
    end)
  end)

  describe("about errors", function()
    it("they print as one line whatever the platform says", function()
      local bodies = {
        '{"code":11000,"message":"a\\nb\\u0000c\\u001b[31m"}',
        '{"code":11000,"message":"a","details":["x\\r\\ny"]}',
        '{"code":11000,"message":"a","request_id":"x\\nforged line"}',
        '{"code":11000,"message":"' .. ("m"):rep(1000000) .. '"}',
      }
      for _, body in ipairs(bodies) do
        answer("getAccount", body, 400)
        local _, err = box.client(server, { retry = false }):account()
        assert.is_nil(tostring(err):find "[%z\1-\31\127]")
        assert.is_true(#tostring(err) < 2000)
      end
    end)

    it("an odd entry of the store is the platform's fault, told by the error object", function()
      for _, item in ipairs { "null", "1", '"x"', "{}", '{"path":"a b"}' } do
        answer("listStore", '{"code":0,"data":{"scraper":[' .. item .. "]}}")
        local ok, err = pcall(client:store())
        assert.is_true(ok or coreclaw.is_error(err), tostring(err))
      end
    end)

    it("nulls do not get into handles", function()
      answer("runWorker", '{"code":0,"request_id":null,"data":{"run_slug":"01KX","run_status":"running",'
        .. '"execution_start_timestamp":null,"execution_end_timestamp":null,"running_duration":null}}')
      local run = assert(worker:run_sync { count = 1 }).run
      for _, name in ipairs { "request_id", "started_at", "finished_at", "duration" } do
        assert.is_nil(run[name])
      end
    end)

    it("a count of rows that is no integer does not break tostring", function()
      answer("getWorkerRun", '{"code":0,"data":{"status":"running","results":5.5}}')
      assert.is_string(tostring(assert(client:run("01KX"):reload())))
    end)

    it("a failed sync run says why, in the platform's words", function()
      answer("runWorker", '{"code":0,"data":{"run_slug":"01KX","run_status":"failed",'
        .. '"error_message":"the shop is closed"}}')
      local _, err = worker:run_sync { count = 1 }
      assert.matches("the shop is closed", tostring(err))
    end)
  end)

  it("ids that libcurl would take for a step in the path are refused", function()
    for _, fn in ipairs {
      function() client:run "." end, function() client:worker "." end, function() client:worker "%2e" end,
    } do
      assert.is_string(box.raised(fn))
    end
    assert.same({}, server:requests())
  end)

  it("sizes that the core refuses are refused by coreclaw.new, at the caller's line", function()
    assert.matches("promises_spec%.lua:%d+: .*max_body", box.raised(function() coreclaw.new { max_body = 1e300 } end))
    assert.matches("promises_spec%.lua:%d+: .*base_url", box.raised(function() coreclaw.new { base_url = "https://:80" } end))
  end)

  it("the key does not go to a proxy of the environment when the API is on this very machine", function()
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("print(require('coreclaw').new { retry = false, timeout = 2 }:account())")
    file:close()
    local pipe = io.popen(string.format(
      "http_proxy=http://127.0.0.1:1 CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s %s %s 2>&1",
      server.key, server.url, arg[i], path))
    local output = pipe:read "*a"
    pipe:close()
    os.remove(path)
    assert.matches("^table", output)
  end)

  it("a page that lies beyond the count is noticed: rows are doubled", function()
    answer("listWorkerRunResults", '{"code":0,"data":{"count":1,"list":[{"a":1}]}}', 200, 5000)
    local n = 0
    local err = box.raised(function()
      for _ in client:run("01KX"):results { limit = 1 } do n = n + 1 end
    end)
    assert.equal("page_drift", err.kind)
    assert.is_true(n <= 2, n .. " rows of a run that has one")
  end)

  it("digits of a log's group survive", function()
    answer("getWorkerRunLog", '{"code":0,"data":{"list":[{"type":4,"content":"x","group":1782091200000001}]}}')
    assert.equal("1782091200000001", assert(client:run("01KX"):log()).entries[1].group)
  end)
end)
