-- Ceilings in time and size: each ends the transfer with its own words.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local drain, fetch, fails = scripted.drain, scripted.fetch, scripted.fails

describe("limits", function()
  local server, engine, url

  setup(function()
    server = scripted.start()
    url = server.url
  end)

  teardown(function() server.stop() end)

  before_each(function() engine = core.engine({}) end)

  after_each(function() engine:close() end)

  local function get(path, options)
    options = options or {}
    options.url = options.url or (url .. path)
    return fetch(engine, options)
  end

  describe("limits in time", function()
    local function timed(path, options, kind, pattern)
      local before = core.now()
      local failure = fails(get(path, options), kind or "timeout", pattern)
      return failure, core.now() - before
    end

    it("connect_timeout: nobody answers the call", function()
      local full = "http://127.0.0.1:" .. server.full .. "/"
      local failure, took = timed(nil, { url = full, connect_timeout = 0.2 }, "timeout",
        "^no connection to 127.0.0.1:%d+ within 0.2 s %(connect_timeout%)$")
      assert.equal("no", failure.sent)
      assert.equal(28, failure.code)
      assert.equal("OPERATION_TIMEDOUT", failure.name)
      assert.is_true(failure.retryable)
      assert.truthy(took > 0.15 and took < 1.5 * scripted.patience, took)
    end)

    it("connect_timeout: TLS that never comes about", function()
      local mute = "https://127.0.0.1:" .. server.mute .. "/"
      local failure = timed(nil, { url = mute, connect_timeout = 0.2 }, "timeout", "connect_timeout")
      assert.equal("no", failure.sent)
    end)

    it("timeout: no answer", function()
      local failure, took = timed("/silent", { timeout = 0.2 }, "timeout",
        "^no answer from 127.0.0.1:%d+ within 0.2 s %(timeout%)$")
      assert.equal("unknown", failure.sent)
      assert.is_nil(failure.status)
      assert.truthy(took > 0.15 and took < 1.5 * scripted.patience, took)
    end)

    it("timeout: half an answer", function()
      local failure = timed("/stall", { timeout = 0.2 }, "timeout",
        "not complete within 0.2 s %(timeout%), 10 bytes of the body came$")
      assert.equal(200, failure.status)
    end)

    it("timeout: not even connected", function()
      local full = "http://127.0.0.1:" .. server.full .. "/"
      local failure = timed(nil, { url = full, timeout = 0.2 }, "timeout", "^no connection to .*timeout%)$")
      assert.equal("no", failure.sent)
    end)

    it("timeout: still waiting in line for a connection", function()
      engine:close()
      engine = core.engine({ max_host_connections = 1 })
      engine:submit({ url = url .. "/silent", timeout = 0.5 })
      local failure, took = timed("/ok", { timeout = 0.2 })
      assert.equal("no", failure.sent)
      assert.truthy(took < 1.5 * scripted.patience, took)
    end)

    it("idle_timeout: no first byte", function()
      timed("/silent", { idle_timeout = 0.2 }, "timeout", "no byte moved for 0.2 s %(idle_timeout%)$")
    end)

    it("idle_timeout: silence inside the body", function()
      local failure = timed("/stall", { idle_timeout = 0.2 }, "timeout",
        "stopped sending for 0.2 s %(idle_timeout%), 10 bytes into the body$")
      assert.equal(200, failure.status)
    end)

    it("idle_timeout lets a slow answer live as long as something comes", function()
      local before = core.now()
      assert.equal(("x"):rep(10), get("/drip/10/60", { idle_timeout = 0.3 }).body)
      assert.truthy(core.now() - before > 0.5)
    end)

    it("idle_timeout: a body that nobody reads", function()
      local mute = "http://127.0.0.1:" .. server.mute .. "/"
      local body = ("b"):rep(32 * 2 ^ 20)
      local failure, took = timed(nil, { url = mute, method = "POST", body = body, idle_timeout = 0.3 }, "timeout",
        "no byte moved for 0.3 s")
      assert.equal("unknown", failure.sent)
      assert.truthy(took < 3 * scripted.patience, took)
    end)

    it("none: what is slow arrives", function()
      assert.equal("ok", get("/slow/300", { connect_timeout = 0, idle_timeout = 0, timeout = 0 }).body)
      assert.equal("ok", get("/slow/1", { timeout = math.huge, connect_timeout = math.huge }).body)
    end)

    it("hold for an engine that is only stepped from outside", function()
      engine:fd()
      engine:submit({ url = url .. "/silent", timeout = 0.2 })
      local before = core.now()
      while engine:step() > 0 do assert.truthy(core.now() - before < 5 * scripted.patience) end
      fails(drain(engine)[1], "timeout")
    end)
  end)

  describe("limits in size", function()
    it("body: a length that is too long is refused before it is read", function()
      local failure = fails(get("/body/1000", { max_body = 999 }), "too_large", "max_body %(999 bytes%)")
      assert.equal(200, failure.status)
      assert.equal("unknown", failure.sent)
      assert.equal(1000, #get("/body/1000", { max_body = 1000 }).body)
    end)

    it("body: without a length, and without an end", function()
      fails(get("/endless", { max_body = 100000, timeout = 5 }), "too_large", "max_body")
    end)

    it("body: 100 MB in 100 KB", function()
      fails(get("/bomb", { max_body = 2 ^ 20 }), "too_large", "max_body %(1048576 bytes%)")
    end)

    it("body: the default is 64 MiB", function()
      fails(get("/bomb"), "too_large", "max_body %(67108864 bytes%)")
    end)

    it("headers: too many", function()
      local failure = fails(get("/headers/20000", { max_headers = 10000 }), "too_large",
        "max_headers %(10000 bytes%)")
      assert.equal(200, failure.status)
      assert.equal("ok", get("/headers/20000", { max_headers = 30000 }).body)
    end)

    it("headers: one line longer than libcurl takes", function()
      fails(get("/long-line/150000"), "too_large", "max_headers")
    end)

    it("headers: more than libcurl takes in all", function()
      fails(get("/headers/400000", { max_headers = 10 ^ 6 }), "too_large", "max_headers")
    end)

    it("headers: interim answers without end", function()
      fails(get("/interim-forever", { timeout = 5 }), "too_large", "max_headers")
    end)

    it("of zero refuse everything", function()
      fails(get("/ok", { max_body = 0 }), "too_large", "max_body")
      fails(get("/ok", { max_headers = 0 }), "too_large", "max_headers")
      assert.equal("", get("/body/0", { max_body = 0 }).body)
    end)
  end)
end)
