--- An input, held against the Worker's own schema before anything is paid for.

local errors = require "coreclaw.errors"
local input = require "coreclaw.input"
local schema = require "coreclaw.schema"

local prepare = {}

prepare.OPTIONS = {
  system = { type = "table" },
  defaults = { type = "boolean", default = true },
  refresh = { type = "boolean", default = false },
  timeout = { type = "seconds" },
}

---@class coreclaw.PreparedInput
---@field payload table                     the exact `input` that a start would send
---@field custom table                      the Worker's own fields, defaults filled in
---@field errors coreclaw.SchemaIssue[]     the run would fail
---@field warnings coreclaw.SchemaIssue[]   it may be meant so
---@field subtasks integer?                 into how many the run will be split
---@field fields coreclaw.SchemaField[]?    what the schema asks for, in its order: of `worker:prepare`

-- Schemas change rarely and cost a request: kept with the client, by Worker.
local function schema_of(worker, options)
  local cache = worker.client.schemas
  if cache[worker.id] and not options.refresh then return cache[worker.id] end
  local found, err = worker:input_schema { timeout = options.timeout }
  if not found then return nil, err end
  cache[worker.id] = found
  return found
end

---Reads the schema and prepares an input.
---@return coreclaw.PreparedInput?
---@return coreclaw.Error?
---@return table|string|nil schema
function prepare.input(worker, where, custom, options)
  -- What is wrong without any schema raises before a request is made.
  local payload = input.build(where, custom, { system = options.system }, worker.client.settings.defaults)
  local found, err = schema_of(worker, options)
  if not found then return nil, err end
  local out = schema.prepare(found, custom, { defaults = options.defaults, where = where })
  payload.parameters.custom = out.custom
  out.payload = payload
  return out, nil, found
end

---The same, with the fields for a form.
---@return coreclaw.PreparedInput?
---@return coreclaw.Error?
function prepare.told(worker, where, custom, options)
  local out, err, found = prepare.input(worker, where, custom, options)
  if not out then return nil, err end
  out.fields = schema.fields(found)
  return out
end

local function messages(issues)
  local list = {}
  for i, issue in ipairs(issues) do list[i] = issue.message end
  return list
end

---The payload of a start with `check = true`: an input that the schema refuses is an error, before
---anything is sent. A raw input is the caller's own business.
---@return table? payload
---@return coreclaw.Error?
function prepare.checked(worker, where, custom, options)
  if options.raw_input then return input.build(where, custom, options) end
  local prepared, err = prepare.input(worker, where, custom,
    { system = options.system, defaults = true, timeout = options.timeout })
  if not prepared then return nil, err end
  local list = messages(prepared.errors)
  if #list == 0 then return prepared.payload end
  return nil, errors.new {
    kind = "bad_request", operation = "runWorker", sent = "no", worker = worker.id,
    message = "the input does not fit the Worker's schema: " .. table.concat(list, "; "),
    details = list,
  }
end

return prepare
