--- How requests travel: whom TLS trusts, which certificate of ours it shows, through which proxy.
--
-- Passwords are not part of the settings table, for the same reason as the key: see config.lua.

local secret = require "coreclaw.secret"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

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

local SCHEMES = { http = true, socks5 = true, socks5h = true }
local CERTIFICATE, KEY = "%-%-BEGIN [%u%d ]*CERTIFICATE", "%-%-BEGIN [%u ]*PRIVATE KEY"

-- Weak keys: a client that is collected takes its passwords with it.
local private = setmetatable({}, { __mode = "k" })

local function fail(name, text)
  validate.fail("coreclaw.new: " .. name .. " " .. text)
end

-- ---- files ------------------------------------------------------------------------------------

-- Better now than at the first call, which may be hours away.
local function check_file(name, path, pattern, what)
  local file, why = io.open(path, "rb")
  local text
  if file then
    text, why = file:read(4 * 1024 * 1024)
    file:close()
  end
  if not text then
    fail(name, "cannot be read: " .. tostring(why or "it is empty"))
  elseif not text:find(pattern) then
    fail(name, "must be a PEM file with " .. what .. ", but " .. path .. " holds none")
  end
end

local function check_files(settings)
  local cert, key = settings.cert_file, settings.key_file
  if settings.ca_file then check_file("ca_file", settings.ca_file, CERTIFICATE, "certificates") end
  if not cert and (key or settings.key_password) then
    fail(key and "key_file" or "key_password", "goes with cert_file only")
  end
  if not cert then return end
  check_file("cert_file", cert, CERTIFICATE, "a certificate")
  if key then
    check_file("key_file", key, KEY, "a private key")
  else
    check_file("cert_file", cert, KEY, "a private key too, or key_file must name one")
  end
  if (settings.key_password or ""):find("\0", 1, true) then fail("key_password", "must not hold zero bytes") end
end

-- ---- proxy ------------------------------------------------------------------------------------

local function is_port(text)
  local port = tonumber(text:match "^%d+$")
  return port ~= nil and port >= 1 and port <= 65535
end

local function is_host(text)
  return text:match "^[%w%.%-_]+$" ~= nil or text:match "^%[[%x:%.]+%]$" ~= nil
end

local PROXY = 'must be "" or http://, socks5:// or socks5h:// with host and port, and before them '
  .. 'user:password@ where it wants them (percent-encoded: "/" is %2F)'

-- Never shows what came: it may hold a password. Returns it without user and password.
local function check_proxy(value)
  if value == "" then return value end
  local scheme, rest = value:match "^(%a[%w+.-]*)://([^%s%c\128-\255]*)$"
  if not scheme or #scheme > 20 then fail("proxy", PROXY) end
  if not SCHEMES[scheme] then fail("proxy", PROXY .. ", got the scheme " .. scheme) end
  local authority = rest:gsub("/$", "")
  local host, port = authority:gsub("^.*@", ""):match "^(.*):([^:]*)$"
  if authority:find "[/?#]" or not host or not is_host(host) or not is_port(port) then fail("proxy", PROXY) end
  return scheme .. "://" .. host .. ":" .. port
end

-- Plain http to loopback is allowed because nobody else sees the key; through a proxy somebody does.
local function check_way(settings, bare)
  if settings.base_url:find "^http://" and not settings.allow_http and not url.is_loopback(bare) then
    fail("proxy", "would see the key, and so would the network before it, for base_url uses plain http; "
      .. "use https, or allow_http = true if you mean it")
  end
end

local function no_proxy_list(value)
  local list = type(value) == "string" and {} or value
  if type(value) == "string" then
    if value:find "%c" then fail("no_proxy", "must not hold control characters") end
    for word in value:gmatch "[^,%s]+" do list[#list + 1] = word end
  elseif type(value) ~= "table" then
    fail("no_proxy", "must be a list of hosts, or a string of them with commas, got " .. validate.show(value))
  end
  for i, word in ipairs(list) do
    if type(word) ~= "string" or not word:match "^[%w%.%-_:%[%]/*]+$" then
      fail("no_proxy", "must name hosts, but number " .. i .. " is " .. validate.show(word))
    end
  end
  return table.concat(list, ",")
end

-- ---- addresses --------------------------------------------------------------------------------

-- An address as libcurl's CONNECT_TO wants it, nil if it is none. No names: they would be looked up.
local function address_of(value)
  if type(value) ~= "string" then return nil end
  local bare = value:match "^%[(.*)%]$" or value
  if bare:find ":.*:" then return bare:match "^[%x:%.]+$" and "[" .. bare .. "]" end
  local count = 0
  for octet in bare:gmatch "%d+" do
    count = count + 1
    if tonumber(octet) > 255 then return nil end
  end
  return count == 4 and bare:match "^%d+%.%d+%.%d+%.%d+$" or nil
end

local function resolve_lines(map)
  local lines = {}
  for name, value in pairs(map) do
    local host, port = tostring(name):match "^(.*):(%d+)$"
    local address = address_of(value)
    if type(name) ~= "string" or not host or not is_host(host) or not is_port(port) then
      fail("resolve", 'must map "host:port" to an address, but a key is ' .. validate.show(name))
    elseif not address then
      fail("resolve", 'must map "' .. name .. '" to an IP address, got ' .. validate.show(value))
    end
    lines[#lines + 1] = host .. ":" .. port .. ":" .. address .. ":" .. port
  end
  table.sort(lines)
  return lines
end

-- ---- all of it --------------------------------------------------------------------------------

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
  check_files(settings)
  local kept = { key_password = settings.key_password, proxy = settings.proxy }
  settings.key_password, settings.proxy = nil, nil
  if kept.proxy then
    kept.bare = check_proxy(kept.proxy)
    if kept.bare ~= "" then check_way(settings, kept.bare) end
  end
  if settings.no_proxy ~= nil then settings.no_proxy = no_proxy_list(settings.no_proxy) end
  settings.resolve = settings.resolve and resolve_lines(settings.resolve)
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
