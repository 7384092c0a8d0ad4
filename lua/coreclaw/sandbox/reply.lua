--- The platform's envelopes, v1 and v2. A handler returns what these make, or leaves through `fail`.

local encode = require("coreclaw.sandbox.encode")
local errors = require("coreclaw.sandbox.errors")
local ids = require("coreclaw.sandbox.platform.ids")

local M = {}

local REFUSAL = {}

-- What stands in place of `data` where an operation has none to give; set from the options.
M.empty = "absent"

local function answer(status, body)
  return { status = status, body = body, headers = { ["Content-Type"] = "application/json; charset=utf-8" } }
end

local function envelope(api, code, message, data, details)
  if api == "v1" then
    return encode.fields("code", code, "message", message, "data", data or encode.null)
  end
  return encode.fields("code", code, "message", message, "details", details, "data", data, "request_id", ids.request())
end

--- Success with data.
function M.ok(request, data)
  return answer(200, encode.encode(envelope(request.api, 0, "success", data)))
end

local EMPTY = { ["{}"] = encode.raw("{}"), null = encode.null }

--- Success without data: absent, `{}` or null, as the option `data` says.
function M.done(request)
  local data = request.api ~= "v1" and EMPTY[M.empty] or nil
  return answer(200, encode.encode(envelope(request.api, 0, "success", data)))
end

--- The answer for a named refusal of errors.lua.
function M.refusal(api, name, details, message)
  local known = errors[name][api == "v1" and "v1" or "v2"]
  local status, code, words = known[1], known[2], known[3]
  if code == 11000 and details == nil then
    details = encode.null
  end
  if api == "v1" and details and details ~= encode.null then
    words = words .. ": " .. table.concat(details, "; ")
  elseif details and details ~= encode.null then
    details = encode.list(details)
  end
  return answer(status, encode.encode(envelope(api, code, message or words, nil, details)))
end

--- Leaves the handler with a refusal. `details` is a list of strings.
function M.fail(name, details, message)
  error(setmetatable({ name = name, details = details, message = message }, REFUSAL), 0)
end

--- Is this caught error a refusal made by `fail`?
function M.is_refusal(err)
  return getmetatable(err) == REFUSAL
end

return M
