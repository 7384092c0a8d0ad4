-- The C room of secrets, through its Lua door.
local core = require "coreclaw.core"
local secret = require "coreclaw.secret"

describe("a secret", function()
  local KEY = [[aB3/"\%+z]]

  local function encode(text, format)
    return (text:gsub(".", function(c) return format:format(c:byte()) end))
  end

  it("is masked as it is, percent-encoded, and as JSON escapes it", function()
    local one = secret.new(KEY)
    for _, form in ipairs {
      KEY, encode(KEY, "%%%02X"), encode(KEY, "%%%02x"), encode(KEY, "%%25%02X"),
      encode(KEY, "\\u%04x"), encode(KEY, "\\u%04X"), encode(KEY, "\\x%02x"),
      [[aB3\/\"\\%+z]], [[aB3%2F%22%5C%25%2Bz]], [[\u0061B3/%22\\%25+z]],
    } do
      assert.equal("<***>", one:mask("<" .. form .. ">"), form)
      assert.equal("*********", one:mask(form:rep(3)), form)
      assert.equal("***%", one:mask(form .. "%"))
      assert.equal("/***", one:mask("/" .. form))
    end
  end)

  it("is masked in JSON inside of JSON", function()
    local one = secret.new 'aB3/"+z'
    for _, slashes in ipairs { "\\", "\\\\" } do
      for _, form in ipairs { ("aB3/~\"+z"):gsub("~", slashes), ("aB3~/~\"+z"):gsub("~", slashes),
        (encode('aB3/"+z', "~u%04x"):gsub("~", slashes)) } do
        assert.equal("<***>", one:mask("<" .. form .. ">"), form)
      end
    end
    local long = ("\\"):rep(2000000)
    assert.equal(long, one:mask(long))
  end)

  it("leaves every other text alone, the string itself", function()
    local one = secret.new(KEY)
    for _, text in ipairs { "", "a", KEY:sub(1, -2), KEY:sub(2), KEY:upper(), "%6", "\\u00", "%", "\\", "a\0b" } do
      assert.equal(text, one:mask(text))
    end
    assert.equal("a\0***\0b", one:mask("a\0" .. KEY .. "\0b"))
    assert.equal("", core.secret(""):mask "")
    assert.equal("x", core.secret(""):mask "x")
  end)

  it("that begins like what stands before it is found all the same", function()
    assert.equal("aa***", secret.new("aab"):mask "aaaab")
    assert.equal("%***", secret.new("%25x"):mask "%%25x")
    assert.equal("%2***", secret.new("aab"):mask "%2%61%61%62")
  end)

  it("shows nothing of itself", function()
    local one = secret.new "super-secret-key"
    assert.equal("coreclaw.secret (not shown)", tostring(one))
    assert.is_false(pcall(function() return #one end))
    assert.is_false(pcall(function() return one .. "" end))
    for name in pairs(getmetatable(one).__index) do
      local ok, shown = pcall(one[name], one)
      assert.is_nil(tostring(shown):find("super", 1, true), name)
      assert.is_true(ok or name == "mask")
    end
    one:close()
    one:close()
    assert.equal("coreclaw.secret (cleared)", tostring(one))
    assert.is_false(one:is_open())
    assert.is_false(one:is_key())
    assert.equal(0, one:length())
  end)

  it("is made of strings only, and a wrong value is not shown", function()
    local ok, err = pcall(core.secret, 12345678)
    assert.is_false(ok)
    assert.is_nil(err:find("12345678", 1, true))
    assert.is_nil(core.secret_of "CORECLAW_NO_SUCH_VARIABLE")
    assert.equal("***", core.secret_of "PATH":mask(os.getenv "PATH"))
  end)

  it("is hidden in any text of misuse while it lives, unless it is too short to be told from words", function()
    local long, short = secret.new "live-secret-1", secret.new "live"
    assert.equal("the *** of a live client", secret.mask "the live-secret-1 of a live client")
    long:close()
    assert.equal("the live-secret-1", secret.mask "the live-secret-1")
    assert.equal("***", short:mask "live")
  end)

  it("can stand in a header or cannot", function()
    assert.is_true(secret.new("a-Z~!"):is_key())
    for _, text in ipairs { "", "a b", "a\n", "a\r", "\0", "a\127", "\200" } do
      assert.is_false(secret.new(text):is_key())
    end
  end)

  it("is taken by a request, and by nothing else than as one", function()
    local engine = core.engine {}
    local function message(fields)
      fields.url = "http://127.0.0.1:1"
      local ok, err = pcall(engine.submit, engine, fields)
      assert.is_false(ok)
      return err
    end
    local one = secret.new "super-secret-key"
    assert.matches('field "auth" must be bearer, api_key or query', message { secret = one })
    assert.matches('field "auth" must be bearer, api_key or query', message { secret = one, auth = "basic" })
    assert.matches('"auth" goes with "secret" only', message { auth = "bearer" })
    assert.matches('"secret" must be printable ASCII', message { secret = secret.new "a\r\nb: c", auth = "bearer" })
    assert.matches('"secret" must be a coreclaw.secret .* got string', message { secret = "text", auth = "bearer" })
    assert.matches('"proxy" must be a string without zero bytes', message { proxy = secret.new "a\0b" })
    one:close()
    assert.matches('"secret" must be a coreclaw.secret that was not cleared', message { secret = one, auth = "query" })
    engine:close()
  end)
end)
