--- From the caller's Lua table to the `input` the API wants.

local json = require "coreclaw.json"
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

local function wrap(where, custom, system)
  custom = custom == nil and {} or custom
  check_object(where, "input", custom)
  if is_full_form(custom) then
    validate.fail(where .. ": input is in the full form {parameters = {...}} already; "
      .. "pass it as raw_input, or pass the Worker's own fields")
  end
  local parameters = { custom = copy(where, "input", custom) }
  if system ~= nil then
    check_object(where, "system", system)
    parameters.system = copy(where, "system", system)
  end
  return { parameters = parameters }
end

---Builds `input`: `custom` becomes `input.parameters.custom`; `raw_input` is sent as it is.
---@param where string       what the caller called, for messages
---@param custom table?      the Worker's own fields
---@param options { system: table?, raw_input: table? }
---@return table
function input.build(where, custom, options)
  if options.raw_input == nil then return wrap(where, custom, options.system) end
  if custom ~= nil or options.system ~= nil then
    validate.fail(where .. ": raw_input is the whole input; give either it, or input and system")
  end
  check_object(where, "raw_input", options.raw_input)
  return copy(where, "raw_input", options.raw_input)
end

return input
