local validate = require "coreclaw.validate"

local function message_of(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("validate", function()
  local SPEC = {
    limit = { type = "integer", min = 1, max = 100, default = 20 },
    timeout = { type = "seconds" },
    mode = { type = "string", enum = { "fast", "slow" } },
    on_update = { type = "callable" },
    url = { type = "url" },
    name = { type = "text" },
  }

  it("fills defaults in and leaves the caller's table alone", function()
    local given = { timeout = 3 }
    local out = validate.options("f", given, SPEC)
    assert.same({ timeout = 3, limit = 20 }, out)
    assert.same({ timeout = 3 }, given)
    assert.same({ limit = 20 }, validate.options("f", nil, SPEC))
  end)

  it("names an unknown option and the known one that was meant", function()
    assert.matches("f: unknown option timout %(did you mean timeout%?%)",
      message_of(validate.options, "f", { timout = 1 }, SPEC))
    assert.matches("f: unknown option zebra %(known are: limit, mode, name, on_update, timeout, url%)",
      message_of(validate.options, "f", { zebra = 1 }, SPEC))
    assert.matches("unknown option 1 ", message_of(validate.options, "f", { "x" }, SPEC))
  end)

  local cases = {
    { { limit = 0 }, "f: limit must be a whole number from 1 to 100, got 0" },
    { { limit = 101 }, "got 101" },
    { { limit = 1.5 }, "must be a whole number from 1 to 100, got 1.5" },
    { { limit = "20" }, 'got the string "20"' },
    { { limit = 0 / 0 }, "must be a whole number" },
    { { limit = math.huge }, "must be a whole number" },
    { { timeout = -1 }, "f: timeout must be a number of seconds, 0 or more, got %-1" },
    { { timeout = "1" }, "seconds" },
    { { mode = "medium" }, 'f: mode must be one of fast, slow, got the string "medium"' },
    { { on_update = 3 }, "must be a function, got 3" },
    { { url = "ftp://x" }, "must be an http:// or https:// URL" },
    { { url = "http://a b/" }, "without spaces" },
    { { url = "http://a/\r\nX: y" }, "without spaces" },
    { { url = "http://" }, "URL" },
    { { name = "" }, "not empty" },
    { { name = "a\nb" }, "control characters" },
    { { name = {} }, "got a table" },
  }
  for i, case in ipairs(cases) do
    it("refuses case " .. i .. ": " .. case[2], function()
      assert.matches(case[2], message_of(validate.options, "f", case[1], SPEC))
    end)
  end

  it("takes a callable table as a function", function()
    local callable = setmetatable({}, { __call = function() end })
    assert.equal(callable, validate.options("f", { on_update = callable }, SPEC).on_update)
  end)

  it("refuses options that are no table", function()
    assert.matches('f: options must be a table, got a string$',
      message_of(validate.options, "f", "x", SPEC))
  end)

  it("blames the caller's line, however deep the check sits", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = message_of(function() validate.options("f", { limit = 0 }, SPEC) end)
    assert.matches("validate_spec.lua:" .. line .. ": f: limit", err)
  end)

  it("does not show long strings whole, nor control characters raw", function()
    local text = validate.show(string.rep("x", 500) .. "\n")
    assert.is_true(#text < 70)
    assert.is_nil(validate.show("a\nb\0c\27"):find("%c"))
  end)

  it("suggests only what is near", function()
    local names = { keywords = 1, max_results = 1 }
    assert.equal("keywords", validate.nearest("keyword", names))
    assert.equal("max_results", validate.nearest("maxresults", names))
    assert.is_nil(validate.nearest("proxy", names))
  end)
end)
