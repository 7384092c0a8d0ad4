--- One try of a call: it goes out, and what comes back is read. Hooks, journal and numbers see it.

local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local lazy = require "coreclaw.lazy"
local response = require "coreclaw.response"
local stats = require "coreclaw.stats"
local validate = require "coreclaw.validate"

local hooks, journal = lazy.module "coreclaw.hooks", lazy.module "coreclaw.journal"

local exchange = {}

-- Waits for a first try that was sent ahead.
local function await(call)
  local begun = call.begun
  call.begun = nil
  begun.driver.wait(begun.record)
  return begun.record
end

-- A body that lies in C becomes a string only where somebody wants to see it.
local function settle_body(client, record, failed)
  if failed or client.settings.on_response then
    record.body = record.body:take()
  else
    record.body = record.body:drop()
  end
end

-- What is meant is noted down before, and that nothing came of it where the request is refused.
local function exchange_noted(client, call, built, way)
  local refused = journal.intend(client, call, call.deadline)
  if refused then return nil, refused end
  stats.sent(client, call.route and call.id or "request")
  local submitted, record = pcall(way.submit, built)
  if not submitted then
    journal.settle(client, call, nil, { sent = "no" })
    error(record, 0)
  end
  way.attend(record)
  return record
end

---Tells who watches what is about to be sent.
---@return coreclaw.Error?  of a hook that does not let it out
function exchange.announce(client, call, built, attempt)
  local settings = client.settings
  call.method = built.method
  if settings.on_request or settings.on_response then return hooks.request(client, call, built, attempt) end
end

local function send(client, call, built, attempt)
  local settings, way = client.settings, driver.current()
  way.check() -- raises where nothing can be sent: nothing is meant then either
  local refused = exchange.announce(client, call, built, attempt)
  if refused then return nil, refused end
  if config.key(settings) == false then validate.fail(call.id .. " was not sent: the client is closed") end
  refused = way.refusal() -- nothing is meant by a task that was cancelled
  if refused then return nil, refused end
  if settings.journal then return exchange_noted(client, call, built, way) end
  stats.sent(client, call.route and call.id or "request")
  return way.exchange(built)
end

-- The error of an exchange, with what stands behind it, and without the key.
local function failure(client, record, err, key, attempt)
  err.retry_after = record.retry_after
  errors.scrub(err, key)
  err.response = record.status and response.of_failure(record, key, attempt) or nil
  stats.failed(client, err)
  return err
end

---Sends once, or waits for what was sent ahead.
---@param client table
---@param call table     of http.call
---@param built table    of request.build, with its timeout
---@param attempt integer
---@return table? envelope
---@return coreclaw.Error?
---@return coreclaw.Response?
function exchange.once(client, call, built, attempt)
  local record, refused
  if call.begun then record = await(call) else record, refused = send(client, call, built, attempt) end
  if refused then return nil, refused end
  local envelope, err
  local status, key = record.status, config.secret(client.settings)
  if status then
    envelope, err = answer.read(client.settings.api, status, record.body, key)
    if type(record.body) == "userdata" then settle_body(client, record, err) end
  else
    err = answer.failed(record.body)
  end
  if err then failure(client, record, err, key, attempt) end
  if client.settings.on_response then hooks.response(client, call, record, attempt, err) end
  if err then return nil, err end
  return envelope, nil, response.new(status, errors.mask(record.headers, key), envelope, attempt)
end

return exchange
