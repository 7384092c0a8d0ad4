-- What goes out and what comes back, byte for byte.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local fetch, fails = scripted.fetch, scripted.fails

describe("transfers", function()
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

  describe("answers", function()
    it("gives status, body and the raw header block", function()
      local result = get("/ok")
      assert.equal(200, result.status)
      assert.equal("ok", result.body)
      assert.equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", result.headers)
    end)

    it("keeps a body that is wanted apart until it is taken", function()
      local result = get("/echo", { apart = true, method = "POST", body = ("x"):rep(100000) })
      assert.equal("userdata", type(result.body))
      collectgarbage()
      assert.equal(("x"):rep(100000), result.body:take():sub(-100000))
      assert.equal("", result.body:take())
      result = get("/echo", { apart = true, method = "POST", body = ("y"):rep(100000) })
      engine:close()
      assert.equal("y", result.body:take():sub(-1))
      engine = core.engine({})
      assert.is_table(get("/silent", { apart = true, timeout = 0.05 }).failure)
    end)

    -- libcurl 7.83 to 8.1 reads and writes freed memory here, which the sanitizers see.
    it("survives a header that continues none, on a handle that has carried an answer", function()
      for _ = 1, 5 do
        assert.equal(200, get("/ok").status)
        for _, path in ipairs({ "/folded", "/redirect/folded", "/nameless" }) do
          local result = get(path, { follow = true })
          if not result.status then fails(result, "bad_response") end
        end
      end
    end)

    it("takes no status for one that is not", function()
      for _, status in ipairs({ "6", "0", "99" }) do
        fails(get("/odd_status/" .. status), "bad_response")
      end
    end)

    it("sends method, headers and body as they are, and nothing that nobody asked for", function()
      local result = get("/echo", {
        method = "POST",
        headers = { "X-One: 1", "X-Empty:", "content-type: application/json" },
        body = "a\0b",
      })
      local lines = {}
      for line in result.body:gmatch("(.-)\r\n") do lines[#lines + 1] = line end
      table.sort(lines)
      assert.truthy(lines[2]:find("^Accept%-Encoding: .*gzip"), lines[2])
      lines[2] = "Accept-Encoding" -- whatever this libcurl can undo
      assert.same({
        "", "Accept-Encoding", "Accept: */*", "Content-Length: 3", "Host: 127.0.0.1:" .. server.port,
        "POST /echo HTTP/1.1", "X-Empty:", "X-One: 1", "content-type: application/json",
      }, lines)
      assert.equal("a\0b", result.body:sub(-3))
    end)

    it("sends what is in common, where the request does not say it itself", function()
      local common = core.common { method = "PUT", headers = { "X-One: 1", "X-Empty:" }, max_body = 10000 }
      collectgarbage() -- nobody but it has the texts
      local sent = get("/echo", { common = common, body = "" }).body
      assert.truthy(sent:find("^PUT ") and sent:find("X-One: 1\r\nX-Empty:\r\n", 1, true), sent)
      sent = get("/echo", { common = common, method = "POST", body = "" }).body -- what is added goes before
      assert.truthy(sent:find("X-One: 1\r\nX-Empty:\r\n", 1, true), sent)
      assert.is_nil(sent:find("Expect", 1, true), sent)
      sent = get("/echo", { common = common, method = "GET", headers = { "X-Two: 2" } }).body
      assert.truthy(sent:find("^GET ") and sent:find("X-Two: 2\r\n", 1, true), sent)
      assert.is_nil(sent:find("X-One", 1, true), sent)
      assert.is_nil(get("/echo", { common = common, method = "GET", headers = {} }).body:find("X-", 1, true))
    end)

    for _, method in ipairs({ "POST", "PUT", "PATCH" }) do
      it("says Content-Length: 0 with an empty " .. method, function()
        local sent = get("/echo", { method = method }).body
        assert.truthy(sent:find("^" .. method .. " "))
        assert.truthy(sent:find("Content-Length: 0\r\n", 1, true), sent)
        assert.is_nil(sent:find("Content-Type", 1, true), sent)
      end)
    end

    for _, method in ipairs({ "GET", "DELETE", "OPTIONS" }) do
      it("sends no length with a " .. method, function()
        local sent = get("/echo", { method = method }).body
        assert.truthy(sent:find("^" .. method .. " "))
        assert.is_nil(sent:find("Content-Length", 1, true), sent)
      end)
    end

    it("takes bodies on GET and DELETE, and none from HEAD", function()
      assert.equal("hi", get("/echo", { body = "hi" }).body:sub(-2))
      assert.truthy(get("/echo", { method = "DELETE", body = "hi" }).body:find("^DELETE .*hi$"))
      local head = get("/ok", { method = "HEAD" })
      assert.equal(200, head.status)
      assert.equal("", head.body)
    end)

    it("sends a large body at once, without asking first", function()
      local result = get("/echo", { method = "POST", body = ("b"):rep(3 * 2 ^ 20) })
      assert.is_nil(result.body:find("Expect", 1, true))
      assert.truthy(#result.body > 3 * 2 ^ 20)
    end)

    -- The handle of one request carries the next: nothing may stick to it.
    it("carries nothing over from one request to the next", function()
      get("/echo", { method = "PUT", body = "old", headers = { "X-Old: 1" } })
      get("/ok", { method = "HEAD" })
      get(nil, { url = url:gsub("//", "//user:pass@") .. "/echo", timeout = 5 })
      local sent = get("/echo").body
      assert.truthy(sent:find("^GET /echo HTTP/1.1\r\n"))
      for _, word in ipairs({ "X-Old", "old", "Authorization", "Content-" }) do
        assert.is_nil(sent:find(word, 1, true), sent)
      end
    end)

    it("undoes compression", function()
      assert.equal(("z"):rep(100000), get("/gzip/100000").body)
    end)

    it("keeps only the final header block, without interim answers and trailers", function()
      assert.equal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", get("/interim/3").headers)
      assert.is_nil(get("/trailer").headers:find("X-Late: 1", 1, true))
    end)

    it("hands statuses over as they are, redirects too", function()
      for _, status in ipairs({ 204, 302, 404, 500, 599 }) do
        assert.equal(status, get("/status/" .. status).status)
      end
      assert.equal(302, get("/redirect/ok").status)
    end)
  end)

  describe("redirects, where they are asked for", function()
    it("are followed without anything that tells who asks", function()
      local sent = get("/redirect/echo/x", {
        follow = true,
        headers = { "Authorization: Bearer secret", "api-key: secret", "Range: bytes=0-" },
      }).body
      assert.truthy(sent:find("^GET /echo/x "))
      assert.is_nil(sent:find("secret", 1, true), sent)
      assert.truthy(sent:find("Range: bytes=0-", 1, true))
    end)

    it("end after five", function()
      fails(get("/loop", { follow = true }), "redirect", "redirects too often")
    end)

    it("never leave http and https", function()
      local failure = fails(get("/away/ftp:", { follow = true }), "redirect", "must not go")
      assert.equal("unknown", failure.sent)
      fails(get("/away/file:", { follow = true }), "redirect", "must not go")
    end)

    it("never go from https to http", function()
      local where = ("https://127.0.0.1:%d/elsewhere/127.0.0.1:%d/ok"):format(server.tls, server.port)
      fails(get(nil, { url = where, ca_file = server.ca, follow = true }), "redirect")
    end)
  end)
end)
