local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox over TLS", function()
  local box, api

  setup(function()
    box = assert(sandbox.start({ tls = true }))
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  local function call(words)
    return api:curl(words, box.tls_url .. "/api/v2/users/account")
  end

  it("answers to those who trust its certificate", function()
    assert.equal(0, call("--http1.1 --cacert " .. box.ca_file).code)
    assert.equal(60, call("").exit)
    local by_name = box.tls_url:gsub("127.0.0.1", "localhost")
    assert.equal(0, api:curl("--cacert " .. box.ca_file, by_name .. "/api/v2/store").code)
  end)

  it("speaks HTTP/2 and HTTP/1.1", function()
    box:reset_requests()
    call("--http2 --cacert " .. box.ca_file)
    call("--http1.1 --cacert " .. box.ca_file)
    local list = box:requests()
    assert.equal("HTTP/2.0", list[1].protocol)
    assert.equal("HTTP/1.1", list[2].protocol)
  end)

  it("misbehaves over HTTP/2 as well", function()
    local h2 = "--http2 --cacert " .. box.ca_file
    box:fault({ status = 503 })
    assert.equal(503, call(h2).status)
    box:fault({ close = "before" })
    assert.is_true(call(h2).exit ~= 0)
    box:fault({ truncate_after = 10 })
    assert.is_true(call(h2).exit ~= 0)
    assert.equal(0, call(h2).code)
  end)

  it("has no TLS unless asked for", function()
    local plain = assert(sandbox.start())
    assert.is_nil(plain.tls_url)
    plain:stop()
  end)
end)
