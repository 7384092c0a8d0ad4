--- The settings of a client: defaults < environment < arguments. Copies what it is given.
--
-- The key is not part of the settings table: it lives in C memory (see secret.lua), and the way there
-- in a private table keyed by the client's settings, so that a dump of any object of ours cannot show it.

local lazy = require "coreclaw.lazy"
local secret = require "coreclaw.secret"
local transport = require "coreclaw.transport"
local validate = require "coreclaw.validate"
local url = require "coreclaw.url"

local input = lazy.module "coreclaw.input"

local config = {}

local OPTIONS = {
  api_key = { type = "string", secret = true },
  api = { type = "string", enum = { "v2", "v1" }, default = "v2" },
  auth = { type = "string", enum = { "bearer", "api_key", "query" } },
  base_url = { type = "url" },
  allow_http = { type = "boolean", default = false },
  timeout = { type = "seconds", default = 120 },
  request_timeout = { type = "seconds", default = 60 },
  connect_timeout = { type = "seconds", default = 10 },
  idle_timeout = { type = "seconds", default = 30 },
  max_body = { type = "integer", min = 1, max = 2 ^ 53, default = 64 * 1024 * 1024 },
  max_headers = { type = "integer", min = 1, max = 300 * 1024, default = 256 * 1024 },
  max_pages = { type = "integer", min = 1, default = 1000000 },
  user_agent = { type = "text" },
  retry = { type = "any" },
  clock = { type = "any" },
  poll_intervals = { type = "table" },
  defaults = { type = "table" },
  journal = { type = "text" },
  on_request = { type = "callable" },
  on_response = { type = "callable" },
  on_retry = { type = "callable" },
}

for name, rule in pairs(transport.options) do OPTIONS[name] = rule end

local DEFAULT_BASE_URL = "https://openapi.coreclaw.com"

-- Weak keys: a client that is collected takes its key with it. false: it was closed.
local secrets = setmetatable({}, { __mode = "k" })

-- The message must not show what came: it is a secret, even if a malformed one.
local function check_key(key)
  if key:length() == 0 then
    validate.fail("coreclaw.new: api_key must not be an empty string")
  elseif not key:is_key() then
    validate.fail("coreclaw.new: api_key must be printable ASCII without spaces, but it holds a "
      .. "newline, space or control character (was it read from a file?)")
  end
end

local function check_base_url(base, allow_http)
  local rest = base:match("^https?://(.*)$")
  if not rest or rest:find("[?#]") or rest:match("^[^/]*"):find("@", 1, true) then
    validate.fail("coreclaw.new: base_url must be scheme, host and path only "
      .. "(no user, query or fragment)")
  end
  if base:find("^http://") and not url.is_loopback(base) and not allow_http then
    validate.fail("coreclaw.new: base_url uses plain http, which would show the key to the "
      .. "network; use https, or allow_http = true if you mean it, got " .. validate.show(base))
  end
end

local function check_numbers(where, name, list)
  if #list == 0 then validate.fail(where .. ": " .. name .. " must not be empty") end
  for i, value in ipairs(list) do
    validate.value(where, name .. "[" .. i .. "]", value, { type = "seconds" })
  end
end

---A checked copy of a list of polling intervals (seconds; the last one repeats).
---@param where string
---@param list number[]?
---@return number[]?
function config.intervals(where, list)
  if not list then return nil end
  check_numbers(where, "poll_intervals", list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  return copy
end

local function from_environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local DEFAULTS = { system = { type = "table" } }

-- A checked copy of what is put under every start.
local function check_defaults(defaults)
  if not defaults then return nil end
  local out = validate.options("coreclaw.new: defaults", defaults, DEFAULTS)
  return { system = out.system and input.system("coreclaw.new: defaults", out.system) }
end

---Checked settings of `coreclaw.new`. The environment is read here, never at `require`.
---@param options table?
---@return table settings
function config.new(options)
  local settings = validate.options("coreclaw.new", options, OPTIONS)
  local key = settings.api_key and secret.new(settings.api_key) or secret.of_environment "CORECLAW_API_KEY"
  settings.api_key = nil
  settings.base_url = settings.base_url or from_environment "CORECLAW_BASE_URL" or DEFAULT_BASE_URL
  validate.value("coreclaw.new", "base_url", settings.base_url, OPTIONS.base_url)
  check_base_url(settings.base_url, settings.allow_http)
  settings.base_url = settings.base_url:gsub("/+$", "")
  transport.keep(settings)
  settings.poll_intervals = config.intervals("coreclaw.new", settings.poll_intervals)
    or { 2, 2, 3, 5, 8, 10, 15 }
  settings.defaults = check_defaults(settings.defaults)
  settings.auth = settings.auth or (settings.api == "v1" and "api_key" or "bearer")
  if settings.api == "v1" and settings.auth == "query" then
    validate.fail("coreclaw.new: auth = \"query\" works with API v2 only")
  end
  if key then
    check_key(key)
    secrets[settings] = key
  end
  return settings
end

---The key of these settings, for the request builder and the scrubber only.
---@param settings table
---@return coreclaw.Secret|false|nil  false: `client:close()` has been called; nil: there never was one
function config.key(settings)
  return secrets[settings]
end

---The same, without the difference.
---@param settings table
---@return coreclaw.Secret?
function config.secret(settings)
  return secrets[settings] or nil
end

---Forgets the key: `client:close()`.
---@param settings table
function config.forget(settings)
  if secrets[settings] then secrets[settings]:close() end
  secrets[settings] = false
  transport.forget(settings)
end

return config
