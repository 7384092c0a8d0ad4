-- coreclaw.meter: what transfers have cost, whoever has them and however they end.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

describe("a meter", function()
  local server, other, engine, meter

  setup(function() server, other = scripted.start(), scripted.start() end)
  teardown(function()
    server.stop()
    other.stop()
  end)
  before_each(function() engine, meter = core.engine({}), core.meter() end)
  after_each(function() engine:close() end)

  local function submit(path, options)
    options = options or {}
    options.url, options.meter = server.url .. path, meter
    return engine:submit(options)
  end

  local function finish() return scripted.finish(engine)[1] end

  it("counts bodies, both ways", function()
    submit("/ok", { method = "POST", body = ("x"):rep(100000) })
    assert.equal(200, finish().status)
    local now = meter:read()
    assert.same({ 1, 0, 1, 100000, 2 },
      { now.requests, now.in_flight, now.connections, now.bytes_sent, now.bytes_received })
  end)

  it("counts all rounds of a redirect, also to another host", function()
    submit("/redirect/ok", { follow = true })
    assert.equal("ok", finish().body)
    local now = meter:read()
    assert.same({ 1, 1, #"go on" + #"ok" }, { now.requests, now.connections, now.bytes_received })
    submit("/elsewhere/127.0.0.1:" .. other.port .. "/ok", { follow = true })
    assert.equal("ok", finish().body)
    now = meter:read()
    assert.same({ 2, 2, 2 * (#"go on" + #"ok") }, { now.requests, now.connections, now.bytes_received })
    assert.is_true(now.time.answering > 0 and now.time.connecting > 0)
  end)

  it("is asked while transfers are on their way, and counts those that were cancelled", function()
    local id = submit("/silent")
    engine:wait(0.3)
    assert.same({ 1, 1 }, { meter:read().requests, meter:read().in_flight })
    engine:cancel(id)
    finish()
    local now = meter:read()
    assert.same({ 0, 0 }, { now.in_flight, now.bytes_received })
    assert.is_true(now.time.answering > 0.1, now.time.answering)
  end)

  it("counts what an engine took with it when it was closed", function()
    for _ = 1, 3 do submit("/silent") end
    engine:close()
    assert.same({ 3, 0 }, { meter:read().requests, meter:read().in_flight })
  end)

  it("may be gone before its transfers", function()
    submit("/ok")
    meter = nil
    collectgarbage()
    collectgarbage()
    assert.equal(200, finish().status)
  end)

  it("outlives engines, and serves several", function()
    local second = core.engine({})
    engine:submit({ url = server.url .. "/ok", meter = meter })
    second:submit({ url = server.url .. "/ok", meter = meter })
    scripted.finish(engine)
    scripted.finish(second)
    second:close()
    engine:close()
    assert.same({ 2, 2, 4 }, { meter:read().requests, meter:read().connections, meter:read().bytes_received })
  end)

  it("is the only thing that counts", function()
    for _, wrong in ipairs({ {}, "x", engine, 1 }) do
      local ok, err = pcall(engine.submit, engine, { url = server.url, meter = wrong })
      assert.is_false(ok)
      assert.matches('field "meter" must be a coreclaw.meter, got', err, 1, true)
    end
    assert.is_false(pcall(meter.read, {}))
    assert.is_false(pcall(meter.read, engine))
    assert.equal(0, meter:read().requests)
  end)
end)
