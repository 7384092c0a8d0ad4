local config = require "coreclaw.config"

local function message_of(options)
  local ok, err = pcall(config.new, options)
  assert.is_false(ok)
  return err
end

describe("config", function()
  it("has sensible defaults", function()
    local settings = config.new { api_key = "k" }
    assert.equal("https://openapi.coreclaw.com", settings.base_url)
    assert.equal("bearer", settings.auth)
    assert.equal(120, settings.timeout)
    assert.equal(64 * 1024 * 1024, settings.max_body)
    assert.is_true(settings.verify)
    assert.same({ 2, 2, 3, 5, 8, 10, 15 }, settings.poll_intervals)
  end)

  it("keeps the key out of the settings, and forgets it on demand", function()
    local settings = config.new { api_key = "secret-key" }
    for _, value in pairs(settings) do assert.not_equal("secret-key", value) end
    local secret = config.secret(settings)
    assert.equal("a *** b", secret:mask "a secret-key b")
    assert.equal("coreclaw.secret (not shown)", tostring(secret))
    config.forget(settings)
    assert.is_nil(config.secret(settings))
    assert.is_true(config.key(settings) == false)
    assert.is_false(secret:is_open())
    assert.equal("coreclaw.secret (cleared)", tostring(secret))
    assert.equal("a secret-key b", secret:mask "a secret-key b")
  end)

  it("copies what it is given", function()
    local intervals = { 1, 2 }
    local given = { api_key = "k", poll_intervals = intervals }
    local settings = config.new(given)
    intervals[1] = 99
    assert.same({ 1, 2 }, settings.poll_intervals)
    assert.equal("k", given.api_key)
  end)

  it("never shows a malformed key", function()
    for _, key in ipairs { "se cret", "secret\n", "se\0cret", "sécret" } do
      local err = message_of { api_key = key }
      assert.matches("api_key must be printable ASCII", err)
      assert.is_nil(err:find("cret", 1, true))
    end
    assert.matches("must not be an empty string", message_of { api_key = "" })
    assert.matches("api_key must be a string", message_of { api_key = 5 })
  end)

  it("checks the base URL", function()
    assert.equal("http://127.0.0.1:80/x", config.new { base_url = "http://127.0.0.1:80/x//" }.base_url)
    assert.matches("plain http", message_of { base_url = "http://example.com" })
    assert.equal("http://example.com",
      config.new { base_url = "http://example.com", allow_http = true }.base_url)
    for _, base in ipairs { "https://u:p@example.com", "https://example.com?x", "https://h#f" } do
      assert.matches("scheme, host and path only", message_of { base_url = base })
    end
    for _, base in ipairs { "ftp://x", "example.com", "https://", "https://a b", "" } do
      assert.matches("base_url must be an http", message_of { base_url = base })
    end
  end)

  it("refuses what it does not know", function()
    assert.matches("unknown option apikey %(did you mean api_key%?%)", message_of { apikey = "x" })
    assert.matches("auth must be one of bearer, api_key, query", message_of { auth = "basic" })
    assert.matches("poll_intervals must not be empty", message_of { poll_intervals = {} })
    assert.matches("poll_intervals%[2%] must be a number of seconds",
      message_of { poll_intervals = { 1, "x" } })
  end)
end)
