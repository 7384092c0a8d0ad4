--- Whose request is this?

local reply = require("coreclaw.sandbox.reply")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

-- luacheck: globals ngx

local function bearer(headers)
  local value = headers.authorization
  return type(value) == "string" and value:match("^[Bb][Ee][Aa][Rr][Ee][Rr]%s+(%S+)%s*$") or nil
end

local function key_of(operation, request)
  local key = bearer(request.headers) or request.headers["api-key"]
  if not key and operation.api == "v2" then
    key = ngx.decode_args(request.query_string, 100).token
  end
  return type(key) == "string" and key ~= "" and key or nil
end

local REFUSED = { expired = "expired_key", disabled = "disabled_user", unknown = "unknown_user" }

--- The account of a request; fails where a key is needed and none, or none that is good, is given.
function M.account(operation, request)
  if not operation.auth then
    return nil
  end
  local key = key_of(operation, request)
  if not key then
    reply.fail("no_key")
  end
  local account = state.accounts[key]
  if not account then
    reply.fail("bad_key")
  elseif REFUSED[account.state] then
    reply.fail(REFUSED[account.state])
  end
  return account
end

return M
