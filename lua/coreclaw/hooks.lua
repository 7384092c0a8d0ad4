--- Hooks: what a caller may watch. They see everything but the key.

local config = require "coreclaw.config"
local errors = require "coreclaw.errors"

local hooks = {}

---@class coreclaw.RequestEvent
---@field operation string
---@field attempt integer    from 1
---@field method string
---@field url string         the key masked
---@field headers string[]   the key masked
---@field body string?

-- The header that the C core adds, as it may be shown.
local SHOWN = { bearer = "Authorization: Bearer ***", api_key = "api-key: ***" }

local function shown_url(built, key)
  if built.auth ~= "query" then return errors.mask(built.url, key) end
  return errors.mask(built.url, key) .. (built.url:find("?", 1, true) and "&" or "?") .. "token=***"
end

local function describe(client, call, built, attempt)
  local key = config.secret(client.settings)
  local headers = {}
  for i, line in ipairs(built.headers) do headers[i] = errors.mask(line, key) end
  headers[#headers + 1] = SHOWN[built.auth]
  return {
    operation = call.id, attempt = attempt, method = built.method, headers = headers,
    url = shown_url(built, key),
    body = built.body and errors.mask(built.body, key),
  }
end

---Before a request is sent: `on_request(event)`. An error raised there stops the call, and so does
---returning false: then this is the call's error.
---@return coreclaw.Error?
function hooks.request(client, call, built, attempt)
  local hook = client.settings.on_request
  if hook and hook(describe(client, call, built, attempt)) == false then
    return errors.stopped("on_request", call.id, "the request was not sent")
  end
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
  local function text(value) return type(value) == "string" and errors.mask(value, key) or value end
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
