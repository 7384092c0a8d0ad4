--- `input` as API v1 insists on it: `custom` and `system` both, and five fields of `system`.

local json = require "coreclaw.json"
local validate = require "coreclaw.validate"

local input = {}

local function copy(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

-- The platform binds the two together (MB, share of a processor).
local CPUS = {
  [512] = 0.125, [1024] = 0.25, [2048] = 0.5, [4096] = 1, [8192] = 2, [16384] = 4,
}
local MEMORY = {}
for memory, cpus in pairs(CPUS) do MEMORY[cpus] = memory end

local function pair_missing(name, other, value)
  return nil, ".parameters.system." .. name .. " is required by API v1, and none is known to go "
    .. "with " .. other .. " = " .. validate.show(value) .. "; give both"
end

-- v1 insists on five fields of `system`. No limit where none was set.
local function full_system(given)
  local system = copy(given)
  if system.memory == nil and system.cpus == nil then system.memory = 512 end
  if system.cpus == nil then system.cpus = CPUS[system.memory] end
  if system.memory == nil then system.memory = MEMORY[system.cpus] end
  if system.cpus == nil then return pair_missing("cpus", "memory", system.memory) end
  if system.memory == nil then return pair_missing("memory", "cpus", system.cpus) end
  if system.execute_limit_time_seconds == nil then system.execute_limit_time_seconds = 1800 end
  if system.max_total_charge == nil then system.max_total_charge = 0 end
  if system.max_total_traffic == nil then system.max_total_traffic = 0 end
  return system
end

local function table_or_empty(value)
  if value == nil then return {} end
  return type(value) == "table" and not json.is_array(value) and value or nil
end

local FULL_FORM = " must be {parameters = {custom = {...}, system = {...}}} with API v1"

---The full form of an input. What is missing is filled in: the documented defaults, the processor
---share or the memory that belongs to the other one.
---@param given any
---@return table?
---@return string?  why not, as it goes on after the parameter's name
function input.full(given)
  if not table_or_empty(given) or (given.parameters == nil and next(given) ~= nil) then
    return nil, FULL_FORM
  end
  local parameters = table_or_empty(given.parameters)
  local custom = parameters and table_or_empty(parameters.custom)
  local system = parameters and table_or_empty(parameters.system)
  if not custom or not system then return nil, FULL_FORM end
  local why
  system, why = full_system(system)
  if not system then return nil, why end
  local out = copy(given)
  out.parameters = copy(parameters)
  out.parameters.custom, out.parameters.system = custom, system
  return out
end

return input
