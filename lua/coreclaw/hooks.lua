--- Hooks: what a caller may watch. They see everything but the key.

local config = require "coreclaw.config"
local url = require "coreclaw.url"

local hooks = {}

local MASK = "***"

-- The key plain, and as it stands in a query.
local function mask(text, key)
  for _, secret in ipairs { key, url.escape(key) } do
    local at = text:find(secret, 1, true)
    while at do
      text = text:sub(1, at - 1) .. MASK .. text:sub(at + #secret)
      at = text:find(secret, at + #MASK, true)
    end
  end
  return text
end

---@class coreclaw.RequestEvent
---@field operation string
---@field attempt integer    from 1
---@field method string
---@field url string         the key masked
---@field headers string[]   the key masked
---@field body string?

local function describe(client, call, built, attempt)
  local key = config.secret(client.settings)
  local headers = {}
  for i, line in ipairs(built.headers) do headers[i] = key and mask(line, key) or line end
  return {
    operation = call.id, attempt = attempt, method = built.method, headers = headers,
    url = key and mask(built.url, key) or built.url,
    body = built.body and key and mask(built.body, key) or built.body,
  }
end

---Before a request is sent: `on_request(event)`. An error raised there stops the call.
function hooks.request(client, call, built, attempt)
  local hook = client.settings.on_request
  if hook then hook(describe(client, call, built, attempt)) end
end

-- After a request has gone out a hook must not get between the caller and the answer: a run that
-- was paid for would be lost from sight.
local function guarded(hook, event)
  local ok, message = pcall(hook, event)
  if not ok then io.stderr:write("coreclaw: a hook failed: ", tostring(message), "\n") end
end

---After an answer or a failure: `on_response { operation, attempt, status?, headers?, body?, error? }`.
function hooks.response(client, call, record, attempt, err)
  local hook = client.settings.on_response
  if not hook then return end
  local key = config.secret(client.settings)
  local function text(value) return type(value) == "string" and key and mask(value, key) or value end
  guarded(hook, {
    operation = call.id, attempt = attempt, error = err,
    status = record.status or nil,
    headers = record.status and text(record.headers) or nil,
    body = record.status and text(record.body) or nil,
  })
end

---Before a request is repeated: `on_retry { operation, attempt, delay, error }`.
function hooks.retry(client, call, attempt, delay, err)
  local hook = client.settings.on_retry
  if hook then guarded(hook, { operation = call.id, attempt = attempt, delay = delay, error = err }) end
end

return hooks
