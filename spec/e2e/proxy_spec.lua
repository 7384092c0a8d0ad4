-- Through proxies: who sees what, and what is known of a start that did not get through.
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local python = require "spec.support.python"
local scripted = require "spec.support.scripted"

local SLUG = "01KZS4D8M2XW7Q5T9BHNVRC3EA"
local KEY = "sekret-api-key"

describe("a proxy", function()
  local server

  setup(function() server = python.start "proxy_server" end)
  teardown(function() server.stop() end)

  local function log_of(name) return scripted.get("http://127.0.0.1:" .. server.log .. "/" .. name) end

  before_each(function() log_of "" end)

  local function proxy(scheme, name, password)
    return scheme .. "://me:" .. (password or "se%2Fk%40ret") .. "@127.0.0.1:" .. server[name]
  end

  -- The name is one that nobody but a proxy of this server can resolve.
  local function client(url, options)
    local all = {
      base_url = "https://api.example:" .. server.tls, api_key = KEY, ca_file = server.ca, proxy = url,
      timeout = 20, retry = { base = 0.01 },
    }
    for name, value in pairs(options or {}) do all[name] = value end
    return coreclaw.new(all)
  end

  local function plain(options)
    options = options or {}
    options.base_url, options.allow_http = "http://api.example:" .. server.plain, true
    return options
  end

  local function count(text, word)
    return select(2, text:gsub(word, ""))
  end

  local function works(c)
    assert.equal("1", assert(c:account()).balance)
    assert.equal(SLUG, assert(c:worker "a/b":start {}).slug)
  end

  it("with the right password lets everything through, and sees neither key nor request", function()
    works(client(proxy("http", "http")))
    local seen = log_of "http"
    assert.matches("^CONNECT api%.example:%d+ HTTP/1%.1\r\n", seen)
    assert.is_nil(seen:find(KEY, 1, true))
    assert.is_nil(seen:lower():find("\nauthorization:", 1, true))
    assert.is_nil(seen:find("/api/", 1, true))
    local behind = log_of "tls"
    assert.is_truthy(behind:find("Bearer " .. KEY, 1, true))
    assert.is_nil(behind:lower():find("proxy%-"))
    assert.equal(1, count(behind, "POST "))
  end)

  it("of plain http too, and its password does not travel on", function()
    works(client(proxy("http", "http"), plain()))
    assert.matches("^GET http://api%.example:%d+/", log_of "http")
    assert.equal(1, count(log_of "plain", "POST "))
    assert.is_nil(log_of("plain"):lower():find("proxy%-auth"))
  end)

  it("of SOCKS5 resolves the name with socks5h, and only then", function()
    works(client(proxy("socks5h", "socks")))
    assert.equal("name api.example\nname api.example\n", log_of "socks")
    local _, err = client(proxy("socks5", "socks"), { retry = false }):account()
    assert.matches("cannot resolve the host name of api%.example:%d+.*socks5h", err.message)
    works(client(proxy("socks5", "socks"), { base_url = "https://127.0.0.1:" .. server.tls }))
    assert.matches("address 127.0.0.1\n$", log_of "socks")
  end)

  -- Nothing but the words of the refusal may differ.
  local function refuses(url, options, kind, pattern, expected)
    local run, err = client(url, options):worker "a/b":start {}
    assert.is_nil(run)
    assert.same(expected, { err.kind, err.sent, err.retryable, err.attempts }, err.message)
    assert.matches(pattern, err.message)
    for _, secret in ipairs { KEY, "se/k@ret", "se%2Fk%40ret", "sekret", "bad%-password" } do
      assert.is_nil(tostring(err):find(secret, 1, true), tostring(err))
    end
    local account, read = client(url, options):account()
    assert.is_nil(account)
    assert.equal(kind, read.kind)
    assert.equal("", log_of "tls")
    assert.equal("", log_of "plain")
  end

  it("with the wrong password says so, once, and nothing was sent", function()
    local final = { "network", "no", false, 1 }
    refuses(proxy("http", "http", "bad-password"), {}, "network",
      "^the proxy 127%.0%.0%.1:%d+ does not connect to api%.example:%d+: HTTP 407.*user and password; check proxy$",
      final)
    refuses("http://127.0.0.1:" .. server.http, {}, "network", "HTTP 407.*check proxy", final)
    refuses(proxy("socks5h", "socks", "bad-password"), {}, "network",
      "^the proxy 127%.0%.0%.1:%d+ does not connect to api%.example:%d+: .*check proxy and its user and password$", final)
    refuses("socks5h://127.0.0.1:" .. server.deaf, {}, "network", "check proxy and its user and password$", final)
  end)

  -- Whoever answers 407 to a whole request has read it: that nobody acted on it cannot be proved.
  it("with the wrong password for plain http says so too", function()
    refuses(proxy("http", "http", "bad-password"), plain(), "api_error", "HTTP 407.*check proxy",
      { "unknown_outcome", "unknown", false, 1 })
  end)

  describe("that misbehaves", function()
    local FINAL, AGAIN = { "network", "no", false, 1 }, { "network", "no", true, 5 }
    local CASES = {
      { "refuses", "status_403", "HTTP 403$", FINAL },
      { "reaches nobody", "status_502", "HTTP 502$", AGAIN },
      { "hangs up", "closes", "CONNECT", AGAIN },
      { "is none", "garbage", "", nil },
    }
    for _, case in ipairs(CASES) do
      it("and " .. case[1] .. ": nothing was sent, so a start may be made again", function()
        local _, err = client("http://127.0.0.1:" .. server[case[2]]):worker "a/b":start {}
        assert.equal(core.curl.guards and "no" or err.sent, err.sent, tostring(err))
        if case[4] and (core.curl.guards or case[2] ~= "closes") then
          assert.same(case[4], { err.kind, err.sent, err.retryable, err.attempts }, err.message)
        end
        assert.matches(case[3], err.message)
        local seen = log_of(case[2])
        assert.equal(err.attempts, count(seen, "CONNECT "))
        assert.is_nil(seen:find(KEY, 1, true))
      end)
    end

    it("and hangs up behind its yes: TLS did not come about", function()
      local _, err = client("http://127.0.0.1:" .. server.closes_tunnel):worker "a/b":start {}
      assert.same({ "tls", "no" }, { err.kind, err.sent }, err.message)
      assert.equal(err.attempts, count(log_of "closes_tunnel", "CONNECT "))
    end)

    it("and says nothing: the time is up, nothing was sent", function()
      local options = { connect_timeout = 0.3, retry = false }
      local _, err = client("http://127.0.0.1:" .. server.silent, options):worker "a/b":start {}
      local sent = core.curl.guards and "no" or "unknown"
      assert.equal(sent, err.sent, err.message)
      assert.equal(core.curl.guards and "timeout" or "unknown_outcome", err.kind)
    end)

    it("and answers in the name of a plain http server: it is not known", function()
      for _, name in ipairs { "status_502", "closes" } do
        local _, err = client("http://127.0.0.1:" .. server[name], plain()):worker "a/b":start {}
        assert.equal("unknown_outcome", err.kind, err.message)
        assert.equal(1, count(log_of(name), "POST "))
      end
    end)
  end)

  it("is passed by for hosts of no_proxy", function()
    local base = { base_url = "https://127.0.0.1:" .. server.tls, no_proxy = { "localhost", "127.0.0.1" } }
    works(client("http://127.0.0.1:" .. server.status_403, base))
    assert.equal("", log_of "status_403")
    base.no_proxy = "other.example"
    assert.is_nil((client("http://127.0.0.1:" .. server.status_403, base):account()))
    assert.matches("CONNECT 127.0.0.1", log_of "status_403")
  end)

  it("is told the address that resolve names", function()
    local name = "api.example:" .. server.tls
    works(client("http://127.0.0.1:" .. server.open, { resolve = { [name] = "127.0.0.1" } }))
    assert.matches("^CONNECT 127%.0%.0%.1:%d+ ", log_of "open")
  end)

  describe("of the environment", function()
    -- Runs a call in a process of its own; returns what it printed.
    local function run(environment, base, more)
      local i = 0
      while arg[i - 1] do i = i - 1 end
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(("print(require('coreclaw').new { retry = false, timeout = 20, api_key = %q, base_url = %q, " ..
        "ca_file = %q, %s }:account())"):format(KEY, base, server.ca, more or ""))
      file:close()
      local names = "-u http_proxy -u https_proxy -u all_proxy -u no_proxy -u HTTPS_PROXY -u ALL_PROXY -u NO_PROXY"
      local pipe = io.popen(("env %s %s %s %s 2>&1"):format(names, environment, arg[i], path))
      local said = pipe:read "*a"
      pipe:close()
      os.remove(path)
      return said
    end

    it("is used, with its password", function()
      assert.matches("^table", run("https_proxy=" .. proxy("http", "http"), "https://api.example:" .. server.tls))
      assert.matches("^CONNECT api%.example", log_of "http")
    end)

    it("is not used where NO_PROXY says so, or the client", function()
      local base = "https://api.example:" .. server.tls
      local environment = "https_proxy=http://127.0.0.1:" .. server.open
      assert.matches("cannot resolve", run(environment .. " NO_PROXY=.example", base))
      assert.matches("cannot resolve", run(environment, base, "no_proxy = 'api.example'"))
      assert.matches("cannot resolve", run(environment, base, "proxy = ''"))
      assert.equal("", log_of "open")
      assert.matches("^table", run(environment .. " NO_PROXY=.example", base, "no_proxy = ''"))
    end)

    it("never gets what is for loopback", function()
      local environment = ("https_proxy=%s http_proxy=%s all_proxy=%s"):gsub("%%s", "http://127.0.0.1:" .. server.open)
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        assert.matches("^table", run(environment, "https://" .. host .. ":" .. server.tls))
      end
      assert.matches("^table", run(environment, "http://127.0.0.1:" .. server.plain))
      assert.equal("", log_of "open")
    end)

    it("shows no password in an error", function()
      local said = run("https_proxy=" .. proxy("http", "http", "bad-password"), "https://api.example:" .. server.tls)
      assert.matches("HTTP 407", said)
      assert.is_nil(said:find("bad-password", 1, true))
      said = run("https_proxy=http://me:bad-password@no-such-host.invalid:1", "https://api.example:" .. server.tls)
      assert.matches("proxy's host name", said)
      assert.is_nil(said:find("bad-password", 1, true))
    end)
  end)
end)
