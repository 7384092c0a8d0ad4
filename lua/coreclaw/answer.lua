--- Reads an answer: bytes → envelope → data or error. Knows both layers, HTTP and `code`.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"

local answer = {}

-- The first bytes of something unreadable, safe to print.
local function excerpt(body)
  local text = body:sub(1, 120):gsub("[%c\127-\255]+", " "):gsub("^%s+", "")
  return #text > 0 and ': it begins with "' .. text .. '"' or ": it is empty"
end

local function is_code(value)
  return type(value) == "number" and value == math.floor(value)
end

-- The envelope of an answer, or nil and why it is none.
local function envelope_of(body)
  local value, why = json.decode(body)
  if type(value) ~= "table" then
    return nil, why or "the answer is JSON, but no object"
  end
  local code = value.code
  if not is_code(code) then
    return nil, "the answer has no integer code", value
  end
  return value
end

local function string_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

---The request id of a success, nil where there is none.
function answer.request_id(envelope, client)
  local id = string_or_nil(envelope.request_id)
  return id and errors.mask(id, config.secret(client.settings))
end

-- `details` is a list of strings by the contract, null or a list of objects in practice.
local function details_of(envelope)
  local details = envelope.details
  if type(details) == "table" and next(details) ~= nil then return details end
  return type(details) == "string" and details ~= "" and { details } or nil
end

local function api_message(envelope, key)
  local text = string_or_nil(envelope.message) or string_or_nil(envelope.msg)
    or (key and key:lower():gsub("_", " ")) or "the platform gave no message"
  local first = details_of(envelope)
  if first and type(first[1]) == "string" then
    text = text .. ": " .. table.concat(first, "; ", 1, type(first[2]) == "string" and 2 or 1)
  end
  return text
end

local function api_error(envelope, status, kind, retryable, sent, key)
  return errors.new {
    kind = kind,
    message = api_message(envelope, key),
    code = envelope.code,
    key = key,
    http_status = status,
    request_id = string_or_nil(envelope.request_id),
    details = details_of(envelope),
    sent = sent,
    retryable = retryable,
  }
end

local function unreadable(api, status, body, why, secret)
  local kind, retryable, sent = core.classify(api, status, nil)
  local message = kind == "bad_response" and "the answer cannot be read (" .. why .. ")"
    or "HTTP " .. status .. " without a readable answer"
  return errors.new {
    kind = kind, message = message .. excerpt(errors.mask(body:sub(1, 2000), secret)), http_status = status,
    sent = sent, retryable = retryable,
  }
end

---Turns an answer into its data.
---@param api "v1"|"v2"
---@param status integer
---@param body string
---@param secret string?  the key, which no text of an error may hold
---@return table? envelope  on success (HTTP 2xx and code 0): code, message, data, request_id
---@return coreclaw.Error?
function answer.read(api, status, body, secret)
  local envelope, why = envelope_of(body)
  if not envelope then
    return nil, unreadable(api, status, body, why, secret)
  end
  local kind, retryable, sent, key = core.classify(api, status, envelope.code)
  if not kind then return envelope end
  return nil, api_error(envelope, status, kind, retryable, sent, key)
end

---Turns a failed transfer into an error.
---@param failure table  of engine:next()
---@return coreclaw.Error
function answer.failed(failure)
  return errors.new {
    kind = failure.kind,
    message = failure.message,
    code = failure.code,
    key = failure.name,
    http_status = failure.status,
    sent = failure.sent,
    retryable = failure.retryable,
  }
end

---`data` of an envelope as a table: absent, null and {} mean the same (API: all three occur).
---@param envelope table
---@return table
function answer.data(envelope)
  return type(envelope.data) == "table" and envelope.data or {}
end

return answer
