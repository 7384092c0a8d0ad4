local coreclaw = require "coreclaw"
local config = require "coreclaw.config"
local transport = require "coreclaw.transport"

local function message_of(options)
  local ok, err = pcall(coreclaw.new, options)
  assert.is_false(ok)
  assert.matches("^[^:]+transport_spec%.lua:%d+: coreclaw%.new: ", err)
  return err
end

local function applied(options, url, identify)
  options.on_warning = options.on_warning or function() end
  return transport.apply(config.new(options), { url = url or "https://api.example/" }, identify)
end

-- Is it this text, as a secret or, where `plain`, as it is?
local function is(text, value, plain)
  if plain then return assert.equal(text, value) end
  assert.equal("userdata", type(value))
  assert.same({ "***", #text }, { value:mask(text), value:length() })
end

-- Everything that can be reached from a value.
local function dump(value, seen, out)
  seen, out = seen or {}, out or {}
  if type(value) ~= "table" then
    out[#out + 1] = tostring(value)
  elseif not seen[value] then
    seen[value] = true
    for k, v in pairs(value) do dump(k, seen, out) dump(v, seen, out) end
    dump(getmetatable(value), seen, out)
  end
  return table.concat(out, "\n")
end

describe("transport", function()
  local folder

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
    return folder .. "/" .. name
  end

  setup(function()
    local pipe = io.popen "mktemp -d"
    folder = pipe:read "*l"
    pipe:close()
  end)

  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  local CERT, KEY = "-----BEGIN CERTIFICATE-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"

  describe("files", function()
    it("that cannot be read are refused by their option's name", function()
      local both = write("both.pem", CERT .. KEY)
      assert.matches("ca_file cannot be read: .*no/such", message_of { ca_file = "/no/such.pem" })
      assert.matches("cert_file cannot be read", message_of { cert_file = "/no/such.pem" })
      assert.matches("key_file cannot be read", message_of { cert_file = both, key_file = "/no/such.pem" })
      assert.matches("ca_file cannot be read", message_of { ca_file = folder })
      assert.matches("ca_file cannot be read", message_of { ca_file = write("empty", "") })
    end)

    it("that hold something else are refused", function()
      local cert, key = write("cert.pem", CERT), write("key.pem", KEY)
      assert.matches("ca_file must be a PEM file with certificates", message_of { ca_file = key })
      assert.matches("cert_file must be .* a certificate", message_of { cert_file = key })
      assert.matches("key_file must be .* private key", message_of { cert_file = cert, key_file = cert })
      assert.matches("cert_file must be .*or key_file must name one", message_of { cert_file = cert })
    end)

    it("of a key want a certificate", function()
      assert.matches("key_file goes with cert_file", message_of { key_file = write("key.pem", KEY) })
      local err = message_of { key_password = "sekret" }
      assert.matches("key_password goes with cert_file", err)
      assert.is_nil(err:find("sekret", 1, true))
    end)

    it("of the client go to the API only", function()
      local cert, key = write("cert.pem", CERT), write("key.pem", KEY)
      local options = { cert_file = cert, key_file = key, key_password = "sekret" }
      local request = applied(options, nil, true)
      assert.same({ cert, key }, { request.cert_file, request.key_file })
      is("sekret", request.key_password)
      request = applied(options, nil, false)
      assert.same({}, { request.cert_file, request.key_file, request.key_password })
    end)
  end)

  describe("proxy", function()
    it("takes what it can use", function()
      for _, proxy in ipairs {
        "", "http://127.0.0.1:3128", "http://me:s%2Fe@proxy.example:80/", "socks5://[::1]:1080",
        "socks5h://a:b@c@host:1",
      } do
        is(proxy, applied({ proxy = proxy }).proxy, not proxy:find "@" and not proxy:find "/$")
      end
    end)

    it("refuses what it cannot, and shows nothing of it but the scheme", function()
      for _, proxy in ipairs {
        "nonsense://sekret", "https://sekret:443", "sekret", "sekret@host:80", "http://sekret", "http://sekret:0",
        "http://sekret:65536", "http://:80", "http://sekret:x@host", "http://a:sekret/@host:80",
        "http://a:sekret#@host:80", "http://a:sekret @host:80", "http://a:sekret\n@host:80", "socks4://sekret:80",
        "http://host:80/sekret", "http://sekr\0et:80",
      } do
        local err = message_of { proxy = proxy }
        assert.matches("proxy must be \"\" or http://, socks5:// or socks5h://", err)
        assert.is_nil(err:find("sek", 1, true), err)
      end
      assert.matches("got the scheme nonsense", message_of { proxy = "nonsense://x" })
      assert.is_nil(message_of({ proxy = { "sekret" } }):find("sekret", 1, true))
    end)

    it("must not see a key that travels by plain http to loopback", function()
      local base = "http://127.0.0.1:80"
      assert.matches("would see the key", message_of { base_url = base, proxy = "http://proxy.example:80" })
      assert.is_truthy(applied { base_url = base, proxy = "http://proxy.example:80", allow_http = true }.proxy)
      assert.is_truthy(applied { base_url = base, proxy = "http://127.0.0.1:80" }.proxy)
    end)

    it("of the environment is not for loopback", function()
      assert.equal("", applied({}, "http://127.0.0.1/").proxy)
      assert.equal("", applied({}, "https://[::1]:1/").proxy)
      assert.is_nil(applied({}, "https://api.example/").proxy)
    end)

    it("has exceptions", function()
      assert.equal("a.example,.b,10.0.0.0/8", applied({ no_proxy = { "a.example", ".b", "10.0.0.0/8" } }).no_proxy)
      assert.equal("a,b", applied({ no_proxy = " a, b" }).no_proxy)
      assert.equal("", applied({ no_proxy = "" }).no_proxy)
      assert.matches("no_proxy must be a list", message_of { no_proxy = 5 })
      assert.matches("no_proxy must name hosts, but number 2 is 5", message_of { no_proxy = { "a", 5 } })
      assert.matches("no_proxy must name hosts", message_of { no_proxy = { "a,b" } })
    end)
  end)

  it("resolve maps hosts to addresses", function()
    local map = { ["b.example:443"] = "::1", ["a.example:80"] = "127.0.0.1", ["[::2]:1"] = "[::3]" }
    local want = { "[::2]:1:[::3]:1", "a.example:80:127.0.0.1:80", "b.example:443:[::1]:443" }
    assert.same(want, applied({ resolve = map }).connect_to)
    for key, value in pairs { a = "127.0.0.1", ["a:0"] = "1.1.1.1", ["a b:1"] = "1.1.1.1", [1] = "1.1.1.1" } do
      assert.matches('resolve must map "host:port" to an address', message_of { resolve = { [key] = value } })
    end
    for _, value in ipairs { "localhost", "256.1.1.1", "1.1.1", "1.1.1.1:80", "", 5, "1.1.1.1,2.2.2.2" } do
      assert.matches('resolve must map "a:1" to an IP address', message_of { resolve = { ["a:1"] = value } })
    end
  end)

  it("keeps passwords out of everything that can be reached from a client", function()
    local both = write("both.pem", CERT .. KEY)
    local client = coreclaw.new { proxy = "http://me:sekret@h:1", cert_file = both, key_password = "sekret" }
    assert.is_nil(dump(client):find("sekret", 1, true))
    assert.is_nil(tostring(client):find("sekret", 1, true))
    local before = transport.apply(client.settings, { url = "https://a/" }, true)
    is("http://me:sekret@h:1", before.proxy)
    client:close()
    assert.is_false(before.proxy:is_open())
    assert.is_false(before.key_password:is_open())
    local request = transport.apply(client.settings, { url = "https://a/" }, true)
    assert.equal("http://h:1", request.proxy) -- what is sent now does not get around it
    assert.is_nil(request.key_password)
  end)

  it("verify = false warns once for each client, and nothing else does", function()
    local said = {}
    local function hear(message) said[#said + 1] = message end
    coreclaw.new { on_warning = hear }
    assert.same({}, said)
    coreclaw.new { on_warning = hear, verify = false }
    coreclaw.new { on_warning = hear, verify = false }
    assert.equal(2, #said)
    assert.matches("verify = false.*ca_file", said[1])
    assert.matches("on_warning must be a function", message_of { on_warning = 5 })
    assert.matches("verify must be true or false", message_of { verify = "no" })
  end)
end)
