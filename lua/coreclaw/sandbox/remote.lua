--- Parent side: calls a control of a running sandbox (see handlers/control.lua).

local codec = require("coreclaw.sandbox.codec")
local encode = require("coreclaw.sandbox.encode")

local M = {}

local TIMEOUT = 60

local function post(url, secret, body)
  local core = require("coreclaw.core")
  local engine = core.engine({ max_connections = 1 })
  engine:submit({
    url = url,
    method = "POST",
    headers = { "Content-Type: application/json", "sandbox-secret: " .. secret },
    body = body,
    timeout = TIMEOUT,
    proxy = "",
    max_body = 1024 * 1024 * 1024,
  })
  local id, status, text
  repeat
    engine:wait(1)
    id, status, text = engine:next()
  until id
  engine:close()
  return status, text
end

--- Calls a control and returns its result. A sandbox that is gone, or that refuses, raises.
function M.call(handle, verb, arguments)
  local url, body = handle.url .. "/_sandbox/" .. verb, encode.encode(arguments or encode.fields())
  if next(arguments or {}) == nil then
    body = "{}"
  end
  local status, text = post(url, handle.secret, body)
  if not status then
    error("the sandbox does not answer (has it been stopped?)", 3)
  end
  local answer = assert(codec.decode(text))
  if answer.error then
    error("sandbox: " .. answer.error, 3)
  end
  return answer.result
end

return M
