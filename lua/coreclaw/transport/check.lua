--- Checks of what a client may say about how its requests travel: files, proxy, addresses. Loaded where it says
--- something of them.

local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local check = {}

local SCHEMES = { http = true, socks5 = true, socks5h = true }
local CERTIFICATE, KEY = "%-%-BEGIN [%u%d ]*CERTIFICATE", "%-%-BEGIN [%u ]*PRIVATE KEY"

local function fail(name, text)
  validate.fail("coreclaw.new: " .. name .. " " .. text)
end

-- ---- files ------------------------------------------------------------------------------------

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

---Certificates and keys that cannot be used. Better now than at the first call, which may be hours away.
---@param settings table
function check.files(settings)
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

---Never shows what came: it may hold a password.
---@param value string
---@return string  without user and password
function check.proxy(value)
  if value == "" then return value end
  local scheme, rest = value:match "^(%a[%w+.-]*)://([^%s%c\128-\255]*)$"
  if not scheme or #scheme > 20 then fail("proxy", PROXY) end
  if not SCHEMES[scheme] then fail("proxy", PROXY .. ", got the scheme " .. scheme) end
  local authority = rest:gsub("/$", "")
  local host, port = authority:gsub("^.*@", ""):match "^(.*):([^:]*)$"
  if authority:find "[/?#]" or not host or not is_host(host) or not is_port(port) then fail("proxy", PROXY) end
  return scheme .. "://" .. host .. ":" .. port
end

---Plain http to loopback is allowed because nobody else sees the key; through a proxy somebody does.
---@param settings table
---@param bare string  the proxy
function check.way(settings, bare)
  if settings.base_url:find "^http://" and not settings.allow_http and not url.is_loopback(bare) then
    fail("proxy", "would see the key, and so would the network before it, for base_url uses plain http; "
      .. "use https, or allow_http = true if you mean it")
  end
end

---@param value string|string[]
---@return string  with commas
function check.no_proxy(value)
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

---@param map table<string, string>
---@return string[]  as libcurl's CONNECT_TO wants them
function check.resolve(map)
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

return check
