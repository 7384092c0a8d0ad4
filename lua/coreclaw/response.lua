--- What stood behind a call: status, headers and envelope of the answer, for whoever wants more
--- than the data. Third value of the calls that are one request, `err.response` of an error.

local errors = require "coreclaw.errors"
local json = require "coreclaw.json"

---@class coreclaw.Response
---@field status integer      HTTP status
---@field raw_headers string  the header block as it came
---@field envelope table      code, message, data, request_id; `data` as it came, also with API v1
---@field attempts integer    how often the request was sent
---@field unsure boolean?     an earlier try may have taken effect
local Response = { __name = "coreclaw.Response" }
Response.__index = Response

local response = {}

---@return coreclaw.Response
function response.new(status, raw_headers, envelope, attempts)
  return setmetatable({
    status = status, raw_headers = raw_headers, envelope = envelope, attempts = attempts,
  }, Response)
end

---The answer behind a failure, as far as it can be read; the key, should it be echoed, is masked.
---@param record coreclaw.Record
---@param key coreclaw.Secret?
---@param attempt integer
---@return coreclaw.Response
function response.of_failure(record, key, attempt)
  local envelope = json.decode(errors.mask(record.body, key))
  return response.new(record.status, errors.mask(record.headers, key),
    type(envelope) == "table" and errors.scrub_value(envelope, key) or {}, attempt)
end

function Response:__tostring()
  return "coreclaw.Response " .. self.status
end

---A header's value; the last one if there are several. Letter case does not matter.
---@param name string
---@return string?
function Response:header(name)
  local wanted, found = name:lower(), nil
  for line in self.raw_headers:gmatch "[^\r\n]+" do
    local key, value = line:match "^([^:%s]+):%s*(.-)%s*$"
    if key and key:lower() == wanted then found = value end
  end
  return found
end

return response
