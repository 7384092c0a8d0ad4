--- What a field is filled with when the caller leaves it out (API.md 14.3, "Building custom").

local json = require "coreclaw.json"
local values = require "coreclaw.schema.values"

local defaults = {}

-- The form keeps the lines of a stringList as { keyword = ... } or { value = ... }; sent is text.
local function plain_lines(list)
  for i, item in ipairs(list) do
    local text = values.is_object(item) and (item.keyword or item.value)
    if type(text) == "string" then list[i] = text end
  end
  return list
end

local function copy(field, value)
  if type(value) ~= "table" then return value end
  value = json.copy(value, field.name, 0)
  if field.editor == "stringList" and values.is_list(value) then return plain_lines(value) end
  return value
end

local function nested(field, examples)
  if not field.fields then return nil end
  local object = {}
  for _, inner in ipairs(field.fields) do
    object[inner.name] = defaults.of(inner, examples)
  end
  return next(object) ~= nil and object or nil
end

---The value to fill in: a field's default; for a required one also its example, where examples
---are wanted, and the defaults of its own fields. The result is the caller's to keep.
---@param field coreclaw.SchemaField
---@param examples boolean?
---@return any  nil where there is nothing to fill in
function defaults.of(field, examples)
  if field.default ~= nil then return copy(field, field.default) end
  if not field.required then return nil end
  if examples and field.example ~= nil then return copy(field, field.example) end
  return nested(field, examples)
end

return defaults
