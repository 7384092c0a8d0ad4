-- Never pay twice: how often a request leaves this machine, and whether we know.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local finish, fetch = scripted.finish, scripted.fetch

describe("a request that costs money", function()
  local server, engine, url, trial = nil, nil, nil, 0

  setup(function()
    server = scripted.start()
    url = server.url
  end)

  teardown(function() server.stop() end)

  before_each(function()
    engine = core.engine({})
    trial = trial + 1
  end)

  after_each(function() engine:close() end)

  local function arrived(key)
    return tonumber(fetch(engine, { url = url .. "/count/" .. key }).body)
  end

  -- A connection that is kept and reused, and a server that drops it after it has read the POST.
  local function spring_the_trap(once)
    local key = ("trap%d"):format(trial)
    assert.equal("ok", fetch(engine, { url = url .. "/ok" }).body)
    local result = fetch(engine, { url = url .. "/drop/" .. key, method = "POST", body = "{}", once = once })
    return arrived(key), result
  end

  it("is sent twice by libcurl when a reused connection dies, and reported as a success", function()
    local times, result = spring_the_trap(false)
    assert.equal(2, times) -- without this the next test would show nothing
    assert.equal(200, result.status)
  end)

  it("is sent once with once", function()
    local times, result = spring_the_trap(true)
    assert.equal(1, times)
    assert.equal("paid", result.body)
  end)

  it("is sent once with once when its own connection dies, and nobody claims to know", function()
    local key = ("take%d"):format(trial)
    local result = fetch(engine, { url = url .. "/take/" .. key, method = "POST", body = "{}", once = true })
    assert.equal(1, arrived(key))
    assert.equal("network", result.failure.kind)
    assert.equal("unknown", result.failure.sent)
  end)

  it("finds its way over TLS where nobody speaks HTTP/2", function()
    local result = fetch(engine, {
      url = ("https://127.0.0.1:%d/ok"):format(server.tls), ca_file = server.ca, once = true,
    })
    assert.truthy(result.headers:find("^HTTP/1.1 200"))
  end)

  it("is guarded by libcurl's question before it sends, unless this libcurl is old", function()
    local old = os.getenv("BUILD") == "build/unguarded" or core.curl.version_num < 0x075000
    assert.equal(not old, core.curl.guards)
  end)

  describe("sent", function()
    -- Where it failed -> what is known about it. "no" is certain from the code alone where the
    -- connection is its own; "early" is known only where libcurl asks before it sends.
    local function known(phase, once)
      if core.curl.guards then return phase == "unknown" and phase or "no" end
      return phase == "no" and once and "no" or "unknown"
    end
    local function ports() return server end
    local phases = {
      { "no", "the name does not resolve", function() return { url = "http://no-such-host.invalid/" } end },
      { "no", "nobody listens", function() return { url = "http://127.0.0.1:1/" } end },
      { "early", "nobody picks up", function()
        return { url = ("http://127.0.0.1:%d/"):format(ports().full), connect_timeout = 0.1 }
      end },
      { "early", "nobody picks up, by the total limit", function()
        return { url = ("http://127.0.0.1:%d/"):format(ports().full), timeout = 0.1 }
      end },
      { "early", "TLS does not come about", function()
        return { url = ("https://127.0.0.1:%d/"):format(ports().mute), timeout = 0.1 }
      end },
      { "no", "the certificate is not trusted", function()
        return { url = ("https://127.0.0.1:%d/ok"):format(ports().tls) }
      end },
      { "no", "the other side does not speak TLS", function()
        return { url = ("https://127.0.0.1:%d/"):format(ports().port) }
      end },
      { "no", "the proxy is not there", function() return { url = url .. "/ok", proxy = "http://127.0.0.1:1" } end },
      { "unknown", "it hangs up at once", function()
        return { url = ("http://127.0.0.1:%d/"):format(ports().close) }
      end },
      { "unknown", "it hangs up after reading", function() return { url = url .. "/close" } end },
      { "unknown", "it resets", function() return { url = url .. "/reset" } end },
      { "unknown", "it stays silent", function() return { url = url .. "/silent", timeout = 0.1 } end },
      { "unknown", "it stops half-way", function() return { url = url .. "/stall", idle_timeout = 0.1 } end },
      { "unknown", "it talks nonsense", function() return { url = url .. "/garbage" } end },
      { "unknown", "it says too much", function() return { url = url .. "/body/100", max_body = 10 } end },
    }
    for _, phase in ipairs(phases) do
      for _, once in ipairs({ true, false }) do
        it(("is %s when %s (once = %s)"):format(phase[1], phase[2], tostring(once)), function()
          local options, expected = phase[3](), known(phase[1], once)
          options.once, options.method, options.body = once, "POST", "{}"
          local failure = fetch(engine, options).failure
          assert.equal(expected, failure.sent, failure.message)
        end)
      end
    end

    it("is unknown when a reused connection died and the second one cannot be made", function()
      -- The request went out on the first: a code that says "could not connect" would be a lie.
      local own = scripted.start()
      local base = own.url
      assert.equal("ok", fetch(engine, { url = base .. "/ok" }).body)
      engine:submit({ url = base .. "/silent", method = "POST", body = "{}" })
      engine:wait(0.1)
      own.stop()
      local failure = finish(engine)[1].failure
      assert.equal("network", failure.kind)
      assert.equal("unknown", failure.sent)
    end)

    it("is exact for what was cancelled", function()
      local sent = engine:submit({ url = url .. "/silent", once = true })
      local unsent = engine:submit({ url = ("http://127.0.0.1:%d/"):format(server.full), once = true })
      engine:wait(0.1)
      engine:cancel(sent)
      engine:cancel(unsent)
      local said = {}
      for _, result in ipairs(finish(engine)) do said[result.id] = result.failure.sent end
      assert.same({ [sent] = "unknown", [unsent] = core.curl.guards and "no" or "unknown" }, said)
    end)
  end)
end)
