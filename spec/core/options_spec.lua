-- Every option of core.engine and engine:submit: what is refused, and in which words.
local core = require("coreclaw.core")

describe("options", function()
  local engine

  before_each(function() engine = core.engine({}) end)

  after_each(function()
    assert.equal(0, engine:inflight()) -- nothing refused was ever started
    engine:close()
  end)

  -- The message without the position in front, which must be this file's.
  local function message(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return (err:gsub("^%.?/?spec/core/options_spec.lua:%d+: ", ""))
  end

  local function submit(options)
    if options.url == nil then options.url = "http://127.0.0.1:1/" end
    return message(function() engine:submit(options) end)
  end

  local WANTED = {
    text = { "a string without zero bytes", 1, true, {}, print, "a\0b" },
    data = { "a string", 1, true, {}, print },
    lines = {
      "an array of strings without zero bytes",
      1, true, "X: y", { 1 }, { "X: y", 2 }, { "X: y", nil, "Z: z" }, { x = "y" }, { "X: a\0b" },
    },
    seconds = { "a number of seconds >= 0", "1", true, {}, print, -1, -1 / 0, 0 / 0 },
    size = { "a whole number of bytes >= 0", "1", true, {}, print, -1, 1.5, 1 / 0, 0 / 0, 2 ^ 60 },
    count = { "a whole number >= 0", "1", true, {}, print, -1, 1.5, 1 / 0, 0 / 0, 2 ^ 40 },
    flag = { "a boolean", 1, "true", {}, print },
    common = { "a coreclaw.common", 1, true, "name", {}, print, io.stdout, core.meter() },
    file = { "an open coreclaw.file", 1, true, "name", {}, print, io.stdout },
  }

  local SUBMIT = {
    url = "text", method = "text", headers = "lines", body = "data", connect_timeout = "seconds",
    idle_timeout = "seconds", timeout = "seconds", max_body = "size", max_headers = "size",
    once = "flag", follow = "flag", verify = "flag", ca_file = "text", ca_path = "text", proxy = "text",
    cert_file = "text", key_file = "text", key_password = "text", no_proxy = "text", connect_to = "lines",
    file = "file", offset = "size", apart = "flag", common = "common",
  }

  local ENGINE = { max_connections = "count", max_host_connections = "count", max_idle = "count", mode = "text" }

  local function got(value)
    return type(value) == "number" and ("%.14g"):format(value) or type(value)
  end

  local function check_field(call, what, field, kind)
    local wanted = WANTED[kind]
    for i = 2, #wanted do
      local value = wanted[i]
      local said = call({ [field] = value })
      local expected = ('%s: field "%s" must be %s, got %s'):format(what, field, wanted[1], got(value))
      -- nan has a sign on some machines and none on others
      assert.equal(expected:gsub("%-nan", "nan"), said:gsub("%-nan", "nan"))
    end
  end

  for field, kind in pairs(SUBMIT) do
    it("submit wants " .. field .. " to be of its type", function()
      check_field(submit, "submit", field, kind)
    end)
  end

  for field, kind in pairs(ENGINE) do
    it("engine wants " .. field .. " to be of its type", function()
      check_field(function(o) return message(function() core.engine(o) end) end, "engine", field, kind)
    end)
  end

  it("names that nobody knows are refused, with the closest one", function()
    assert.equal('submit: unknown field "timout", did you mean "timeout"?', submit({ timout = 1 }))
    assert.equal('submit: unknown field "header", did you mean "headers"?', submit({ header = {} }))
    assert.equal('submit: unknown field "URL", did you mean "url"?', submit({ URL = "" }))
    assert.equal('submit: unknown field "cafile", did you mean "ca_file"?', submit({ cafile = "" }))
    assert.equal('submit: unknown field "whatever"', submit({ whatever = 1 }))
    assert.equal('submit: unknown field "' .. ("x"):rep(300) .. '"', submit({ [("x"):rep(300)] = 1 }))
    assert.equal("submit: fields must have names, got a number as key", submit({ "http://a/" }))
    assert.equal("submit: fields must have names, got a boolean as key", submit({ [true] = 1 }))
    assert.equal('engine: unknown field "max_conections", did you mean "max_connections"?',
      message(function() core.engine({ max_conections = 1 }) end))
  end)

  local function common(options)
    return message(function() core.common(options) end)
  end

  it("what is in common is checked like the rest, and the request's own goes before", function()
    assert.equal('common: unknown field "timout", did you mean "timeout"?', common { timout = 1 })
    assert.equal('common: field "timeout" must be a number of seconds >= 0, got string', common { timeout = "1" })
    assert.equal('common: field "headers": line 1 must have the form "Name: value"', common { headers = { "X" } })
    assert.equal('common: field "method" must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS',
      common { method = "FOO" })
    assert.equal('common: field "common" must not be in it', common { common = core.common {} })
    assert.truthy(message(function() core.common() end):find("table expected", 1, true))
    assert.equal('submit: field "headers": line 2 must have the form "Name: value"',
      submit({ headers = { "A: b", "X" }, common = core.common { headers = { "X: y" } } }))
    assert.equal('submit: field "method" must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS',
      submit({ method = "FOO", common = core.common { method = "GET" } }))
  end)

  it("a secret that is in common is looked at each time", function()
    local key = core.secret("sekret")
    local shared = core.common { secret = key, auth = "bearer" }
    key:close()
    assert.equal('submit: field "secret" must be a coreclaw.secret that was not cleared, got userdata',
      submit({ common = shared }))
    local password = core.secret("sekret")
    shared = core.common { key_password = password }
    password:close()
    assert.equal('submit: field "key_password" must be a string without zero bytes, got userdata',
      submit({ common = shared }))
  end)

  it("submit wants a table, and a url in it", function()
    assert.truthy(message(function() engine:submit() end):find("table expected", 1, true))
    assert.truthy(message(function() engine:submit("http://a/") end):find("table expected", 1, true))
    assert.equal('submit: field "url" is required', message(function() engine:submit({}) end))
  end)

  it("a url must be one that can be sent", function()
    local begin = 'submit: field "url" must begin with http:// or https://'
    for _, url in ipairs({ "", "a", "ftp://a/", "file:///etc/passwd", "//a", "http:/a", "httpx://a" }) do
      assert.equal(begin, submit({ url = url }))
    end
    local space = 'submit: field "url" must not hold spaces or control characters'
    for _, url in ipairs({ "http://a b/", "http://a/\r\nX: y", "http://a/\n", " http://a/", "http://a/\127" }) do
      assert.equal(space, submit({ url = url }))
    end
    for _, url in ipairs({ "http://", "https:///x", "http://?x", "http://user@/", "http://:80/" }) do
      assert.equal('submit: field "url" must name a host', submit({ url = url }))
    end
  end)

  it("a method must be one that this API could want", function()
    for _, method in ipairs({ "", "get", "CONNECT", "TRACE", "GET\r\n", "GET /", "FOO" }) do
      assert.equal('submit: field "method" must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS',
        submit({ method = method }))
    end
  end)

  it("a header must be one line, and is never shown", function()
    local form = 'submit: field "headers": line 2 must have the form "Name: value"'
    for _, line in ipairs({ "", "sekret", ": sekret", "na me: sekret", "X-Y\r\n: sekret", "X;" }) do
      assert.equal(form, submit({ headers = { "A: b", line } }))
    end
    local broken = 'submit: field "headers": line 1 must not hold line breaks or control characters'
    for _, line in ipairs({ "X: a\r\nY: sekret", "X: a\nsekret", "X: a\r", "X: \1", "X: \127" }) do
      assert.equal(broken, submit({ headers = { line } }))
    end
  end)

  it("follow goes with GET and HEAD, and not with once", function()
    assert.equal('submit: fields "once" and "follow" exclude each other', submit({ once = true, follow = true }))
    local only = 'submit: field "follow" goes with GET and HEAD only'
    assert.equal(only, submit({ follow = true, method = "POST" }))
    assert.equal(only, submit({ follow = true, body = "x" }))
  end)

  it("engine takes no table at all, nil, or an empty one, and one of two modes", function()
    core.engine():close()
    core.engine(nil):close()
    core.engine({ mode = "direct", max_idle = 0, max_connections = 0, max_host_connections = 0 }):close()
    core.engine({ mode = "thread" }):close()
    assert.equal('engine: field "mode" must be "direct" or "thread"',
      message(function() core.engine({ mode = "fibre" }) end))
    assert.truthy(message(function() core.engine(1) end):find("table expected", 1, true))
  end)

  it("what is refused names the caller's line", function()
    local _, err = pcall(function() engine:submit({ url = "x" }) end)
    assert.truthy(err:find("options_spec.lua:%d+: submit: "), err)
    _, err = pcall(function() core.engine({ x = 1 }) end)
    assert.truthy(err:find("options_spec.lua:%d+: engine: "), err)
  end)

  it("the caller's table is not written to", function()
    local headers = setmetatable({ "A: b" }, { __newindex = error })
    local options = setmetatable({ url = "http://127.0.0.1:1/", headers = headers }, { __newindex = error })
    engine:submit(options)
    while engine:wait(1) > 0 do end
    engine:next()
    assert.same({ "A: b" }, headers)
  end)
end)
