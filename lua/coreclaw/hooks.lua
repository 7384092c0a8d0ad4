--- Hooks: what a caller may watch. They see everything but the key.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local pool = require "coreclaw.driver.pool"
local request = require "coreclaw.request"

local hooks = {}

---@class coreclaw.HookEvent
---@field operation string   its name in API v2; "GET /path" of `client:request`
---@field route string?      the path as the documentation has it, "/api/v2/worker-runs/{runId}": a name that stays the
---  same, for metrics and spans. nil for files and `client:request`
---@field call integer       the same for all events of a call
---@field attempt integer    from 1
---@field method string      "GET", "POST", …
---@field at number          Unix seconds

---@class coreclaw.RequestEvent: coreclaw.HookEvent
---@field url string         the key masked
---@field headers string[]   the key masked
---@field body string?

---@class coreclaw.ResponseEvent: coreclaw.HookEvent
---@field seconds number     it took
---@field status integer?    nil: no answer came
---@field headers string?    the key masked
---@field body string?       the key masked
---@field error coreclaw.Error?

---@class coreclaw.RetryEvent: coreclaw.HookEvent
---@field delay number       seconds until the next attempt
---@field error coreclaw.Error

-- The header that the C core adds, as it may be shown.
local SHOWN = { bearer = "Authorization: Bearer ***", api_key = "api-key: ***" }

local calls = 0

local function number_of(call)
  if not call.number then
    calls = calls + 1
    call.number = calls
  end
  return call.number
end

local function event_of(call, attempt)
  return {
    operation = call.id, route = call.route, call = number_of(call), attempt = attempt, method = call.method,
    at = core.time(),
  }
end

local function shown_url(built, auth, key)
  if auth ~= "query" then return errors.mask(built.url, key) end
  return errors.mask(built.url, key) .. (built.url:find("?", 1, true) and "&" or "?") .. "token=***"
end

local function describe(client, call, built, attempt)
  local key = config.secret(client.settings)
  local lines, auth = request.common(built)
  local headers = {}
  for i, line in ipairs(lines) do headers[i] = errors.mask(line, key) end
  headers[#headers + 1] = SHOWN[auth]
  local event = event_of(call, attempt)
  event.url, event.headers = shown_url(built, auth, key), headers
  event.body = built.body and errors.mask(built.body, key)
  return event
end

---Before a request is sent: `on_request(event)`. An error raised there stops the call, and so does
---returning false: then this is the call's error.
---@return coreclaw.Error?
function hooks.request(client, call, built, attempt)
  local hook = client.settings.on_request
  call.method = built.method
  if hook and hook(describe(client, call, built, attempt)) == false then
    return errors.stopped("on_request", call.id, "the request was not sent")
  end
  if client.settings.on_response then call.sent_at, call.ended_at = core.now(), nil end
end

---A request was sent that nobody may wait for when it ends: its time is taken then.
function hooks.begun(client, call, record)
  if not client.settings.on_response or record.done then return end
  pool.on_done(record, function() call.ended_at = core.now() end)
end

-- After a request has gone out a hook must not get between the caller and the answer: a run that
-- was paid for would be lost from sight.
local function guarded(hook, event)
  local ok, message = pcall(hook, event)
  if not ok then io.stderr:write("coreclaw: a hook failed: ", tostring(message), "\n") end
end

---After an answer or a failure: `on_response(event)`.
function hooks.response(client, call, record, attempt, err)
  local hook = client.settings.on_response
  if not hook then return end
  local key = config.secret(client.settings)
  local function text(value) return type(value) == "string" and errors.mask(value, key) or value end
  local event = event_of(call, attempt)
  event.error = err
  event.seconds = (call.ended_at or core.now()) - call.sent_at
  event.status = record.status or nil
  event.headers = record.status and text(record.headers) or nil
  event.body = record.status and text(record.body) or nil
  guarded(hook, event)
end

---Before a request is repeated: `on_retry(event)`.
function hooks.retry(client, call, attempt, delay, err)
  local hook = client.settings.on_retry
  if not hook then return end
  local event = event_of(call, attempt)
  event.delay, event.error = delay, err
  guarded(hook, event)
end

return hooks
