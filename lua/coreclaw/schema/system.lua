--- The `system` parameters of a run: its resources and limits (API.md 14.2).

local json = require "coreclaw.json"
local report = require "coreclaw.schema.report"
local validate = require "coreclaw.validate"
local values = require "coreclaw.schema.values"

local system = {}

-- Memory in MB → the share of processors that goes with it.
local CPUS = {
  [512] = 0.125, [1024] = 0.25, [2048] = 0.5, [4096] = 1, [8192] = 2, [16384] = 4,
}
local MEMORY = {}
for memory, cpus in pairs(CPUS) do MEMORY[cpus] = memory end

local function is_amount(value)
  return values.is_number(value) and (type(value) ~= "number" or value >= 0 and value < math.huge)
end

-- The list of regions is the platform's to change (client:proxy_regions); only the form is checked.
local function region_fault(value)
  local code = type(value) == "string" and value:match "^%a%a$" and value:upper()
  if code == "UK" then code = "GB" end
  if code and code == value then return nil end
  return "must be the two capital letters of a region, such as US", code or nil
end

local function amount_fault(value)
  if not is_amount(value) then return "must be a number, 0 or more (0 = no limit)" end
end

-- Field → what is wrong with a value, or nothing; and what was meant.
system.FIELDS = {
  memory = function(value)
    if CPUS[value] then return nil end
    return "must be one of 512, 1024, 2048, 4096, 8192, 16384 (MB)"
  end,
  cpus = function(value)
    if MEMORY[value] then return nil end
    return "must be one of 0.125, 0.25, 0.5, 1, 2, 4"
  end,
  execute_limit_time_seconds = function(value)
    if values.is_integer(value) and is_amount(value) and value ~= 0 then return nil end
    return "must be a whole number of seconds, 1 or more"
  end,
  max_total_charge = amount_fault,
  max_total_traffic = amount_fault,
  proxy_region = region_fault,
}

-- Names that people and older pages use.
local OTHER_NAMES = {
  memory_bytes = "memory", memory_mb = "memory", ram = "memory", cpu = "cpus", region = "proxy_region",
  timeout = "execute_limit_time_seconds", max_charge = "max_total_charge",
  max_traffic = "max_total_traffic",
}

local function add(list, name, text, near)
  list[#list + 1] = { field = name, message = "system." .. name .. " " .. text, did_you_mean = near }
end

local function check_field(list, name, value)
  local rule = system.FIELDS[name]
  if not rule then
    local near = OTHER_NAMES[name] or validate.nearest(name, system.FIELDS)
    local hint = near and "; did you mean " .. near .. "?" or ""
    return add(list, tostring(name), "is not known" .. hint, near)
  end
  if value == json.null then return end
  local fault, near = rule(value)
  if fault then
    local hint = near and "; did you mean " .. near .. "?" or ""
    add(list, name, fault .. ", got " .. report.show(value) .. hint, near)
  end
end

local function check_pair(list, memory, cpus)
  if CPUS[memory] and MEMORY[cpus] and CPUS[memory] ~= cpus then
    add(list, "cpus", string.format("must be %g with memory %g (or memory %g with cpus %g), got %g",
      CPUS[memory], memory, MEMORY[cpus], cpus, cpus))
  end
end

---Checks the `system` table of a run.
---@param parameters table?
---@return coreclaw.SchemaIssue[]  empty when nothing is wrong
function system.check(parameters)
  if parameters == nil then return {} end
  if not values.is_object(parameters) then
    validate.fail("schema.check_system: system must be a table with names as keys, got "
      .. report.show(parameters))
  end
  local list, names = {}, {}
  for name in pairs(parameters) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do check_field(list, name, parameters[name]) end
  check_pair(list, parameters.memory, parameters.cpus)
  return list
end

return system
