--- Callbacks: the receiving side of `callback_url`.
--
--   local callback = require "coreclaw.callback"
--   worker:start(input, { callback_url = callback.url("https://me.example/hook", SECRET) })
--
--   -- and where the platform's POST arrives:
--   if not callback.verify(request_uri, SECRET) then return 403 end
--   local event, err = callback.parse(body)
--   if event and not seen(event) then event:run(client):reload() … end
--
-- The platform signs nothing and promises neither delivery, nor order, nor that it comes once
-- (API.md 11). Hence the signed address; and hence the body only says where to look: before acting
-- read the run itself.

local address = require "coreclaw.callback.address"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local run = require "coreclaw.run"
local seen = require "coreclaw.callback.seen"
local status = require "coreclaw.v1.status"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

---@class coreclaw.Event
---@field variant "v2"|"v2-early"|"v1"  which of the platform's three bodies it was
---@field run_slug string?        the run; nil where the body has a number only ("v2-early")
---@field run_id string?          that number, as its exact digits
---@field status coreclaw.RunStatus|string
---@field final boolean           has the run come to its end? (`aborting` has not)
---@field error_message string?
---@field result_message string?
---@field results_count integer?
---@field started_at integer?     Unix seconds
---@field finished_at integer?    Unix seconds
---@field duration integer?       seconds
---@field usage string?           cost, a decimal in a string (v1)
---@field raw table               the body as it came
local Event = { __name = "coreclaw.Event" }
Event.__index = Event

local callback = { url = address.url, verify = address.verify, seen = seen.new }

function Event:__tostring()
  return string.format("coreclaw.Event %s %s (%s)", self.run_slug or "run " .. self.run_id, self.status,
    self.variant)
end

local function fault(message)
  return nil, errors.new { kind = "bad_response", message = message }
end

---A handle to the event's run. `nil` and an error where only its number is known: no operation
---takes that.
---@param client coreclaw.Client
---@return coreclaw.Run?
---@return coreclaw.Error?
function Event:run(client)
  if self.run_slug then return client:run(self.run_slug) end
  return fault("this callback names its run by the number " .. self.run_id .. " only, which no operation "
    .. "takes; look for it in the list of runs, or keep its run_slug when it is started")
end

---What makes two deliveries the same: run and status.
---@return string
function Event:key()
  return (self.run_slug or self.run_id) .. " " .. self.status
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function number(value)
  return type(value) == "number" and value or nil
end

-- The unit of these is not told. The sync answer's fields of the same names are seconds; a number
-- that would be later than the year 5000 is taken for milliseconds.
local function seconds(value)
  value = number(value)
  return value and value > 1e11 and math.floor(value / 1000) or value
end

local math_type = rawget(math, "type") -- Lua 5.3 and newer

-- Decoded integers are strings where Lua cannot hold them.
local function digits(value)
  if type(value) == "string" then return value:match "^%d+$" end
  if type(value) ~= "number" or value < 0 then return nil end
  if math_type and math_type(value) == "integer" then return string.format("%d", value) end
  return value == math.floor(value) and value < 2 ^ 53 and string.format("%.0f", value) or nil
end

-- A slug that an operation takes: the body is not to be trusted, and `last` is a moving target.
local function slug(value)
  return text(value) and pcall(url.run_id, value, "callback") and value or nil
end

local function v1_event(raw)
  return {
    variant = "v1", status = status.word(raw.status), results_count = number(raw.results),
    usage = text(raw.usage) or number(raw.usage) and tostring(raw.usage),
  }
end

local function v2_event(raw)
  return {
    variant = "v2", status = status.word(raw.run_status),
    error_message = text(raw.error_message), result_message = text(raw.result_message),
    results_count = number(raw.result_count), duration = number(raw.running_duration),
    started_at = seconds(raw.execution_start_timestamp),
    finished_at = seconds(raw.execution_end_timestamp),
  }
end

local function read(raw)
  local event = raw.run_status ~= nil and v2_event(raw) or v1_event(raw)
  event.run_slug, event.run_id = slug(raw.run_slug), digits(raw.run_id)
  if not event.run_slug and not event.run_id then event.run_slug = slug(raw.run_id) end
  if event.variant == "v2" and raw.run_slug == nil then event.variant = "v2-early" end
  if not text(event.status) then return fault "the callback's body has no run status" end
  if not event.run_slug and not event.run_id then
    return fault "the callback's body has no run_slug, or none that can be one"
  end
  event.final, event.raw = run.FINAL[event.status] == true, raw
  return setmetatable(event, Event)
end

-- A header by its name, whatever its letter case; the first of several.
local function header(headers, wanted)
  for name, value in pairs(headers) do
    if type(name) == "string" and name:lower() == wanted then
      return type(value) == "table" and value[1] or value
    end
  end
end

---Reads the body of a callback, in any of its three variants.
---@param body string?     nil is an error like any other: nothing was read
---@param headers table?   the request's, to tell a compressed body from a broken one
---@return coreclaw.Event?
---@return coreclaw.Error?  kind "bad_response"
function callback.parse(body, headers)
  if body ~= nil and type(body) ~= "string" then
    validate.fail("callback.parse: body must be the text of the request, got " .. validate.show(body))
  end
  local encoding = text(headers and header(headers, "content-encoding"))
  if encoding and encoding:lower() ~= "identity" then
    return fault("the callback's body is compressed (" .. encoding:sub(1, 20) .. "); decompress it first")
  elseif body == nil or body == "" then
    return fault "the callback has no body (in nginx: was ngx.req.read_body called?)"
  end
  local raw, why = json.decode(body)
  if type(raw) ~= "table" then
    return fault("the callback's body is no JSON object" .. (why and ": " .. why or ""))
  end
  return read(raw)
end

return callback
