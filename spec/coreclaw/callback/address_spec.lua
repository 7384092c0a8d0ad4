local callback = require "coreclaw.callback"
local crypto = require "coreclaw.crypto"

local SECRET = "a secret of the receiver"

local function reason(...)
  local ok, why = callback.verify(...)
  assert.is_nil(ok)
  return why
end

local function message(...)
  local ok, err = pcall(callback.url, ...)
  assert.is_false(ok)
  return err
end

describe("callback.url", function()
  it("adds a nonce and a signature", function()
    local url = callback.url("https://me.example/hook", SECRET)
    assert.matches("^https://me%.example/hook%?cc_nonce=%x+&cc_hmac=%x+$", url)
    assert.equal(32, #url:match "cc_nonce=(%x+)")
    assert.equal(64, #url:match "cc_hmac=(%x+)")
    assert.is_nil(url:find(SECRET, 1, true))
  end)

  it("signs what it says it signs", function()
    local url = callback.url("https://me.example/hook?job=7&a=x%20y", SECRET, { expires_in = 60 })
    local nonce, expires, mac = url:match "cc_nonce=(%x+)&cc_expires=(%d+)&cc_hmac=(%x+)$"
    local signed = "coreclaw callback 1\na=x%20y&cc_expires=" .. expires .. "&cc_nonce=" .. nonce .. "&job=7"
    assert.equal(crypto.hex(crypto.find().hmac(SECRET, signed)), mac)
  end)

  it("is another each time", function()
    local known = {}
    for _ = 1, 100 do
      local nonce = callback.url("https://me.example/", SECRET):match "cc_nonce=(%x+)"
      assert.is_nil(known[nonce])
      known[nonce] = true
    end
  end)

  it("keeps the query that is there", function()
    for base, start in pairs {
      ["https://h/p"] = "https://h/p?cc_nonce=", ["https://h/p?"] = "https://h/p?cc_nonce=",
      ["https://h/p?a=1"] = "https://h/p?a=1&cc_nonce=", ["https://h/p?a=1&"] = "https://h/p?a=1&cc_nonce=",
      ["http://h:80"] = "http://h:80?cc_nonce=",
    } do
      local url = callback.url(base, SECRET)
      assert.equal(start, url:sub(1, #start))
      assert.is_true(callback.verify(url, SECRET))
    end
  end)

  it("refuses what cannot work", function()
    assert.matches("address_spec.lua:%d+: callback.url: base must be an http", message("me.example/hook", SECRET))
    assert.matches("base must be an http", message(nil, SECRET))
    assert.matches("no fragment", message("https://h/p#top", SECRET))
    assert.matches("signed already", message("https://h/p?cc_nonce=1", SECRET))
    assert.matches("signed already", message(callback.url("https://h/p", SECRET), SECRET))
    assert.matches("secret must be a string that is not empty", message("https://h/p", ""))
    assert.matches("secret must be", message("https://h/p", nil))
    assert.matches("expires_in must be a whole number, 1 or more", message("https://h/p", SECRET, { expires_in = 0 }))
    assert.matches("crypto must be a table", message("https://h/p", SECRET, { crypto = "openssl" }))
  end)

  it("shows no secret in its messages", function()
    assert.is_nil(message("ftp://h", SECRET):find(SECRET, 1, true))
  end)
end)

describe("callback.verify", function()
  local url = callback.url("https://me.example/hook?job=7&note=a%20b%26c", SECRET)
  local query = url:match "%?(.*)$"

  it("takes the URL, its path, or its query", function()
    local nonce = url:match "cc_nonce=(%x+)"
    for _, given in ipairs { url, "/hook?" .. query, query, "?" .. query, url .. "#top" } do
      local ok, got = callback.verify(given, SECRET)
      assert.is_true(ok)
      assert.equal(nonce, got)
    end
  end)

  it("does not mind another spelling or order", function()
    assert.is_true(callback.verify(query:gsub("%%20", "+"), SECRET))
    assert.is_true(callback.verify(query:gsub("job=7", "%%6A%%6fb=%%37"), SECRET))
    assert.is_true(callback.verify((query:gsub("^(.-)&(.*)$", "%2&%1")), SECRET))
    assert.is_true(callback.verify(query:gsub("(cc_hmac=)(%x+)", function(name, mac)
      return name .. mac:upper()
    end), SECRET))
  end)

  it("refuses what was changed, added or left out", function()
    for _, changed in ipairs {
      query:gsub("job=7", "job=8"), (query:gsub("job=7&", "")), query .. "&more=1",
      (query:gsub("note=a%%20b%%26c", "note=a%%20b&c")), (query:gsub("job=7&", "job=7&job=7&")),
    } do
      if type(changed) == "string" then
        assert.equal("wrong signature", reason(changed, SECRET))
      end
    end
    for i = 1, 64 do
      local changed = query:gsub("(cc_hmac=)(%x+)", function(name, mac)
        local digit = mac:sub(i, i) == "0" and "1" or "0"
        return name .. mac:sub(1, i - 1) .. digit .. mac:sub(i + 1)
      end)
      assert.equal("wrong signature", reason(changed, SECRET))
    end
    assert.equal("wrong signature", reason(query:sub(1, -2), SECRET))
    assert.equal("wrong signature", reason(query, SECRET .. "x"))
  end)

  it("refuses what is not signed", function()
    assert.equal("not signed", reason(nil, SECRET))
    assert.equal("not signed", reason("", SECRET))
    assert.equal("not signed", reason("https://me.example/hook", SECRET))
    assert.equal("not signed", reason((query:gsub("&cc_hmac=%x+", "")), SECRET))
    assert.equal("not signed", reason((query:gsub("cc_nonce=%x+", "")), SECRET))
    assert.equal("not signed", reason(query .. "&cc_hmac=" .. ("0"):rep(64), SECRET))
    assert.equal("not signed", reason("&&==&%zz%", SECRET))
    assert.equal("wrong signature", reason("cc_nonce=&cc_hmac=", SECRET))
  end)

  it("lets an address expire", function()
    local short = callback.url("https://h/p", SECRET, { expires_in = 60 })
    local expires = tonumber(short:match "cc_expires=(%d+)")
    assert.is_true(math.abs(expires - os.time() - 60) <= 2)
    assert.is_true(callback.verify(short, SECRET))
    assert.is_true(callback.verify(short, SECRET, { now = expires - 1 }))
    assert.equal("expired", reason(short, SECRET, { now = expires }))
    assert.equal("wrong signature", reason(short:gsub("cc_expires=%d+", "cc_expires=9999999999"), SECRET))
    assert.equal("wrong signature", reason((short:gsub("cc_expires=%d+&", "")), SECRET))
  end)

  it("works with the caller's own library", function()
    local real, used = crypto.find(), 0
    local own = {
      hmac = function(key, text) used = used + 1 return real.hmac(key, text) end,
      random = function(size) return ("r"):rep(size) end,
    }
    local mine = callback.url("https://h/p", SECRET, { crypto = own })
    assert.matches("cc_nonce=" .. ("72"):rep(16), mine)
    assert.is_true(callback.verify(mine, SECRET))
    used = 0
    assert.is_true(callback.verify(mine, SECRET, { crypto = own }))
    assert.is_true(used > 0)
  end)

  it("refuses to work without a secret", function()
    local ok, err = pcall(callback.verify, url, "")
    assert.is_false(ok)
    assert.matches("callback.verify: secret must be", err)
  end)
end)
