--- Addresses for `callback_url` that only their maker can make: a nonce, and an HMAC over the query.

local core = require "coreclaw.core"
local crypto = require "coreclaw.crypto"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local address = {}

local NONCE, EXPIRES, HMAC = "cc_nonce", "cc_expires", "cc_hmac"

local URL = { expires_in = { type = "integer", min = 1 }, crypto = { type = "any" } }
local VERIFY = { now = { type = "number" }, crypto = { type = "any" } }

local function unescape(part)
  return (part:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The parameters of a query, decoded; each is { name, value }.
local function parameters(query)
  local list = {}
  for pair in query:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    list[#list + 1] = { unescape(name), unescape(value) }
  end
  return list
end

local function value_of(list, wanted)
  local found
  for _, pair in ipairs(list) do
    if pair[1] == wanted then
      if found then return nil end -- which of the two?
      found = pair[2]
    end
  end
  return found
end

-- What is signed: every parameter but the signature, sorted and encoded anew, so that it does not
-- matter how those who pass the address on spell it. Not the host and path: behind a proxy the
-- receiver sees others.
local function signature(library, secret, list)
  local parts = {}
  for _, pair in ipairs(list) do
    if pair[1] ~= HMAC then parts[#parts + 1] = url.escape(pair[1]) .. "=" .. url.escape(pair[2]) end
  end
  table.sort(parts)
  return crypto.hex(library.hmac(secret, "coreclaw callback 1\n" .. table.concat(parts, "&")))
end

local function check_secret(where, secret)
  if type(secret) ~= "string" or secret == "" then
    validate.fail(where .. ": secret must be a string that is not empty")
  end
end

local function check_base(base)
  validate.value("callback.url", "base", base, { type = "url" })
  if base:find("#", 1, true) then
    validate.fail("callback.url: base must have no fragment (#...), which is never sent")
  end
  for _, pair in ipairs(parameters(base:match "%?(.*)$" or "")) do
    if pair[1] == NONCE or pair[1] == EXPIRES or pair[1] == HMAC then
      validate.fail("callback.url: base is signed already (it has the parameter " .. pair[1] .. ")")
    end
  end
end

---An address for `callback_url` that only you can make: base with a random nonce and the
---HMAC-SHA256 of its whole query. Put what you want to know again, a job's number say, into the
---query of base: it is signed too. Host and path are not, so use one secret for one receiver. The
---secret should be 32 random bytes or so; it does not appear in the address.
---@param base string
---@param secret string
---@param options { expires_in: integer?, crypto: coreclaw.Crypto? }?  expires_in: seconds
---@return string
function address.url(base, secret, options)
  options = validate.options("callback.url", options, URL)
  check_base(base)
  check_secret("callback.url", secret)
  local library = crypto.find(options.crypto)
  local added = NONCE .. "=" .. crypto.hex(crypto.random(library, 16))
  if options.expires_in then
    added = added .. "&" .. EXPIRES .. "=" .. string.format("%.0f", math.floor(core.time()) + options.expires_in)
  end
  local query = base:match "%?(.*)$"
  local glue = not query and "?" or (query == "" or query:sub(-1) == "&") and "" or "&"
  local whole = parameters((query or "") .. "&" .. added)
  return base .. glue .. added .. "&" .. HMAC .. "=" .. signature(library, secret, whole)
end

local function query_of(given)
  if type(given) ~= "string" then return "" end
  given = given:gsub("#.*$", "")
  return given:match "%?(.*)$" or given
end

---Was this address made by `callback.url` with the same secret, and is it still good? Compares in
---constant time.
---@param given string?  URL, path with query, or query; nil (no query at all) is not good
---@param secret string
---@param options { now: number?, crypto: coreclaw.Crypto? }?  now: Unix seconds, default the clock
---@return true?
---@return string  the nonce; or the reason: "not signed", "wrong signature", "expired"
function address.verify(given, secret, options)
  options = validate.options("callback.verify", options, VERIFY)
  check_secret("callback.verify", secret)
  local list = parameters(query_of(given))
  local nonce, mac = value_of(list, NONCE), value_of(list, HMAC)
  if not nonce or not mac then return nil, "not signed" end
  if not crypto.equal(signature(crypto.find(options.crypto), secret, list), mac:lower()) then
    return nil, "wrong signature"
  end
  local expires = value_of(list, EXPIRES)
  if expires and (options.now or core.time()) >= (tonumber(expires) or 0) then return nil, "expired" end
  return true, nonce
end

return address
