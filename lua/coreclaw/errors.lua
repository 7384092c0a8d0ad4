--- The error object: what every failing call of coreclaw returns, and what iterators raise.
--
-- The C core decides what an answer means (`core.classify`); this room gives it a body.
-- Nothing secret ever gets in: whoever builds an error passes it through `scrub` first.

local core = require "coreclaw.core"
local line = require "coreclaw.line"

---@class coreclaw.Error
---@field kind coreclaw.ErrorKind  what went wrong, from a closed list (`coreclaw.errors.kinds`)
---@field message string           one sentence for a person
---@field code integer?            the platform's own code (API) or libcurl's (transport)
---@field key string?              name of that code, e.g. "PLAN_CONCURRENCY_LIMITED", "COULDNT_CONNECT"
---@field http_status integer?     HTTP status, when an answer was read
---@field request_id string?       the platform's id of the request: what its support asks for
---@field details any[]?           further texts of the platform, e.g. one per refused field
---@field operation string?        id of the API operation, e.g. "runWorker"
---@field sent coreclaw.Sent       what the platform can have done: see below
---@field unsure boolean?         a try before the last one may have taken effect
---@field retryable boolean        can the same call succeed later?
---@field attempts integer?        how often it was tried
---@field budget_spent boolean?     it was not repeated, for too much of this client had failed of late
---@field retry_after number?      seconds the platform asked to wait
---@field response coreclaw.Response?  status, headers, envelope of the answer, when one was read
---@field cause coreclaw.Error?    the failure behind `unknown_outcome` and `wait_timeout`
---@field run coreclaw.Run?        the run concerned, where there is one
---@field worker string?           Worker id concerned (`unknown_outcome`)
---@field path table<string, string>?  identifiers in the call's path (`unknown_outcome`)
---@field intent string?          its line in the journal (`unknown_outcome`)
---@field candidates coreclaw.Run[]?   runs that may be the one (`client:reconcile`)
---@field window { from: integer, to: integer }? Unix seconds in which a run may have been started (`unknown_outcome`)
---@field token string?              where to go on (`run:results { from = … }`), raised by the iterators over rows
---@field items coreclaw.MapItem[]?  begun and not handed out (`client:map` that was cancelled)
---@field verdict coreclaw.Verdict?  why a run that succeeded brought no data (`require = "data"`)
---@field result coreclaw.SyncResult? the window of a failed sync run

---@alias coreclaw.Sent
---| "no"      # nothing left this machine
---| "refused" # the platform said that it did nothing
---| "unknown" # it may have acted
---| "yes"     # it has acted

---@alias coreclaw.ErrorKind
---| "network" | "timeout" | "tls" | "cancelled" | "too_large" | "bad_response" | "redirect"
---| "bad_request" | "authentication" | "forbidden" | "not_found" | "rate_limited" | "plan_limit"
---| "insufficient_balance" | "worker_failed" | "version_unavailable" | "run_conflict"
---| "not_implemented" | "server_error" | "api_error" | "file" | "internal"
---| "run_failed" | "run_aborted" | "wait_timeout" | "unknown_outcome" | "page_drift"

local errors = {}

-- Kinds that only this half of the house can see; the others are in the C table.
local LUA_KINDS = { "run_failed", "run_aborted", "wait_timeout", "unknown_outcome", "page_drift" }

---Every kind there is, as a set: `errors.kinds.timeout == true`.
---@type table<coreclaw.ErrorKind, true>
errors.kinds = {}
for _, list in ipairs { core.kinds(), LUA_KINDS } do
  for _, kind in ipairs(list) do
    errors.kinds[kind] = true
  end
end

local Error = { __name = "coreclaw.Error" }
Error.__index = Error

local function add(list, format, value)
  if value ~= nil then
    list[#list + 1] = string.format(format, tostring(value))
  end
end

-- What a person needs beside the sentence: where, and what to tell the platform's support.
local function context(err)
  local list = {}
  add(list, "%s", err.operation)
  add(list, "HTTP %s", err.http_status)
  if err.code then
    add(list, err.key and "%s " .. err.key or "code %s", err.code)
  end
  add(list, "request %s", err.request_id)
  if err.attempts and err.attempts > 1 then
    add(list, "%s attempts", err.attempts)
  end
  add(list, "%s", err.budget_spent and "the client's retry budget is spent" or nil)
  return #list > 0 and " (" .. table.concat(list, ", ") .. ")" or ""
end

-- Most bytes of a message, and of all that is printed.
local MAX_MESSAGE, MAX_SHOWN = 1000, 1400

function Error:__tostring()
  return line.of("coreclaw: " .. self.kind .. ": " .. self.message .. context(self), MAX_SHOWN)
end

---Makes an error object of the fields given. `kind` and `message` are required. The message becomes
---one bounded line: a secret must be masked before, for a cut may leave half of it.
---@param fields table
---@return coreclaw.Error
function errors.new(fields)
  assert(errors.kinds[fields.kind], "coreclaw: no such error kind: " .. tostring(fields.kind))
  fields.message = line.of(fields.message, MAX_MESSAGE)
  fields.sent = fields.sent or "no"
  fields.retryable = fields.retryable or false
  return setmetatable(fields, Error)
end

---The error for a hook that returned false.
---@param hook string       its name
---@param operation string
---@param message string    what does not happen now
---@param run coreclaw.Run? the run that is not waited for any more; it goes on
---@return coreclaw.Error
function errors.stopped(hook, operation, message, run)
  return errors.new {
    kind = "cancelled", message = hook .. " returned false: " .. message, operation = operation,
    run = run, sent = run and "yes" or "no",
  }
end

---Names the run that a failed reading was about. One that was called off says nothing against the run.
---@param err coreclaw.Error
---@param run coreclaw.Run?
---@return coreclaw.Error
function errors.about(err, run)
  err.run = err.run or run
  if err.kind == "cancelled" and run then err.sent = "yes" end
  return err
end

---Is this value an error object of ours? (An iterator raises one; `pcall` catches it.)
---@param value any
---@return boolean
function errors.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

---A text without the secret: what is found is told in secret.lua.
---@param text string
---@param hidden coreclaw.Secret|string|nil
---@return string
function errors.mask(text, hidden)
  if not hidden then return text end
  if type(hidden) == "string" then hidden = core.secret(hidden) end
  return hidden:mask(text)
end

---The same for every text in a value, deep.
function errors.scrub_value(value, secret)
  if type(value) == "string" then return errors.mask(value, secret) end
  if type(value) ~= "table" then return value end
  local out = setmetatable({}, getmetatable(value))
  for k, v in pairs(value) do out[errors.scrub_value(k, secret)] = errors.scrub_value(v, secret) end
  return out
end

---Takes a secret out of every text of an error: a server may echo the key it was sent.
---@param err coreclaw.Error
---@param secret coreclaw.Secret|string|nil
---@return coreclaw.Error
function errors.scrub(err, secret)
  if secret then
    for _, field in ipairs { "message", "details", "request_id", "key" } do
      err[field] = errors.scrub_value(err[field], secret)
    end
  end
  return err
end

return errors
