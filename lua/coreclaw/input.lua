--- From the caller's Lua table to the `input` the API wants.

local json = require "coreclaw.json"
local system = require "coreclaw.schema.system"
local validate = require "coreclaw.validate"

local input = {}

local function check_object(where, name, value)
  if type(value) ~= "table" or json.is_array(value) or #value > 0 then
    validate.fail(where .. ": " .. name .. " must be a table with field names as keys, got "
      .. (type(value) == "table" and "a list" or validate.show(value)))
  end
end

local function copy(where, name, value)
  local ok, result = pcall(json.copy, value, name)
  if not ok then validate.fail(where .. ": " .. tostring(result)) end
  return result
end

-- A table that is the full form already, pasted where the Worker's own fields belong.
local function is_full_form(custom)
  local parameters = custom.parameters
  return next(custom) == "parameters" and next(custom, "parameters") == nil
    and type(parameters) == "table" and (parameters.custom ~= nil or parameters.system ~= nil)
end

---Checks resources: names, types, and that memory and cpus belong together. Raises; returns a copy.
---@param where string
---@param parameters table
---@return table
function input.system(where, parameters)
  check_object(where, "system", parameters)
  local issue = system.check(parameters)[1]
  if issue then
    local near = issue.did_you_mean
    validate.fail(where .. ": " .. issue.message .. (near and " (did you mean " .. tostring(near) .. "?)" or ""))
  end
  return copy(where, "system", parameters)
end

-- The client's defaults, under what this call says.
local function resources(where, own, defaults)
  if own == nil and defaults == nil then return nil end
  local out = {}
  for name, value in pairs(defaults or {}) do out[name] = value end
  -- One of memory and cpus decides; a default must not contradict what the caller says.
  if own and own.memory ~= nil and own.cpus == nil then out.cpus = nil end
  if own and own.cpus ~= nil and own.memory == nil then out.memory = nil end
  for name, value in pairs(own and input.system(where, own) or {}) do out[name] = value end
  return next(out) ~= nil and out or nil
end

local function wrap(where, custom, own_system, defaults)
  custom = custom == nil and {} or custom
  check_object(where, "input", custom)
  if is_full_form(custom) then
    validate.fail(where .. ": input is in the full form {parameters = {...}} already; "
      .. "pass it as raw_input, or pass the Worker's own fields")
  end
  return {
    parameters = {
      custom = copy(where, "input", custom),
      system = resources(where, own_system, defaults),
    },
  }
end

---Builds `input`: `custom` becomes `input.parameters.custom`; `raw_input` is sent as it is.
---@param where string       what the caller called, for messages
---@param custom table?      the Worker's own fields
---@param options { system: table?, raw_input: table? }
---@param defaults { system: table? }?  of the client
---@return table
function input.build(where, custom, options, defaults)
  if options.raw_input == nil then
    return wrap(where, custom, options.system, defaults and defaults.system)
  end
  if custom ~= nil or options.system ~= nil then
    validate.fail(where .. ": raw_input is the whole input; give either it, or input and system")
  end
  check_object(where, "raw_input", options.raw_input)
  return copy(where, "raw_input", options.raw_input)
end

return input
