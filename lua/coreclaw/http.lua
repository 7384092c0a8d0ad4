--- The pipeline of every call: build → send → wait → decode → error or data; the retry policy
--- decides "again?". One deadline per public call holds for all of it.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local request = require "coreclaw.request"

local http = {}

-- Seconds left until a deadline; never 0, which would mean "no limit" to the engine.
local function left(deadline)
  return math.max(deadline - core.now(), 0.001)
end

local function limit(seconds, deadline)
  local rest = left(deadline)
  if seconds == 0 then return rest < math.huge and rest or 0 end
  return math.min(seconds, rest)
end

local function exchange(waiter, built, api)
  local record = waiter.submit(built)
  waiter.wait(record)
  if not record.status then return nil, answer.failed(record.body) end
  local envelope, err = answer.read(api, record.status, record.body)
  if err then err.retry_after = record.retry_after end
  return envelope, err
end

---Makes the error of a paid call whose outcome cannot be known. Nothing is ever resent for it.
---@param err coreclaw.Error  what happened
---@param call table          of http.call
---@param since integer       Unix seconds at which it was first sent
---@return coreclaw.Error
function http.unknown_outcome(err, call, since)
  return errors.new {
    kind = "unknown_outcome",
    message = "it is not known whether this call took effect, and it was not repeated: "
      .. err.message,
    cause = err,
    code = err.code, key = err.key, http_status = err.http_status, request_id = err.request_id,
    details = err.details, operation = err.operation, attempts = err.attempts,
    sent = "unknown",
    worker = call.params.path and call.params.path.workerId,
    window = { from = since, to = math.ceil(core.time()) },
  }
end

local function finish(err, call, attempt, since)
  err.operation, err.attempts = call.id, attempt
  if call.operation.class == "paid" and err.sent == "unknown" then
    err = http.unknown_outcome(err, call, since)
  end
  return nil, err
end

local function attempts(client, call, built, deadline)
  local waiter = driver.current()
  local since, attempt = math.floor(core.time()), 0
  while true do
    attempt = attempt + 1
    built.timeout = limit(call.request_timeout, deadline)
    built.idle_timeout = call.idle_timeout
    local envelope, err = exchange(waiter, built, client.settings.api)
    if envelope then return envelope end
    errors.scrub(err, config.secret(client.settings))
    local delay = client.retry(err, call.operation.class, attempt)
    if not delay or delay >= left(deadline) then return finish(err, call, attempt, since) end
    waiter.sleep(delay)
  end
end

---Calls an operation.
---@param client table
---@param id string                operation id
---@param params { path: table?, query: table?, body: table? }
---@param options { timeout: number?, request_timeout: number?, idle_timeout: number? }?  seconds
---@return table? envelope          code, message, data, request_id
---@return coreclaw.Error?
function http.call(client, id, params, options)
  local settings = client.settings
  options = options or {}
  local call = {
    id = id, params = params,
    operation = client.operations[id],
    request_timeout = options.request_timeout or settings.request_timeout,
    idle_timeout = options.idle_timeout or settings.idle_timeout,
  }
  local timeout = options.timeout or settings.timeout
  local deadline = timeout > 0 and core.now() + timeout or math.huge
  local built = request.build(settings, id, call.operation, params)
  return attempts(client, call, built, deadline)
end

return http
