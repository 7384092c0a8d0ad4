--- A Worker's input schema, in either of its two shapes, read into one: a list of fields.
--
-- CoreClaw descriptors have a list under `properties`, a JSON Schema has an object there (API.md
-- 14.3). What is not understood is left out of a field, never refused.

local json = require "coreclaw.json"

---@class coreclaw.SchemaField
---@field name string
---@field type string?         as the schema says it: "string", "integer", "array", …
---@field title string?
---@field description string?
---@field required boolean
---@field default any          nil where there is none
---@field options { label: string, value: any }[]?  the values to choose from
---@field editor string?       form control, e.g. "select", "stringList"
---@field multiple boolean?    several of the options
---@field params { param: string, title: string?, required: boolean, description: string? }[]?  keys of each list item
---@field example any          a value to try with
---@field section string?      caption of the group that begins here
---@field fields coreclaw.SchemaField[]?  of an object, where the schema tells them
---@field items coreclaw.SchemaField?     of an array, where the schema tells it
---@field closed boolean?      only a value of `options` is right, whatever the editor
---@field minimum number?
---@field maximum number?
---@field value_format string? of a date picker, e.g. "DD/MM/YYYY"
---@field types string[]?      where there are several

local read = {}

local function of_type(value, kind)
  return type(value) == kind and value or nil
end

-- null is as good as absent in a schema.
local function present(value)
  if value ~= json.null then return value end
end

local function list(value)
  return type(value) == "table" and (json.is_array(value) or next(value) == nil) and value or nil
end

local function options_of(raw)
  local out = {}
  for _, option in ipairs(list(raw.options) or {}) do
    local entry = type(option) == "table" and option or { value = option, label = option }
    local value = present(entry.value)
    if value ~= nil and type(value) ~= "table" then
      out[#out + 1] = { label = tostring(present(entry.label) or value), value = value }
    end
  end
  return #out > 0 and out or nil
end

local function enum_of(raw)
  local out = {}
  for _, value in ipairs(list(raw.enum) or {}) do
    if type(value) ~= "table" then
      out[#out + 1] = { label = value == json.null and "null" or tostring(value), value = value }
    end
  end
  return #out > 0 and out or nil
end

local function params_of(raw)
  local out = {}
  for _, param in ipairs(list(raw.param_list) or {}) do
    if type(param) == "table" and type(param.param) == "string" then
      out[#out + 1] = {
        param = param.param, title = of_type(param.title, "string"),
        required = param.required == true, description = of_type(param.description, "string"),
      }
    end
  end
  return #out > 0 and out or nil
end

local function types_of(raw)
  if type(raw.type) == "string" then return raw.type, { raw.type } end
  local types = {}
  for _, name in ipairs(list(raw.type) or {}) do
    if type(name) == "string" then types[#types + 1] = name end
  end
  if #types == 0 then return nil, nil end
  return types[1] == "null" and types[2] or types[1], types
end

local function example_of(raw)
  local value = present(raw.example)
  if value == nil and list(raw.examples) then value = present(raw.examples[1]) end
  return value
end

local properties_of

local function field_of(name, raw, required)
  local kind, types = types_of(raw)
  local enum = enum_of(raw)
  return {
    name = name, type = kind, types = types, required = required,
    title = of_type(raw.title, "string"), description = of_type(raw.description, "string"),
    editor = of_type(raw.editor, "string"), multiple = raw.multiple == true or nil,
    default = present(raw.default), example = example_of(raw),
    options = enum or options_of(raw), closed = enum ~= nil or nil,
    params = params_of(raw), section = of_type(raw.sectionCaption, "string"),
    minimum = of_type(raw.minimum, "number"), maximum = of_type(raw.maximum, "number"),
    value_format = of_type(raw.valueFormat, "string"),
    fields = properties_of(raw),
    items = type(raw.items) == "table" and not json.is_array(raw.items)
      and field_of(name, raw.items, false) or nil,
  }
end

local function descriptors(properties)
  local fields, seen = {}, {}
  for _, raw in ipairs(properties) do
    local name = type(raw) == "table" and raw.name
    if type(name) == "string" and name ~= "" and not seen[name] then
      seen[name] = true
      fields[#fields + 1] = field_of(name, raw, raw.required == true)
    end
  end
  return fields
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(list(names) or {}) do set[name] = true end
  return set
end

-- An object has no order: required fields first, then by name.
local function by_need(a, b)
  if a.required ~= b.required then return a.required end
  return a.name < b.name
end

local function keyed(properties, required)
  local fields = {}
  for name, raw in pairs(properties) do
    if type(name) == "string" then
      raw = type(raw) == "table" and raw or {}
      fields[#fields + 1] = field_of(name, raw, required[name] == true or raw.required == true)
    end
  end
  table.sort(fields, by_need)
  return fields
end

---The fields of an object's schema; nil where it does not tell them.
---@param schema table
---@return coreclaw.SchemaField[]?
function properties_of(schema)
  local properties = schema.properties
  if type(properties) ~= "table" then return nil end
  if json.is_array(properties) then return descriptors(properties) end
  return keyed(properties, set_of(schema.required))
end

-- The schema itself, out of what may be around it: text, an answer's data, a bare list of fields.
local function unwrap(schema)
  if type(schema) == "string" then
    local value = json.decode(schema)
    if type(value) ~= "table" then return nil end
    schema = value
  end
  if type(schema.properties) == "table" then return schema end
  for _, key in ipairs { "input_schema", "data" } do
    local inner = schema[key]
    if type(inner) == "table" or (key == "input_schema" and type(inner) == "string") then
      return unwrap(inner)
    end
  end
  if type(schema[1]) == "table" and schema[1].name then return { properties = schema } end
  return schema
end

---Reads a schema.
---@param schema table|string  as the platform gave it, decoded or not
---@return coreclaw.SchemaField[]? fields  nil where the schema tells none
---@return table? root  the schema itself; nil when the text is no JSON
function read.fields(schema)
  local root = unwrap(schema)
  if not root then return nil, nil end
  return properties_of(root), root
end

return read
