--- A digest of an input: the same for equal inputs, whatever the order of their fields. The journal
--- keeps it in place of the input, which may hold passwords and cookies.

local core = require "coreclaw.core"
local json = require "coreclaw.json"

local digest = {}

-- Half of a SHA-256: enough to tell inputs apart, and short enough to read.
local DIGITS = 32

local function sorted_keys(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return names
end

-- JSON with the fields of every object in order. The value has been through json.copy: finite, no
-- cycles, string keys.
local function write(value, out)
  local mt = type(value) == "table" and getmetatable(value) or nil
  if type(value) ~= "table" or (mt and mt.__name == "coreclaw.integer") then
    out[#out + 1] = json.encode(value)
  elseif json.is_array(value) then
    out[#out + 1] = "["
    for _, item in ipairs(value) do
      write(item, out)
      out[#out + 1] = ","
    end
    out[#out + 1] = "]"
  else
    out[#out + 1] = "{"
    for _, name in ipairs(sorted_keys(value)) do
      out[#out + 1] = json.encode(name) .. ":"
      write(value[name], out)
      out[#out + 1] = ","
    end
    out[#out + 1] = "}"
  end
end

---@param input any  what can be sent as JSON
---@return string
function digest.of(input)
  local out = {}
  write(json.copy(input, "input"), out)
  return core.sha256(table.concat(out)):sub(1, DIGITS)
end

return digest
