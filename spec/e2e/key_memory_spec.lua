-- How often the key stands in the memory of a program that uses it, seen from outside: key_memory.py.
local box = require "spec.support.box"
local python = require "spec.support.python"

local KEY = "kEy9fQz7-Lm2/xP4+vB8=wR5"

describe("the memory of a program that uses a key", function()
  local server, tls

  setup(function()
    server = box.start { key = KEY, tls = true }
    tls = python.start "tls_server"
  end)
  teardown(function()
    server:stop()
    tls.stop()
  end)

  local function count(how, url, ca_file)
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local pipe = io.popen(("python3 -B spec/support/key_memory.py '%s' '%s' spec/support/key_child.lua %s %s %s")
      :format(KEY, arg[i], how, url, ca_file or ""))
    local text, copies = pipe:read "*a", {}
    pipe:close()
    for moment, number in text:gmatch "(%w+)=(%d+)" do copies[moment] = tonumber(number) end
    assert.is_number(copies.collected, text)
    -- The program's own string.
    assert.equal(1, copies.before, text)
    return copies, text
  end

  for _, how in ipairs { "bearer", "api_key", "query" } do
    it("holds one copy for each open client, and none when they are closed (" .. how .. ")", function()
      local copies, text = count(how, server.url)
      assert.equal(1 + 5, copies.open, text)
      assert.equal(1, copies.closed, text)
      assert.equal(1, copies.collected, text)
    end)

    it("is as clean over TLS with HTTP/1.1 (" .. how .. ")", function()
      local copies, text = count(how, "https://127.0.0.1:" .. tls.good, tls.folder .. "/root.pem")
      assert.equal(1 + 5, copies.open, text)
      assert.equal(1, copies.closed, text)
    end)
  end

  -- HTTP/2: the library behind libcurl frees its lists of headers without zeroing them. The README says so.
  it("loses our own copies over HTTP/2 too", function()
    local copies, text = count("bearer", server.tls_url, server.ca_file)
    assert.is_true(copies.closed <= copies.open - 5, text)
  end)
end)
