-- Whom a client trusts, and what it tells when it does not: real TLS, through the public API.
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local python = require "spec.support.python"
local scripted = require "spec.support.scripted"

local SLUG = "01KZS4D8M2XW7Q5T9BHNVRC3EA"

describe("TLS", function()
  local server

  setup(function() server = python.start "tls_server" end)
  teardown(function() server.stop() end)

  local function pem(name) return server.folder .. "/" .. name end

  local function client(name, options)
    local all = {
      base_url = "https://127.0.0.1:" .. server[name], api_key = "sekret-api-key", ca_file = pem "root.pem",
      timeout = 20, retry = { base = 0.01 }, on_warning = function() end,
    }
    for key, value in pairs(options or {}) do all[key] = value end
    if options and options.ca_file == false then all.ca_file = nil end
    return coreclaw.new(all)
  end

  local function read_by(name)
    return tonumber(scripted.get("http://127.0.0.1:" .. server.count .. "/" .. name))
  end

  -- Neither a read nor a start gets through; the start is known not to have left this machine.
  local function refuses(name, options, pattern)
    local before = read_by(name)
    local account, err = client(name, options):account()
    assert.is_nil(account)
    assert.same({ "tls", false, 1 }, { err.kind, err.retryable, err.attempts })
    assert.matches(pattern, err.message)
    local run, paid = client(name, options):worker "a/b":start {}
    assert.is_nil(run)
    assert.same({ "tls", "no", false, 1 }, { paid.kind, paid.sent, paid.retryable, paid.attempts }, paid.message)
    assert.matches(pattern, paid.message)
    assert.is_nil(tostring(paid):find("sekret", 1, true))
    assert.equal(before, read_by(name))
  end

  local function works(name, options)
    local before = read_by(name)
    assert.equal("1", assert(client(name, options):account()).balance)
    assert.equal(SLUG, assert(client(name, options):worker "a/b":start {}).slug)
    assert.equal(before + 2, read_by(name))
  end

  describe("is refused, with a word on what to do, when the certificate", function()
    local CASES = {
      { "comes from an unknown authority", "good", "unable to get local issuer.*ca_file.*store", ca_file = false },
      { "is signed by itself", "alone", "self.signed certificate.*ca_file" },
      { "has expired", "expired", "has expired.*this machine's clock" },
      { "is not yet valid", "early", "not yet valid.*this machine's clock" },
      { "is for another address", "ip", "match.*another host; check the URL" },
      { "comes without its intermediate", "leaf", "does not send its intermediate certificates" },
    }
    for _, case in ipairs(CASES) do
      it(case[1], function() refuses(case[2], { ca_file = case.ca_file }, case[3]) end)
    end

    it("is for another name", function()
      local by_name = "https://localhost:" .. server.host
      refuses("host", { base_url = by_name }, "another host; check the URL")
      works("host") -- its address is right
    end)
  end)

  it("works where there is nothing to complain about", function()
    works "good"
    works "chain"
    works "tls12"
    works("alone", { ca_file = pem "alone.pem" })
  end)

  it("older than 1.2 is refused", function()
    refuses("tls10", {}, "no TLS 1.2 or newer")
    refuses("tls11", {}, "no TLS 1.2 or newer")
    refuses("tls11", { verify = false }, "no TLS 1.2 or newer")
  end)

  it("is not spoken by every port", function()
    local _, err = client "plain":worker "a/b":start {}
    assert.same({ "tls", "no", false }, { err.kind, err.sent, err.retryable })
    assert.matches("does not speak TLS there; check scheme and port", err.message)
  end)

  it("trusts anybody who asks for it, and nobody else", function()
    for _, name in ipairs { "alone", "expired", "early", "ip", "leaf" } do works(name, { verify = false }) end
    refuses("alone", {}, "ca_file")
  end)

  it("verify = false is one line on stderr for each client, else there is none", function()
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(([[
      local coreclaw, options = require "coreclaw", { base_url = "https://127.0.0.1:%d", api_key = "sekret",
        verify = arg[1] ~= "no", ca_file = %q, timeout = 20 }
      local client = coreclaw.new(options)
      for _ = 1, 3 do assert(client:account()) end
      assert(client:worker "a/b":start {})
    ]]):format(server.good, pem "root.pem"))
    file:close()
    local function run(verify)
      local pipe = io.popen(arg[i] .. " " .. path .. " " .. verify .. " 2>&1")
      local said = pipe:read "*a"
      pipe:close()
      return said
    end
    assert.equal("", run "yes")
    assert.matches("^coreclaw: verify = false: [^\n]+ca_file\n$", run "no")
    os.remove(path)
  end)

  describe("with a certificate of the client", function()
    local function identity(cert, key, password)
      return { cert_file = pem(cert), key_file = key and pem(key), key_password = password }
    end

    -- libcurl tells pooled connections apart by the certificate's file, not by the key's: hence same.pem.
    for _, name in ipairs { "wants12", "wants13" } do
      it("works at " .. name, function()
        works(name, identity("client.pem", "client.key"))
        works(name, identity "both.pem")
        works(name, identity("client.pem", "locked.key", "sekret"))
      end)

      it("says at " .. name .. " what is wrong with it", function()
        local bad = "client certificate cannot be used .*check cert_file, key_file and key_password"
        refuses(name, identity("same.pem", "locked.key", "sekret, but wrong"), bad)
        refuses(name, identity("same.pem", "locked.key"), bad) -- and does not ask at the terminal
        refuses(name, identity("same.pem", "good.key"), bad)
      end)
    end

    it("says that one is wanted, or that it is not accepted", function()
      refuses("wants12", {}, "wants a client certificate %(cert_file and key_file%)")
      refuses("wants12", identity("impostor.pem", "impostor.key"), "does not accept our client certificate: check")
    end)

    -- TLS 1.3 refuses after the request was sent: that it was not read is likely, not certain.
    it("says so too where the server tells later", function()
      local before = read_by "wants13"
      for text, options in pairs {
        ["wants a client certificate: name it in cert_file"] = {},
        ["does not accept our client certificate: check cert_file"] = identity("impostor.pem", "impostor.key"),
      } do
        local _, err = client("wants13", options):account()
        assert.same({ "tls", false, "SSL_CLIENTCERT" }, { err.kind, err.retryable, err.key }, err.message)
        assert.matches(text, err.message)
        local _, paid = client("wants13", options):worker "a/b":start {}
        assert.same({ "unknown_outcome", "unknown", "tls" }, { paid.kind, paid.sent, paid.cause.kind })
        assert.matches(text, paid.message)
      end
      assert.equal(before, read_by "wants13")
    end)

    local function shown(options)
      options.url, options.ca_file = "https://127.0.0.1:" .. server[options.to] .. options.path, pem "root.pem"
      options.to, options.path, options.headers = nil, nil, { "api-key: sekret" }
      options.cert_file, options.key_file = pem "client.pem", pem "client.key"
      local engine = core.engine {}
      local body = scripted.fetch(engine, options).body
      engine:close()
      return body
    end

    it("shows neither it nor the key to where a redirect leads", function()
      assert.equal("certificate shown: yes, key shown: yes\n", shown { to = "asks", path = "/file" })
      assert.equal("certificate shown: no, key shown: no\n", shown { to = "good", path = "/away", follow = true })
    end)

    it("shows neither it nor the key to the storage of an export", function()
      local path = os.tmpname()
      local api = client("wants12", identity("client.pem", "client.key"))
      assert(api:run(SLUG):export(path, { format = "csv" }))
      assert.equal("certificate shown: no, key shown: no\n", scripted.read(path))
      os.remove(path)
    end)
  end)

  it("keeps the key where a call is redirected: it is not followed", function()
    local before, base = read_by "asks", "https://127.0.0.1:" .. server.good .. "/away"
    local _, err = client("good", { base_url = base }):account()
    assert.equal("redirect", err.kind)
    local _, paid = client("good", { base_url = base }):worker "a/b":start {}
    assert.same({ "unknown_outcome", "redirect" }, { paid.kind, paid.cause.kind })
    assert.equal(before, read_by "asks")
  end)

  it("is not given up for plain http, unless that is asked for", function()
    local base = "http://api.example:" .. server.clear
    local ok, message = pcall(coreclaw.new, { base_url = base, api_key = "sekret" })
    assert.is_false(ok)
    assert.matches("plain http, which would show the key.*allow_http = true", message)
    assert.is_nil(message:find("sekret", 1, true))
    assert.is_table(coreclaw.new { base_url = base, api_key = "sekret", allow_http = true })
  end)

  describe("resolve", function()
    local function elsewhere(options)
      options.base_url = "http://no-such-host.invalid:" .. server.clear
      options.allow_http = true
      return options
    end

    it("leads to the address that was named, without asking DNS", function()
      works("clear", elsewhere { resolve = { ["no-such-host.invalid:" .. server.clear] = "127.0.0.1" } })
    end)

    it("is the client's own affair", function()
      local map = { ["no-such-host.invalid:" .. server.clear] = "127.0.0.1" }
      assert(client("clear", elsewhere { resolve = map }):account())
      local _, err = client("clear", elsewhere { retry = false }):account()
      assert.matches("cannot resolve", err.message)
    end)

    it("does not change whom the certificate must belong to", function()
      local function options(host)
        local place = host .. ":" .. server.good
        return { base_url = "https://" .. place, resolve = { [place] = "127.0.0.1" } }
      end
      works("good", options "localhost")
      refuses("good", options "other.example", "another host")
    end)
  end)
end)
