--- The pipeline of every call: build → send → wait → decode → error or data; the retry policy
--- decides "again?". One deadline per public call holds for all of it.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local exchange = require "coreclaw.exchange"
local json = require "coreclaw.json"
local lazy = require "coreclaw.lazy"
local request = require "coreclaw.request"
local retry = require "coreclaw.retry"
local stats = require "coreclaw.stats"
local validate = require "coreclaw.validate"

local hooks, journal = lazy.module "coreclaw.hooks", lazy.module "coreclaw.journal"
local v1, v1_operations = lazy.module "coreclaw.v1", lazy.module "coreclaw.operations.v1"

local http = {}

local NONE = {} -- never written to

-- Seconds left until a deadline; never 0, which would mean "no limit" to the engine.
local function left(client, deadline)
  return client.clock:left(deadline, 0.001)
end

local function limit(client, seconds, deadline)
  local rest = left(client, deadline)
  if seconds == 0 then return rest < math.huge and rest or 0 end
  return math.min(seconds, rest)
end

---Makes the error of a paid call whose outcome cannot be known. Nothing is ever resent for it.
---@param err coreclaw.Error  what happened
---@param call table          of http.call
---@param since number        Unix seconds at which it was first sent
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
    window = { from = math.floor(since), to = math.ceil(core.time()) },
    intent = call.intent,
  }
end

-- Does it start something that costs money? To rerun the last run does, though its class says more.
local function is_paid(id, operation)
  return operation.class == "paid" or (operation.class == "last" and id:find "^rerun" ~= nil)
end

-- What was refused in the end may have been done by an attempt whose answer was lost.
local function finish(err, call, attempt, since)
  err.operation, err.attempts = call.id, attempt
  if call.unsure then err.unsure, err.sent = true, "unknown" end
  if is_paid(call.id, call.operation) and err.sent == "unknown" then
    err = http.unknown_outcome(err, call, since)
  end
  return nil, err
end

local function repeatedly(client, call, built, deadline)
  local since, attempt, last = core.time(), 0, nil
  while true do
    attempt = attempt + 1
    built.timeout = limit(client, call.request_timeout, deadline)
    local envelope, err, behind = exchange.once(client, call, built, attempt)
    if envelope then
      client.budget:earn(last)
      behind.unsure = call.unsure
      return envelope, nil, behind
    end
    -- What was not sent this time says nothing of the times before.
    if last and err.kind == "cancelled" and err.sent == "no" then err.sent = last.sent end
    local delay = retry.again(client, err, call.operation.class, attempt, left(client, deadline))
    if not delay then return finish(err, call, attempt, since) end
    call.unsure = call.unsure or err.sent == "unknown" or nil
    if client.settings.on_retry then hooks.retry(client, call, attempt, delay, err) end
    last = err
    local cancelled = client.clock:pause(delay)
    if cancelled then
      cancelled.sent = err.sent
      return finish(cancelled, call, attempt, since)
    end
  end
end

-- What was meant is on the disk before anything of a paid call is sent; what came of it, after.
local function attempts(client, call, built, deadline)
  if not client.settings.journal then return repeatedly(client, call, built, deadline) end
  call.deadline = deadline
  local envelope, err, behind = repeatedly(client, call, built, deadline)
  journal.settle(client, call, envelope, err)
  if behind then behind.intent = call.intent end
  return envelope, err, behind
end

-- API v1 has other operations for the same: params and answer are translated, `known` is an answer
-- that needs no request.
local function build_v1(client, call)
  request.check(call.id, call.operation, call.params)
  local id, params, known = v1.request(call.id, call.params)
  if known then
    call.known = { code = 0, message = "success", data = known }
  elseif not id and v1.missing[call.id] then
    call.err = errors.new { kind = "not_implemented", message = v1.missing[call.id], operation = call.id }
  elseif not id then
    validate.fail(params)
  else
    call.route = v1_operations[id].path
    call.built = request.build(client.settings, call.id, v1_operations[id], params)
  end
end

local function from_v1(call, envelope)
  local translated = {}
  for name, value in pairs(envelope) do translated[name] = value end
  translated.data = v1.data(call.id, envelope.data)
  return translated
end

-- Fills in the times of a call; returns its deadline.
local function set_times(client, call, built, options)
  local settings = client.settings
  call.request_timeout = options.request_timeout or settings.request_timeout
  built.idle_timeout = options.idle_timeout -- else as in all requests of the client
  return client.clock:deadline(options.timeout or settings.timeout)
end

-- A call, checked and built; nothing is sent.
local function prepare(client, id, params, options)
  local settings = client.settings
  local call = {
    id = id, params = params, operation = client.operations[id], options = options or NONE,
    label = options and options.label,
    built = nil, request_timeout = nil, route = nil, -- the table's size, at once
  }
  if settings.api == "v1" then
    build_v1(client, call)
  else
    call.route = call.operation.path
    call.built = request.build(settings, id, call.operation, params)
  end
  return call
end

---Sends the first try of a read and does not wait for it: `http.finish` does.
---@param client table
---@param id string
---@param params table
---@param options table?
---@param bell coreclaw.Record?  a signal that is to end when the first try has
---@return table call
function http.begin(client, id, params, options, bell)
  local call = prepare(client, id, params, options)
  if not call.built then return call end
  local built = call.built
  local deadline = set_times(client, call, built, call.options)
  built.timeout = limit(client, call.request_timeout, deadline)
  call.err = exchange.announce(client, call, built, 1)
  if call.err then return call end
  local host = driver.current()
  stats.sent(client, id)
  built.apart = true
  local record = host.submit(built)
  built.apart = nil
  if client.settings.on_response then hooks.begun(client, call, record) end
  if not record.done then record.bell = bell end
  call.begun = { driver = host, record = record }
  return call
end

---Has the first try ended? (As far as somebody has looked.)
function http.has_ended(call)
  return not call.begun or call.begun.record.done
end

---Ends what was begun; nobody wants it any more.
function http.drop(call)
  if call.begun then call.begun.driver.cancel(call.begun.record) end
end

---Waits for what was begun, and tries again where that may help. As http.call, whose time begins now.
function http.finish(client, call)
  if call.known or call.err then return call.known, call.err end
  local built = call.built
  local envelope, err, behind = attempts(client, call, built, set_times(client, call, built, call.options))
  if not envelope then return nil, err end
  if client.settings.api == "v1" then envelope = from_v1(call, envelope) end
  return envelope, nil, behind
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
  return http.finish(client, prepare(client, id, params, options))
end

---Sends a request that stands in no operation table: `client:request`.
---@param client table
---@param call { id: string, operation: table, params: table }
---@param options { timeout: number? }  further fields are none of its business
---@return any? data
---@return coreclaw.Error?
---@return coreclaw.Response?
function http.custom(client, call, options)
  local built = request.build(client.settings, call.id, call.operation, call.params)
  local envelope, err, behind = attempts(client, call, built, set_times(client, call, built, options))
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
  local since = core.time()
  local envelope, err, behind = http.call(client, id, params, options)
  if not envelope then return nil, err end
  local data, why = answer.data(envelope, id)
  if data then return data, nil, behind end
  if is_paid(id, client.operations[id]) then
    why = http.unknown_outcome(why, { params = params, intent = behind and behind.intent }, since)
  end
  return nil, why
end

return http
