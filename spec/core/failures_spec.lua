-- Answers that are none, TLS that must not be trusted, and what messages must not say.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local fetch, fails = scripted.fetch, scripted.fails

describe("failures", function()
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

  describe("broken answers", function()
    local cases = {
      { "/close", "network", "closed the connection without an answer", 52 },
      { "/reset", "network", "the connection to 127.0.0.1:%d+ broke", 56 },
      { "/short", "network", "is cut short.*90 bytes", 18, 200 },
      { "/cut-chunk", "network", "", 18, 200 },
      { "/bad-chunk", "network", "", 56, 200 },
      { "/bad-gzip", "bad_response", "cannot be decompressed", 61, 200 },
      { "/garbage", "bad_response", "did not answer in HTTP", 1 },
    }
    for _, case in ipairs(cases) do
      it(case[1] .. " is " .. case[2], function()
        local failure = fails(get(case[1]), case[2], case[3])
        assert.equal(case[4], failure.code)
        assert.equal(case[5], failure.status)
        assert.equal("unknown", failure.sent)
        assert.equal(case[2] == "network", failure.retryable)
      end)
    end

    it("a server that hangs up before it listens", function()
      local failure = fails(get(nil, { url = "http://127.0.0.1:" .. server.close .. "/" }), "network")
      assert.truthy(failure.code == 52 or failure.code == 56 or failure.code == 55)
      assert.equal("unknown", failure.sent)
    end)

    it("nobody listens", function()
      local failure = fails(get(nil, { url = "http://127.0.0.1:1/", once = true }), "network",
        "^cannot connect to 127.0.0.1:1: Connection refused$")
      assert.equal("no", failure.sent)
      assert.equal("COULDNT_CONNECT", failure.name)
    end)

    it("nobody has that name", function()
      local failure = fails(get(nil, { url = "http://no-such-host.invalid/", once = true }), "network",
        '^cannot resolve the host name "no%-such%-host.invalid"')
      assert.equal("no", failure.sent)
    end)

    it("a proxy that is not there is named, not the host behind it", function()
      local failure = fails(get("/ok", { proxy = "http://me:secret@127.0.0.1:1", once = true }), "network",
        "^cannot connect to 127.0.0.1:1: ")
      assert.equal("no", failure.sent)
      fails(get("/ok", { proxy = "http://no-such-host.invalid" }), "network", "proxy's host name")
    end)
  end)

  describe("TLS", function()
    local function tls(options)
      options.url = options.url or ("https://127.0.0.1:%d/ok"):format(server.tls)
      return get(nil, options)
    end

    it("is verified, and the refusal says what to do", function()
      local failure = fails(tls({ once = true }), "tls", "ca_file")
      assert.equal("PEER_FAILED_VERIFICATION", failure.name)
      assert.equal("no", failure.sent)
      assert.is_false(failure.retryable)
      assert.truthy(failure.message:find("127.0.0.1:" .. server.tls, 1, true))
    end)

    it("trusts a ca_file", function()
      assert.equal("ok", tls({ ca_file = server.ca }).body)
    end)

    it("takes what it trusts for this request only", function()
      assert.equal("ok", tls({ ca_file = server.ca, once = true }).body)
      fails(tls({ once = true }), "tls")
    end)

    it("wants the right host", function()
      local wrong = ("https://127.0.0.2:%d/ok"):format(server.wrong)
      fails(tls({ url = wrong, ca_file = server.ca }), "tls", "belongs to another host")
    end)

    it("can be told to trust anybody", function()
      assert.equal("ok", tls({ verify = false }).body)
    end)

    it("says when ca_file or ca_path is not there", function()
      fails(tls({ ca_file = "/no/such/file.pem" }), "tls", "check ca_file")
      fails(tls({ ca_path = "/no/such/folder" }), "tls", "not accepted")
    end)

    it("spoken to a server that does not", function()
      local options = { url = ("https://127.0.0.1:%d/"):format(server.port), once = true }
      local failure = fails(get(nil, options), "tls")
      assert.equal("no", failure.sent)
    end)
  end)

  describe("secrets", function()
    it("are in no message", function()
      local urls = {
        "http://user:sekret@127.0.0.1:1/?token=sekret",
        "http://user:sekret@no-such-host.invalid/?token=sekret#sekret",
        "https://user:sekret@127.0.0.1:" .. server.tls .. "/?token=sekret",
        "http://sekret@127.0.0.1:" .. server.port .. "/close?token=sekret",
        "http://sekret@127.0.0.1:" .. server.port .. "/garbage?token=sekret",
        "http://sekret@127.0.0.1:" .. server.port .. "/elsewhere/a:sekret@127.0.0.1:1/?token=sekret",
      }
      for _, where in ipairs(urls) do
        local failure = get(nil, { url = where, follow = true, timeout = 5 }).failure
        assert.truthy(#failure.message > 10)
        assert.is_nil(failure.message:find("sekret", 1, true), failure.message)
      end
    end)
  end)
end)
