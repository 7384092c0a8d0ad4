--- The pipeline of every call: build → send → wait → decode → error or data; the retry policy
--- decides "again?". One deadline per public call holds for all of it.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local hooks = require "coreclaw.hooks"
local journal = require "coreclaw.journal"
local json = require "coreclaw.json"
local request = require "coreclaw.request"
local response = require "coreclaw.response"
local retry = require "coreclaw.retry"
local v1 = require "coreclaw.v1"
local v1_operations = require "coreclaw.operations.v1"
local validate = require "coreclaw.validate"

local http = {}

-- Seconds left until a deadline; never 0, which would mean "no limit" to the engine.
local function left(client, deadline)
  return client.clock:left(deadline, 0.001)
end

local function limit(client, seconds, deadline)
  local rest = left(client, deadline)
  if seconds == 0 then return rest < math.huge and rest or 0 end
  return math.min(seconds, rest)
end

-- The answer behind a failure, as far as it can be read; the key, should it be echoed, is masked.
local function behind_failure(client, record, attempt)
  local key = config.secret(client.settings)
  local envelope = json.decode(errors.mask(record.body, key))
  return response.new(record.status, errors.mask(record.headers, key),
    type(envelope) == "table" and errors.scrub_value(envelope, key) or {}, attempt)
end

local function exchange(client, call, built, attempt)
  local way = driver.current() -- raises where nothing can be sent: nothing is meant then either
  hooks.request(client, call, built, attempt)
  if built.secret and not built.secret:is_open() then
    validate.fail(call.id .. " was not sent: the client was closed meanwhile")
  end
  local refused = journal.intend(client, call, call.deadline)
  if refused then return nil, refused end
  local record = way.exchange(built)
  local envelope, err
  if record.status then
    envelope, err = answer.read(client.settings.api, record.status, record.body, config.secret(client.settings))
  else
    err = answer.failed(record.body)
  end
  if err then
    err.retry_after = record.retry_after
    errors.scrub(err, config.secret(client.settings))
    err.response = record.status and behind_failure(client, record, attempt) or nil
  end
  hooks.response(client, call, record, attempt, err)
  return envelope, err, record
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
    details = err.details, response = err.response, operation = err.operation, attempts = err.attempts,
    sent = "unknown",
    worker = call.params.path and call.params.path.workerId,
    path = call.params.path,
    window = { from = since, to = math.ceil(core.time()) },
    intent = call.intent,
  }
end

local function finish(err, call, attempt, since)
  err.operation, err.attempts = call.id, attempt
  if call.operation.class == "paid" and err.sent == "unknown" then
    err = http.unknown_outcome(err, call, since)
  end
  return nil, err
end

local function repeatedly(client, call, built, deadline)
  local since, attempt, last = math.floor(core.time()), 0, nil
  while true do
    attempt = attempt + 1
    built.timeout = limit(client, call.request_timeout, deadline)
    built.idle_timeout = call.idle_timeout
    local envelope, err, record = exchange(client, call, built, attempt)
    if envelope then
      client.budget:earn(last)
      return envelope, nil, response.new(record.status, record.headers, envelope, attempt)
    end
    local delay = retry.again(client, err, call.operation.class, attempt, left(client, deadline))
    if not delay then return finish(err, call, attempt, since) end
    hooks.retry(client, call, attempt, delay, err)
    last = err
    client.clock.sleep(delay)
  end
end

-- What was meant is on the disk before anything of a paid call is sent; what came of it, after.
local function attempts(client, call, built, deadline)
  call.deadline = deadline
  local envelope, err, behind = repeatedly(client, call, built, deadline)
  journal.settle(client, call, envelope, err)
  if behind then behind.intent = call.intent end
  return envelope, err, behind
end

-- API v1 has other operations for the same: params and answer are translated, `known` is an answer
-- that needs no request.
local function call_v1(client, call, deadline)
  request.check(call.id, call.operation, call.params)
  local id, params, known = v1.request(call.id, call.params)
  if known then return { code = 0, message = "success", data = known } end
  if not id and v1.missing[call.id] then
    return nil, errors.new { kind = "not_implemented", message = v1.missing[call.id], operation = call.id }
  elseif not id then
    validate.fail(params)
  end
  local built = request.build(client.settings, call.id, v1_operations[id], params)
  local envelope, err, behind = attempts(client, call, built, deadline)
  if not envelope then return nil, err end
  local translated = {}
  for name, value in pairs(envelope) do translated[name] = value end
  translated.data = v1.data(call.id, envelope.data)
  return translated, nil, behind
end

-- Fills in the times of a call; returns its deadline.
local function set_times(client, call, options)
  local settings = client.settings
  call.request_timeout = options.request_timeout or settings.request_timeout
  call.idle_timeout = options.idle_timeout or settings.idle_timeout
  return client.clock:deadline(options.timeout or settings.timeout)
end

---Calls an operation.
---@param client table
---@param id string                operation id
---@param params { path: table?, query: table?, body: table? }
---@param options { timeout: number?, request_timeout: number?, idle_timeout: number?, label: string? }?
---  seconds; the label is for the journal
---@return table? envelope          code, message, data (in the shape of v2), request_id
---@return coreclaw.Error?
---@return coreclaw.Response?
function http.call(client, id, params, options)
  local settings = client.settings
  local call = { id = id, params = params, operation = client.operations[id], label = options and options.label }
  local deadline = set_times(client, call, options or {})
  if settings.api == "v1" then return call_v1(client, call, deadline) end
  local built = request.build(settings, id, call.operation, params)
  return attempts(client, call, built, deadline)
end

---Sends a request that stands in no operation table: `client:request`.
---@param client table
---@param call { id: string, operation: table, params: table }
---@param options { timeout: number? }
---@return any? data
---@return coreclaw.Error?
---@return coreclaw.Response?
function http.custom(client, call, options)
  local deadline = set_times(client, call, options)
  local built = request.build(client.settings, call.id, call.operation, call.params)
  local envelope, err, behind = attempts(client, call, built, deadline)
  if not envelope then return nil, err end
  local data = envelope.data -- of an operation that nobody here knows: as it is
  if data == nil or data == json.null then data = {} end
  return data, nil, behind
end

---The same, for callers that want the data alone: absent, null and {} are an empty table.
---@return table? data
---@return coreclaw.Error?
---@return coreclaw.Response?
function http.data(client, id, params, options)
  local since = math.floor(core.time())
  local envelope, err, behind = http.call(client, id, params, options)
  if not envelope then return nil, err end
  local data, why = answer.data(envelope, id)
  if not data and client.operations[id].class == "paid" then
    why = http.unknown_outcome(why, { params = params, intent = behind and behind.intent }, since)
  end
  return data, why, behind
end

return http
