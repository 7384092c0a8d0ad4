-- The engine as Lua sees it: ids, cancelling, waiting, lifetime.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local drain, finish, fails = scripted.drain, scripted.finish, scripted.fails

describe("engine", function()
  local server, engine, url

  setup(function()
    server = scripted.start()
    url = server.url
  end)

  teardown(function() server.stop() end)

  before_each(function() engine = core.engine({}) end)

  after_each(function() engine:close() end)

  describe("ids", function()
    it("are numbers that are not used twice", function()
      local seen = {}
      for _ = 1, 200 do
        local id = engine:submit({ url = url .. "/ok" })
        assert.equal("number", type(id))
        assert.truthy(id < 2 ^ 53 and id > 0)
        assert.is_nil(seen[id])
        seen[id] = true
        if id % 3 == 0 then finish(engine) end
      end
      finish(engine)
    end)

    it("are unknown once their result was taken", function()
      local first = engine:submit({ url = url .. "/ok" })
      finish(engine)
      assert.is_false(engine:cancel(first))
      local second = engine:submit({ url = url .. "/silent" }) -- the same slot
      assert.is_false(engine:cancel(first))
      assert.equal(1, engine:inflight())
      assert.is_true(engine:cancel(second))
    end)

    it("that nobody ever gave out cancel nothing", function()
      for _, id in ipairs({ 0, -1, 1, 1.5, 2 ^ 53, 2 ^ 60, 1 / 0, -1 / 0, 0 / 0 }) do
        assert.is_false(engine:cancel(id))
      end
    end)
  end)

  describe("cancel", function()
    it("ends a transfer in flight with kind cancelled", function()
      local id = engine:submit({ url = url .. "/silent" })
      engine:wait(0.1)
      assert.is_true(engine:cancel(id))
      assert.is_false(engine:cancel(id))
      local failure = fails(finish(engine)[1], "cancelled", "^cancelled$")
      assert.equal(0, engine:inflight())
      assert.equal("unknown", failure.sent)
      assert.is_false(failure.retryable)
    end)

    it("knows when nothing had been sent yet", function()
      local id = engine:submit({ url = "http://127.0.0.1:" .. server.full .. "/" })
      engine:wait(0.05)
      engine:cancel(id)
      assert.equal("no", finish(engine)[1].failure.sent)
    end)

    it("comes too late for what has ended", function()
      local id = engine:submit({ url = url .. "/ok" })
      while engine:wait(1) > 0 do end
      assert.is_false(engine:cancel(id))
      assert.equal("ok", drain(engine)[1].body)
    end)

    it("works in the middle of a body, and others go on", function()
      local stalled = engine:submit({ url = url .. "/stall" })
      local other = engine:submit({ url = url .. "/slow/200" })
      engine:wait(0.1)
      engine:cancel(stalled)
      local results = finish(engine)
      assert.equal(stalled, results[1].id)
      assert.equal(200, results[1].failure.status)
      assert.equal(other, results[2].id)
      assert.equal("ok", results[2].body)
    end)

    it("reaches what waits in line for a connection", function()
      engine:close()
      engine = core.engine({ max_host_connections = 1 })
      engine:submit({ url = url .. "/silent", timeout = 0.3 })
      local queued = engine:submit({ url = url .. "/ok" })
      engine:wait(0.05)
      assert.is_true(engine:cancel(queued))
      local result = finish(engine)[1]
      assert.same({ queued, "cancelled", "no" }, { result.id, result.failure.kind, result.failure.sent })
    end)
  end)

  describe("perform", function()
    it("sends, waits and gives the answer", function()
      local id, status, body, headers = engine:perform({ url = url .. "/slow/20" }, 10)
      assert.same({ "number", 200, "ok" }, { type(id), status, body })
      assert.truthy(headers:find("^HTTP/1.1 200"))
      assert.equal(0, engine:inflight())
      assert.is_nil(engine:next())
      for _ = 1, 100 do assert.equal("ok", select(3, engine:perform({ url = url .. "/ok" }, 10))) end
    end)

    it("gives the failure, also of what never began", function()
      local id, status, failure = engine:perform({ url = url .. "/silent", timeout = 0.05 }, 10)
      assert.same({ "number", "timeout" }, { type(id), failure.kind })
      assert.is_nil(status)
      assert.equal("network", select(3, engine:perform({ url = "http://127.0.0.1:1/" }, 10)).kind)
    end)

    it("gives the id alone of what has not ended in time, which goes on", function()
      local given = { engine:perform({ url = url .. "/slow/200" }, 0.02) }
      assert.equal(1, #given)
      assert.equal(1, engine:inflight())
      local result = finish(engine)[1]
      assert.same({ given[1], "ok" }, { result.id, result.body })
    end)

    it("takes nothing of what others wait for", function()
      local other = engine:submit({ url = url .. "/ok" })
      while engine:wait(1) > 0 do end
      local given = { engine:perform({ url = url .. "/slow/50" }, 10) }
      assert.equal(1, #given)
      local results = finish(engine)
      assert.same({ other, given[1] }, { results[1].id, results[2].id })
    end)

    it("wants seconds, and a request that can be sent", function()
      assert.has_error(function() engine:perform({ url = url .. "/ok" }) end)
      assert.has_error(function() engine:perform({ url = url .. "/ok" }, -1) end)
      assert.has_error(function() engine:perform({ url = "ftp://a/" }, 1) end)
      assert.has_error(function() engine:perform(nil, 1) end)
      assert.equal(0, engine:inflight())
    end)
  end)

  describe("many at once", function()
    it("200 transfers through one descriptor, in less than the time of ten", function()
      engine:close()
      engine = core.engine({ max_connections = 0, max_host_connections = 0 })
      local waiting, before = {}, core.now()
      for i = 1, 200 do waiting[engine:submit({ url = url .. "/slow/100" })] = i end
      assert.equal(200, engine:inflight())
      local fd = engine:fd()
      repeat
        assert.equal(fd, engine:fd())
        engine:wait(1)
        local left = engine:step()
        for _, result in ipairs(drain(engine)) do
          assert.equal("ok", result.body)
          assert.truthy(waiting[result.id])
          waiting[result.id] = nil
        end
      until left == 0
      assert.is_nil(next(waiting))
      assert.truthy(core.now() - before < 5 * scripted.patience, core.now() - before)
    end)

    it("do not wait for each other on a TLS server without HTTP/2", function()
      local before = core.now()
      for _ = 1, 16 do
        engine:submit({ url = ("https://127.0.0.1:%d/slow/200"):format(server.tls), ca_file = server.ca })
      end
      local results = finish(engine)
      assert.equal(16, #results)
      for _, result in ipairs(results) do assert.equal("ok", result.body) end
      assert.truthy(core.now() - before < 2 * scripted.patience, core.now() - before)
    end)

    it("line up for the connections that one host may have", function()
      engine:close()
      engine = core.engine({ max_host_connections = 4 })
      for _ = 1, 40 do engine:submit({ url = url .. "/ok" }) end
      local results = finish(engine)
      assert.equal(40, #results)
      for _, result in ipairs(results) do assert.equal("ok", result.body) end
    end)
  end)

  describe("wait", function()
    it("ends when the time is up", function()
      local before = core.now()
      engine:wait(0.1)
      local took = core.now() - before
      assert.truthy(took >= 0.099 and took < 1 * scripted.patience, took)
      engine:submit({ url = url .. "/silent" })
      assert.equal(1, engine:wait(0.05))
    end)

    it("ends as soon as something has ended", function()
      engine:submit({ url = url .. "/slow/50" })
      local before = core.now()
      assert.equal(0, engine:wait(10))
      assert.equal(0, engine:wait(10)) -- nobody has taken it yet
      assert.truthy(core.now() - before < 2 * scripted.patience)
      assert.equal(1, #drain(engine))
    end)

    it("takes seconds, and nothing else", function()
      assert.has_error(function() engine:wait() end)
      assert.has_error(function() engine:wait("soon") end)
      assert.has_error(function() engine:wait(-1) end)
      assert.has_error(function() engine:wait(0 / 0) end)
    end)
  end)
end)
