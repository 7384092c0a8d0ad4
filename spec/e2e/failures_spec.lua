-- When the world fails: every failure ends, has a kind, tells the truth about what was sent, and
-- a start is never paid for twice.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

local ENVELOPE = '{"code":%d,"message":"%s","details":%s,"request_id":"req-1"}'

local function envelope(code, message, details)
  return ENVELOPE:format(code, message or "told so", details or "null")
end

describe("failures", function()
  local server, client, worker, run

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
    run = assert(worker:call { count = 30 })
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function attempts()
    return #server:requests()
  end

  describe("of reads", function()
    it("are repeated until they pass", function()
      server:fault { operation = "getWorkerRun", times = 3, status = 500, body = envelope(10000) }
      assert(run:reload())
      assert.equal(4, attempts())
    end)

    it("end after five attempts, with the last answer's facts", function()
      server:fault { operation = "getWorkerRun", times = 99, status = 500, body = envelope(14000, "db") }
      local ok, err = run:reload()
      assert.is_nil(ok)
      assert.equal(5, attempts())
      assert.equal("server_error", err.kind)
      assert.equal(14000, err.code)
      assert.equal("DATABASE_ERROR", err.key)
      assert.equal(500, err.http_status)
      assert.equal("req-1", err.request_id)
      assert.equal("getWorkerRun", err.operation)
      assert.equal(5, err.attempts)
      assert.equal(run, err.run)
      assert.is_true(err.retryable)
    end)

    it("are repeated after a lost connection and an error code inside HTTP 200", function()
      server:fault { operation = "getWorkerRun", times = 1, close = "before" }
      assert(run:reload())
      server:fault { operation = "getWorkerRun", times = 1, status = 200, body = envelope(13000) }
      assert(run:reload())
      server:fault { operation = "getWorkerRun", times = 1, raw = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{" }
      assert(run:reload())
    end)

    it("honour Retry-After, and give up at once if it does not fit the deadline", function()
      server:fault {
        operation = "getAccount", times = 1, status = 429, body = envelope(13000),
        headers = { ["Retry-After"] = "1" },
      }
      local since = os.time()
      assert(client:account())
      assert.is_true(os.time() > since)
      server:fault {
        operation = "getAccount", times = 1, status = 429, body = envelope(13000),
        headers = { ["Retry-After"] = "3600" },
      }
      local ok, err = client:account()
      assert.is_nil(ok)
      assert.equal("rate_limited", err.kind)
      assert.equal(3600, err.retry_after)
      assert.equal(1, err.attempts)
    end)

    it("are not repeated when that cannot help", function()
      local ok, err = client:run("01KZS4D8M2XW7Q5T9BHNVRC3EA"):reload()
      assert.is_nil(ok)
      assert.equal("not_found", err.kind)
      assert.equal("refused", err.sent)
      assert.equal(1, attempts())
    end)

    it("are not repeated when retry is off", function()
      server:fault { operation = "getAccount", times = 1, status = 503, body = "<html>" }
      local _, err = box.client(server, { retry = false }):account()
      assert.equal("server_error", err.kind)
      assert.equal(1, attempts())
    end)
  end)

  local answers = {
    { "HTML from a front end", { status = 502, body = "<html><h1>Bad gateway" }, "server_error", "<html><h1>Bad gateway" },
    { "an empty answer", { status = 200, body = "" }, "bad_response", "it is empty" },
    { "text that is no JSON", { status = 200, body = "hello\1\2" }, "bad_response", 'begins with "hello "' },
    { "JSON cut short", { status = 200, body = '{"code":0,"data":{"a":' }, "bad_response", "cannot be read" },
    { "JSON that is no object", { status = 200, body = "[1,2]" }, "bad_response", "no integer code" },
    { "JSON that is a string", { status = 200, body = '"ok"' }, "bad_response", "no object" },
    { "an envelope without a code", { status = 200, body = '{"data":{}}' }, "bad_response", "no integer code" },
    { "a code that is text", { status = 200, body = '{"code":"0"}' }, "bad_response", "no integer code" },
    { "code 0 under HTTP 500", { status = 500, body = '{"code":0}' }, "server_error", "no message" },
    { "a redirect", { status = 302, headers = { Location = "http://127.0.0.1:9/" }, body = "" }, "redirect", "302" },
    { "a wrong key", { status = 401, body = envelope(12002) }, "authentication", "told so" },
    { "an expired key", { status = 401, body = envelope(20002) }, "authentication", "told so" },
    { "no right", { status = 403, body = "no" }, "forbidden", "HTTP 403" },
    { "no balance", { status = 400, body = envelope(30001) }, "insufficient_balance", "told so" },
    { "the plan's limit", { status = 400, body = envelope(30003) }, "plan_limit", "told so" },
    { "an unknown code", { status = 400, body = envelope(77777, "odd") }, "bad_request", "odd" },
    { "an unknown code under 200", { status = 200, body = envelope(77777, "odd") }, "api_error", "odd" },
    { "refused fields", { status = 422, body = envelope(11000, "invalid argument", '["too large (query.limit: 500)"]') },
      "bad_request", "query.limit: 500" },
    { "not implemented", { status = 200, body = envelope(16000) }, "not_implemented", "told so" },
    { "details as objects", { status = 400, body = envelope(11000, "bad", '[{"field":"x"}]') }, "bad_request", "bad" },
    { "no HTTP at all", { raw = "SSH-2.0-OpenSSH_9.2\r\n" }, "bad_response", "." },
  }
  for _, case in ipairs(answers) do
    it("are told apart: " .. case[1], function()
      local fault = { operation = "getAccount", times = 1 }
      for name, value in pairs(case[2]) do fault[name] = value end
      server:fault(fault)
      local ok, err = box.client(server, { retry = false }):account()
      assert.is_nil(ok)
      assert.is_true(coreclaw.is_error(err))
      assert.equal(case[3], err.kind)
      assert.is_truthy(tostring(err):find(case[4], 1, true), tostring(err))
      assert.is_nil(tostring(err):find("[%z\1-\31]"))
    end)
  end

  it("of the key come from the real check", function()
    local _, err = box.client(server, { api_key = "sandbox-not-this-one" }):account()
    assert.equal("authentication", err.kind)
    assert.equal(12002, err.code)
    assert.equal(401, err.http_status)
  end)

  it("never show the key, even if the server echoes it", function()
    server:fault {
      operation = "getAccount", times = 9, status = 400,
      body = envelope(11000, "token " .. server.key, '["' .. server.key .. '"]'),
    }
    for _, auth in ipairs { "bearer", "api_key", "query" } do
      local _, err = box.client(server, { auth = auth }):account()
      assert.is_nil(tostring(err):find(server.key, 1, true))
      for _, value in pairs(err) do
        assert.is_nil(tostring(type(value) == "table" and value[1] or value):find(server.key, 1, true))
      end
    end
    local nowhere = coreclaw.new { api_key = server.key, base_url = "http://127.0.0.1:1", auth = "query", retry = false }
    local _, err = nowhere:account()
    assert.is_nil(tostring(err):find(server.key, 1, true))
  end)

  describe("of connections", function()
    it("say that nothing was sent", function()
      local nowhere = coreclaw.new { api_key = "k", base_url = "http://127.0.0.1:1", retry = { base = 0.001 } }
      local _, err = nowhere:worker("a/b"):start {}
      assert.equal("network", err.kind)
      assert.equal("no", err.sent)
      assert.equal("COULDNT_CONNECT", err.key)
      assert.equal(5, err.attempts)
      assert.matches("127%.0%.0%.1", err.message)
    end)

    it("end by the deadline", function()
      server:fault { operation = "getAccount", times = 9, delay = 3 }
      local core = require "coreclaw.core"
      local since = core.now()
      local _, err = client:account { timeout = 0.3 }
      assert.equal("timeout", err.kind)
      assert.is_true(core.now() - since < 1.3)
    end)

    it("end when nothing moves any more", function()
      server:fault { operation = "getAccount", times = 1, delay = 3 }
      local _, err = box.client(server, { idle_timeout = 0.2, retry = false }):account()
      assert.equal("timeout", err.kind)
      assert.matches("0%.2", err.message)
    end)

    it("end at the ceiling of an answer", function()
      local _, err = box.client(server, { max_body = 1000, retry = false }):worker("demo/rows"):detail()
      assert.equal("too_large", err.kind)
      assert.is_truthy(err.message:find("1000", 1, true))
    end)
  end)

  describe("of a start", function()
    local function paid(fn)
      local before = server:paid()
      local handle, err = fn()
      return server:paid() - before, handle, err
    end

    it("is paid for once when the answer is lost, and says that nobody knows", function()
      server:fault { operation = "runWorker", times = 1, close = "after" }
      local n, handle, err = paid(function() return worker:start { count = 1 } end)
      assert.is_nil(handle)
      assert.equal(1, n)
      assert.equal(1, attempts())
      assert.equal("unknown_outcome", err.kind)
      assert.equal("unknown", err.sent)
      assert.is_false(err.retryable)
      assert.equal("demo~rows", err.worker)
      assert.is_true(err.window.from <= err.window.to)
      assert.equal("network", err.cause.kind)
    end)

    it("is not resent on a connection that the server drops while it is reused", function()
      assert(client:account()) -- leaves a connection in the pool
      server:reset_requests()
      server:fault { operation = "runWorker", times = 1, close = "after" }
      local n, _, err = paid(function() return worker:start { count = 1 } end)
      assert.equal(1, n)
      assert.equal(1, attempts())
      assert.equal("unknown_outcome", err.kind)
    end)

    local lost = {
      { "HTTP 500 without an envelope", { status = 500, body = "<html>" } },
      { "code 10000", { status = 500, body = envelope(10000) } },
      { "code 14000", { status = 200, body = envelope(14000) } },
      { "code 50002", { status = 400, body = envelope(50002) } },
      { "an unreadable success", { status = 200, body = '{"code":0,"da' } },
      { "a success without a run_slug", { status = 200, body = '{"code":0,"data":{}}' } },
      { "a success with data null", { status = 200, body = '{"code":0,"data":null}' } },
      { "HTTP 429 from a front end", { status = 429, body = "slow down" } },
      { "a cut answer", { raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"code\":0" } },
    }
    for _, case in ipairs(lost) do
      it("is not repeated after " .. case[1], function()
        local fault = { operation = "runWorker", times = 1 }
        for name, value in pairs(case[2]) do fault[name] = value end
        server:fault(fault)
        local handle, err = worker:start { count = 1 }
        assert.is_nil(handle)
        assert.equal("unknown_outcome", err.kind)
        assert.equal(1, attempts())
      end)
    end

    it("is repeated when the platform says too many requests in its own envelope", function()
      server:fault { operation = "runWorker", times = 2, status = 429, body = envelope(13000) }
      local n, handle = paid(function() return worker:start { count = 1 } end)
      assert.is_table(handle)
      assert.equal(1, n)
      assert.equal(3, attempts())
    end)

    it("is refused as what it is", function()
      local _, err = client:worker("nobody/nothing"):start {}
      assert.equal("not_found", err.kind)
      assert.equal(50001, err.code)
      _, err = worker:start({ count = 1 }, { version = "latest" })
      assert.equal("version_unavailable", err.kind)
      assert.equal(2, attempts())
    end)

    it("times out without being repeated", function()
      server:fault { operation = "runWorker", times = 1, delay = 2 }
      local _, err = worker:start({ count = 1 }, { timeout = 0.3 })
      assert.equal("unknown_outcome", err.kind)
      assert.equal("timeout", err.cause.kind)
      assert.equal(1, attempts())
    end)
  end)

  describe("of an abort", function()
    it("whose answer was lost are settled by the run's state", function()
      local going = assert(worker:start { count = 200, delay = 0.05 })
      server:fault { operation = "abortWorkerRun", times = 1, close = "after" }
      assert.equal(going, assert(going:abort()))
    end)
  end)

  describe("while waiting", function()
    it("that pass do not lose the run from sight", function()
      local going = assert(worker:start { count = 3, delay = 0.05 })
      server:fault { operation = "getWorkerRun", times = 12, status = 503, body = "<html>" }
      assert.equal("succeeded", assert(going:wait { timeout = 30 }).status)
    end)

    it("that do not pass end the wait", function()
      local going = assert(worker:start { count = 3, delay = 0.05 })
      server:fault { operation = "getWorkerRun", times = 1, status = 401, body = envelope(12002) }
      local ok, err = going:wait { timeout = 30 }
      assert.is_nil(ok)
      assert.equal("authentication", err.kind)
      assert.equal(going, err.run)
    end)

    it("end with the last failure as cause when the time is up", function()
      local going = assert(worker:start { count = 1 })
      server:fault { operation = "getWorkerRun", times = 999, status = 503, body = "<html>" }
      local _, err = going:wait { timeout = 0.5 }
      assert.equal("wait_timeout", err.kind)
      assert.equal("server_error", err.cause.kind)
    end)

    it("a status without an end is looked at a bounded number of times", function()
      local going = assert(worker:start { count = 1 })
      server:fault {
        operation = "getWorkerRun", times = 999, status = 200,
        body = '{"code":0,"data":{"status":"aborting","results":5}}',
      }
      assert.equal(going, assert(going:wait { timeout = 30, poll_intervals = { 0.01 } }))
      assert.equal("aborting", going.status)
      assert.is_false(going:is_final())
      assert.is_true(attempts() <= 13)
    end)

    it("an unknown status word is waited through", function()
      local going = assert(worker:start { count = 1 })
      server:fault {
        operation = "getWorkerRun", times = 2, status = 200,
        body = '{"code":0,"data":{"status":"pausing","results":0}}',
      }
      local seen = {}
      assert(going:wait { timeout = 30, on_update = function(r) seen[r.status] = true end })
      assert.is_true(seen.pausing)
      assert.equal("succeeded", going.status)
    end)

    it("a detail without a status is an error", function()
      server:fault { operation = "getWorkerRun", times = 1, status = 200, body = '{"code":0,"data":null}' }
      local _, err = run:reload()
      assert.equal("bad_response", err.kind)
    end)
  end)

  describe("of paging", function()
    local function page_body(list, extra)
      return '{"code":0,"data":{"count":30,"headers":[],"list":' .. list .. (extra or "") .. "}}"
    end

    it("are raised by the iterator as the error object, at their place", function()
      server:fault { operation = "listWorkerRunResults", nth = 3, times = 99, status = 400, body = envelope(11000) }
      local n = 0
      local err = box.raised(function()
        for _ in run:results { limit = 10 } do n = n + 1 end
      end)
      assert.equal(20, n)
      assert.is_true(coreclaw.is_error(err))
      assert.equal("bad_request", err.kind)
    end)

    it("a server that serves page 1 again is noticed", function()
      server:fault {
        operation = "listWorkerRunResults", times = 99, status = 200,
        body = page_body '[{"a":1},{"a":2}]',
      }
      local n = 0
      local err = box.raised(function()
        for _ in run:results { limit = 2 } do n = n + 1 end
      end)
      assert.equal(2, n)
      assert.equal("page_drift", err.kind)
      assert.is_truthy(err.message:find("page 2 is page 1 again", 1, true))
    end)

    it("is noticed though the caller changed the rows", function()
      server:fault {
        operation = "listWorkerRunResults", times = 99, status = 200,
        body = page_body '[{"a":1},{"a":2}]',
      }
      local err = box.raised(function()
        for row in run:results { limit = 2 } do row.a = nil end
      end)
      assert.equal("page_drift", err.kind)
    end)

    it("alike rows are no drift until nobody would believe it", function()
      server:fault {
        operation = "listWorkerRunResults", times = 3, status = 200,
        body = page_body '[{"a":1},{"a":1}]',
      }
      local n = 0
      for row in run:results { limit = 2, ahead = 0 } do -- what is left in flight would meet the next fault
        n = n + 1
        if row.index then break end
      end
      assert.equal(7, n)
    end)

    it("another page than asked for is noticed", function()
      server:fault {
        operation = "listWorkerRunResults", times = 1, status = 200,
        body = page_body('[{"a":1}]', ',"page_index":1'),
      }
      local _, err = run:results_page { page = 2, limit = 1 }
      assert.equal("page_drift", err.kind)
    end)

    it("more rows than asked for are noticed", function()
      server:fault {
        operation = "listWorkerRunResults", times = 1, status = 200, body = page_body "[{},{},{}]",
      }
      local _, err = run:results_page { limit = 2 }
      assert.equal("page_drift", err.kind)
    end)

    it("pages that the server cut short in the middle are noticed", function()
      server:fault {
        operation = "listWorkerRunResults", times = 1, status = 200, body = page_body '[{"a":1},{"a":2}]',
      }
      local err = box.raised(box.collect, run:results { limit = 10 })
      assert.equal("page_drift", err.kind)
      assert.is_truthy(err.message:find("not full", 1, true))
    end)

    it("a total that is too high does not keep the iterator from ending", function()
      local calm = assert(worker:call { count = 12 })
      server:fault {
        operation = "listWorkerRunResults", nth = 2, times = 1, status = 200,
        body = page_body '[{"a":1},{"a":2}]',
      }
      assert.equal(12, #box.collect(calm:results { limit = 10 }))
    end)

    it("absent, null and empty data are an empty page", function()
      for _, body in ipairs { '{"code":0}', '{"code":0,"data":null}', '{"code":0,"data":{"list":null}}' } do
        server:fault { operation = "listWorkerRunResults", times = 1, status = 200, body = body }
        assert.same({}, box.collect(run:results()))
      end
    end)
  end)

  describe("of pages that lack their list", function()
    local function broken(body, nth)
      server:fault { operation = "listWorkerRunResults", nth = nth, status = 200, body = body }
      local n = 0
      local err = box.raised(function()
        for _ in run:results { limit = 10 } do n = n + 1 end
      end)
      server:clear_faults()
      return n, err.kind
    end

    it("are no end of the rows", function()
      assert.same({ 0, "bad_response" }, { broken('{"code":0,"data":{"status":"running"}}', 1) })
      assert.same({ 10, "bad_response" }, { broken('{"code":0,"data":{"count":30}}', 2) })
      assert.same({ 10, "page_drift" }, { broken('{"code":0}', 2) })
      assert.same({ 20, "page_drift" }, { broken('{"code":0,"data":{"list":null}}', 3) })
    end)

    it("are one where nothing is counted", function()
      server:fault { operation = "listWorkerRunResults", status = 200, body = '{"code":0,"data":{"count":0}}' }
      assert.same({}, box.collect(run:results()))
      server:fault { operation = "listWorkerRunResults", nth = 2, status = 200, body = '{"code":0,"data":{"count":30,"list":[]}}' }
      assert.equal(10, #box.collect(run:results { limit = 10 }))
    end)
  end)

  it("a sync answer that was cut gives a handle to wait on", function()
    local cut = box.start { sync_wait = 0.2 }
    local sync_client = box.client(cut)
    local res = assert(sync_client:worker("demo/rows"):run_sync { count = 20, delay = 0.05 })
    assert.is_false(res.finished)
    assert.is_false(res.run:is_final())
    assert.equal("succeeded", assert(res.run:wait()).status)
    assert.equal(20, #box.collect(res.run:results()))
    cut:stop()
  end)

  it("a sync answer with nothing but a run_slug will do", function()
    server:fault { operation = "runWorker", times = 1, status = 200, body = '{"code":0,"data":{"run_slug":"01KX"}}' }
    local res = assert(worker:run_sync { count = 1 })
    assert.is_false(res.finished)
    assert.equal("01KX", res.run.slug)
    assert.same({}, res.list)
  end)

  it("a log of strings reads like one of objects", function()
    server:fault {
      operation = "getWorkerRunLog", times = 1, status = 200,
      body = '{"code":0,"data":{"all_logs_url":"","list":["Run started"],"result_count":1}}',
    }
    local log = assert(run:log())
    assert.same({ { text = "Run started" } }, log.entries)
    assert.is_nil(log.url)
  end)
end)
