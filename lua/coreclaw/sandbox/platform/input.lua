--- Does this input fit the Worker? Works on slices of the request's own text (see span.lua).

local span = require("coreclaw.sandbox.span")
local regions = require("coreclaw.sandbox.platform.regions")

local M = {}

local CPUS = { [512] = 0.125, [1024] = 0.25, [2048] = 0.5, [4096] = 1, [8192] = 2, [16384] = 4 }

--- The fields of a schema of either shape: a list of { name, type, required }.
function M.fields(schema)
  local out = {}
  if schema.properties[1] then
    for _, entry in ipairs(schema.properties) do
      out[#out + 1] = { name = entry.name, type = entry.type, required = entry.required == true }
    end
    return out
  end
  local required = {}
  for _, name in ipairs(schema.required or {}) do
    required[name] = true
  end
  for name, entry in pairs(schema.properties) do
    out[#out + 1] = { name = name, type = entry.type, required = required[name] or false }
  end
  table.sort(out, function(a, b)
    return a.name < b.name
  end)
  return out
end

local function fits(want, raw)
  local kind = span.kind(raw)
  return want == nil or kind == want or (want == "number" and kind == "integer")
end

local EMPTY = { ['""'] = true, ["null"] = true }

local function check_field(field, raw, details)
  local place = "(body.input.parameters.custom." .. field.name .. ")"
  if raw == nil or EMPTY[raw] then
    if field.required then
      details[#details + 1] = "expected required property " .. field.name .. " to be present " .. place
    end
  elseif not fits(field.type, raw) then
    details[#details + 1] = "expected " .. field.type .. " " .. place
  end
end

local SYSTEM = {
  cpus = "number",
  memory = "integer",
  execute_limit_time_seconds = "integer",
  max_total_charge = "number",
  max_total_traffic = "number",
  proxy_region = "string",
}

local function check_machine(system, details)
  local memory, cpus = tonumber(system.memory), tonumber(system.cpus)
  if memory and not CPUS[memory] then
    details[#details + 1] = "unknown memory size (body.input.parameters.system.memory)"
  elseif memory and cpus and CPUS[memory] ~= cpus then
    details[#details + 1] = "cpus do not belong to this memory size (body.input.parameters.system.cpus)"
  end
end

local function check_system(raw, details)
  local system = span.object(raw)
  if not system then
    details[#details + 1] = "expected object (body.input.parameters.system)"
    return
  end
  for name, want in pairs(SYSTEM) do
    if system[name] and not fits(want, system[name]) then
      details[#details + 1] = "expected " .. want .. " (body.input.parameters.system." .. name .. ")"
    end
  end
  check_machine(system, details)
  local region = system.proxy_region
  if region and span.kind(region) == "string" and not regions.names[region:sub(2, -2)] then
    details[#details + 1] = "unknown region (body.input.parameters.system.proxy_region)"
  end
end

local function check_custom(fields, custom, details)
  for _, field in ipairs(fields) do
    check_field(field, custom[field.name], details)
  end
end

---@param worker table
---@param raw string? the slice of `input`
---@return string? refusal name in errors.lua; nil when the input fits
---@return string[]|string details, or a message for worker_refused
function M.check(worker, raw)
  local fields = M.fields(worker.schema)
  if raw == nil or raw == "null" then
    if #fields == 0 then
      return nil
    end
    return "bad_request", { "expected required property input to be present (body)" }
  end
  local input = span.object(raw)
  if not input then
    return "bad_request", { "expected object (body.input)" }
  end
  local parameters = span.object(input.parameters)
  local custom = parameters and span.object(parameters.custom)
  if not custom then
    if #fields == 0 then
      return nil
    end
    return "worker_refused", "custom parameters must contain a single JSON object"
  end
  local details = {}
  check_custom(fields, custom, details)
  if parameters.system and parameters.system ~= "null" then
    check_system(parameters.system, details)
  end
  if #details > 0 then
    return "bad_request", details
  end
  return nil
end

--- The system settings of a run: the Worker's own, overlaid with the input's.
function M.system(worker, raw)
  local input = span.object(raw)
  local parameters = input and span.object(input.parameters)
  local given = parameters and span.object(parameters.system) or {}
  local out = {}
  for key, value in pairs(worker.system) do
    out[key] = value
  end
  for key in pairs(SYSTEM) do
    if given[key] then
      out[key] = tonumber(given[key]) or given[key]:sub(2, -2)
    end
  end
  if given.memory and not given.cpus then
    out.cpus = CPUS[out.memory]
  end
  return out
end

return M
