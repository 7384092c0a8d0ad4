--- How requests travel: whom TLS trusts, which certificate of ours it shows, through which proxy.
--
-- Passwords are not part of the settings table, for the same reason as the key: see config.lua.

local lazy = require "coreclaw.lazy"
local secret = require "coreclaw.secret"
local url = require "coreclaw.url"

local check = lazy.module "coreclaw.transport.check"

local transport = {}

---The options of `coreclaw.new` that this room checks.
transport.options = {
  verify = { type = "boolean", default = true },
  ca_file = { type = "text" },
  cert_file = { type = "text" },
  key_file = { type = "text" },
  key_password = { type = "string", secret = true },
  proxy = { type = "string", secret = true },
  no_proxy = { type = "any" },
  resolve = { type = "table" },
  on_warning = { type = "callable" },
}

-- Weak keys: a client that is collected takes its passwords with it.
local private = setmetatable({}, { __mode = "k" })

local UNVERIFIED = "verify = false: the server's certificate is not checked, so that anybody in between can "
  .. "read the key and the data; to trust a private CA name it in ca_file"

local function warn(settings, message)
  if settings.on_warning then
    settings.on_warning(message)
  else
    io.stderr:write("coreclaw: ", message, "\n")
  end
end

---Checks the settings of this room, which know their base_url, and puts the passwords away.
---@param settings table  written to
function transport.keep(settings)
  if settings.ca_file or settings.cert_file or settings.key_file or settings.key_password then check.files(settings) end
  local kept = { key_password = settings.key_password, proxy = settings.proxy }
  settings.key_password, settings.proxy = nil, nil
  if kept.proxy then
    kept.bare = check.proxy(kept.proxy)
    if kept.bare ~= "" then check.way(settings, kept.bare) end
  end
  if settings.no_proxy ~= nil then settings.no_proxy = check.no_proxy(settings.no_proxy) end
  settings.resolve = settings.resolve and check.resolve(settings.resolve)
  kept.key_password = kept.key_password and secret.new(kept.key_password)
  if kept.proxy ~= kept.bare then kept.proxy = secret.new(kept.proxy) end
  -- Loopback needs no proxy of the environment, and plain http is allowed there because nobody
  -- else sees the key.
  kept.to_api = kept.proxy or (url.is_loopback(settings.base_url) and "" or nil)
  private[settings] = kept
  if not settings.verify then warn(settings, UNVERIFIED) end
end

---Forgets the passwords. What is sent after that does not get around the proxy.
---@param settings table
function transport.forget(settings)
  local kept = private[settings] or {}
  if kept.key_password then kept.key_password:close() end
  if type(kept.proxy) == "userdata" then kept.proxy:close() end
  private[settings] = { proxy = kept.bare, to_api = kept.bare, bare = kept.bare }
end

---Tells a request how to travel.
---@param settings table
---@param request table   of engine:submit; written to
---@param identify boolean  may it show our certificate? To the API only
---@return table request
function transport.apply(settings, request, identify)
  local kept = private[settings] or {}
  request.meter = settings.meter
  request.verify, request.ca_file = settings.verify, settings.ca_file
  request.connect_to, request.no_proxy = settings.resolve, settings.no_proxy
  if not identify then
    request.proxy = kept.proxy or (url.is_loopback(request.url) and "" or nil)
  else
    request.proxy = kept.to_api
    request.cert_file, request.key_file = settings.cert_file, settings.key_file
    request.key_password = kept.key_password
  end
  return request
end

return transport
