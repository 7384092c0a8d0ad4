--- What kind of JSON value a Lua value is, before it is encoded.

local json = require "coreclaw.json"

local values = {}

-- The metatable of json.integer: digits that this Lua cannot hold.
local EXACT = getmetatable(json.integer "0")

local function is_exact(value)
  return getmetatable(value) == EXACT or type(value) == "cdata"
end

---@return boolean
function values.is_number(value)
  return type(value) == "number" or is_exact(value)
end

---A whole number, whether Lua holds it as an integer or a float.
---@return boolean
function values.is_integer(value)
  if type(value) ~= "number" then return is_exact(value) end
  return value - value == 0 and value == math.floor(value)
end

---@return boolean
function values.is_list(value)
  return type(value) == "table" and not is_exact(value)
    and (json.is_array(value) or next(value) == nil)
end

---@return boolean
function values.is_object(value)
  return type(value) == "table" and not is_exact(value) and not json.is_array(value)
end

---Does the platform count this value as empty? null, blank text, {}, objects of empty values.
---@return boolean
function values.is_empty(value)
  if value == nil or value == json.null then return true end
  if type(value) == "string" then return not value:find "%S" end
  if type(value) ~= "table" or is_exact(value) then return false end
  for _, inner in pairs(value) do
    if not values.is_empty(inner) then return false end
  end
  return true
end

---What stands for nothing where a value is required: null or blank text.
---@return boolean
function values.is_blank(value)
  return value == nil or value == json.null or type(value) == "string" and not value:find "%S"
end

return values
