--- Reads an answer: bytes → envelope → data or error. Knows both layers, HTTP and `code`.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local line = require "coreclaw.line"

local answer = {}

-- The first bytes of something unreadable, safe to print.
local function excerpt(body)
  local text = body:sub(1, 120):gsub("[%c\127-\255]+", " "):gsub("^%s+", "")
  return #text > 0 and ': it begins with "' .. text .. '"' or ": it is empty"
end

-- Up to there every Lua has the same integers.
local MOST = 2 ^ 53

-- The envelope of an answer, or nil and why it is none.
local function envelope_of(body)
  local value, why = json.of_body(body)
  if type(value) ~= "table" then
    return nil, why or "the answer is JSON, but no object"
  end
  local code = value.code
  if type(code) ~= "number" or code % 1 ~= 0 or code <= -MOST or code >= MOST then
    return nil, "the answer has no integer code", value
  end
  return value
end

local function string_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local MAX_ID = 200

local function request_id(envelope, secret)
  local id = string_or_nil(envelope.request_id)
  return id and line.of(errors.mask(id, secret), MAX_ID)
end

---The request id of a success, nil where there is none.
function answer.request_id(envelope, client)
  return request_id(envelope, config.secret(client.settings))
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

local function api_error(envelope, status, secret, kind, retryable, sent, key)
  return errors.new {
    kind = kind,
    message = errors.mask(api_message(envelope, key), secret),
    code = envelope.code,
    key = key,
    http_status = status,
    request_id = request_id(envelope, secret),
    details = details_of(envelope),
    sent = sent,
    retryable = retryable,
  }
end

local function unreadable(api, status, body, why, secret)
  local kind, retryable, sent = core.classify(api, status, nil)
  local message = kind == "bad_response" and "the answer cannot be read (" .. why .. ")"
    or "HTTP " .. status .. " without a readable answer"
  if status == 407 then
    message = "HTTP 407: the proxy wants a user and password, or others than it got; check proxy"
  else
    message = message .. excerpt(errors.mask(body, secret))
  end
  return errors.new {
    kind = kind, message = message, http_status = status,
    sent = sent, retryable = retryable,
  }
end

---Turns an answer into its data.
---@param api "v1"|"v2"
---@param status integer
---@param body string|userdata  as engine:next gives it
---@param secret coreclaw.Secret?  the key, which no text of an error may hold
---@return table? envelope  on success (HTTP 2xx and code 0): code, message, data, request_id
---@return coreclaw.Error?
function answer.read(api, status, body, secret)
  local envelope, why = envelope_of(body)
  if not envelope then
    if type(body) == "userdata" then body = body:text() end
    -- The reader quotes a few bytes of what it could not read.
    local masked = errors.mask(body, secret)
    if masked ~= body then why = select(2, envelope_of(masked)) or why end
    return nil, unreadable(api, status, body, why, secret)
  end
  local kind, retryable, sent, key = core.classify(api, status, envelope.code)
  if not kind then return envelope end
  return nil, api_error(envelope, status, secret, kind, retryable, sent, key)
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

local function is_none(value)
  return value == nil or value == json.null
end

---The error for a success whose contents cannot be used.
---@param message string
---@param operation string
---@param fields table?  further ones of the error
---@return coreclaw.Error
function answer.unusable(message, operation, fields)
  local err = { kind = "bad_response", message = message, operation = operation, sent = "yes" }
  for name, value in pairs(fields or {}) do err[name] = value end
  return errors.new(err)
end

---`data` of an envelope as a table: absent, null, {} and [] mean the same (API: the first three occur).
---@param envelope table
---@param operation string
---@return table?
---@return coreclaw.Error?
function answer.data(envelope, operation)
  local data = envelope.data
  if is_none(data) then return {} end
  if type(data) == "table" and rawget(data, 1) == nil then return data end
  return nil, answer.unusable("the answer's data is " .. answer.show(data) .. ", not an object", operation,
    { request_id = request_id(envelope) })
end

---A list in the data of an answer: absent, null, [] and {} are an empty one.
---@param data table
---@param key string
---@param operation string
---@param objects boolean?  must its items be objects?
---@return table?
---@return coreclaw.Error?
function answer.list(data, key, operation, objects)
  local list = data[key]
  if is_none(list) then return {} end
  if type(list) ~= "table" or (rawget(list, 1) == nil and next(list) ~= nil) then
    return nil, answer.unusable("the answer's " .. key .. " is " .. answer.show(list) .. ", not a list", operation)
  end
  for i = 1, objects and #list or 0 do
    local item = list[i]
    if type(item) ~= "table" or item[1] ~= nil then
      return nil, answer.unusable(string.format("item %d of the answer's %s is %s, not an object", i, key,
        answer.show(item)), operation)
    end
  end
  return list
end

---The list of a page. An answer that holds something, but no list, is no empty page: rows would be
---missing without a word.
---@return table?
---@return coreclaw.Error?
function answer.page(data, key, operation, objects)
  if data[key] == nil and data.count ~= 0 and next(data) ~= nil then
    return nil, answer.unusable("the answer holds no " .. key, operation)
  end
  return answer.list(data, key, operation, objects)
end

---What JSON calls a decoded value.
---@return string
function answer.show(value)
  if value == json.null then return "null" end
  if type(value) ~= "table" then return "a " .. type(value) end
  return json.is_array(value) and "an array" or "an object"
end

return answer
