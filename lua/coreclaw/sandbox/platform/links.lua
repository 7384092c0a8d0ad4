--- Signed links that expire, to files on the second origin.

local clock = require("coreclaw.sandbox.platform.clock")
local ids = require("coreclaw.sandbox.platform.ids")
local state = require("coreclaw.sandbox.platform.state")

-- luacheck: globals ngx
local M = {}

local secret = ids.secret(16)
local sources = {}

M.lifetime = 1800

--- What links of a kind lead to: fn(name) → { text or path, type, name }, or nil when there is nothing.
function M.serve(kind, fn)
  sources[kind] = fn
end

local function signature(kind, name, expires)
  local digest = ngx.hmac_sha1(secret, kind .. "\n" .. name .. "\n" .. expires)
  return (digest:gsub(".", function(c)
    return string.format("%02x", c:byte())
  end))
end

--- A link, good for half an hour of sandbox time (or `lifetime`).
function M.sign(kind, name, lifetime)
  local now = clock.seconds()
  local expires = now + (lifetime or state.settings.link_lifetime or M.lifetime)
  return ("%s/%s/%s?sign-time=%d%%3B%d&signature=%s"):format(state.settings.files_url, kind, name, now, expires,
    signature(kind, name, expires))
end

---@return table? found text or path, type, name; nil: refused
---@return string? why "signature", "expired", "missing"
function M.open(kind, name, arguments)
  local expires = type(arguments["sign-time"]) == "string" and arguments["sign-time"]:match("^%d+;(%d+)$")
  if not sources[kind] or not expires or signature(kind, name, expires) ~= arguments.signature then
    return nil, "signature"
  elseif clock.now() > tonumber(expires) then
    return nil, "expired"
  end
  local found = sources[kind](name)
  if not found then
    return nil, "missing"
  end
  return found
end

return M
