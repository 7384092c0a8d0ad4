--- Values against the fields of a schema: type, options, range, list items, nested fields.
--
-- Clear faults are errors; what may be meant is a warning; what the schema says in words we do not
-- know passes. The values belong to us (they are copies) and are put right where that changes
-- nothing of their meaning: a whole float becomes an integer, an empty table the list it should be.

local defaults = require "coreclaw.schema.defaults"
local json = require "coreclaw.json"
local options = require "coreclaw.schema.options"
local report = require "coreclaw.schema.report"
local values = require "coreclaw.schema.values"

local check = {}

-- Words of `type`: is a value of it, and how to say what is wanted.
local TYPES = {
  string = { test = function(v) return type(v) == "string" end, want = "text" },
  integer = { test = values.is_integer, want = "a whole number" },
  number = { test = values.is_number, want = "a number" },
  boolean = { test = function(v) return type(v) == "boolean" end, want = "true or false" },
  array = { test = values.is_list, want = "a list" },
  object = { test = values.is_object, want = "a table with names as keys" },
  null = { test = function(v) return v == json.null end, want = "null" },
}

local TEXT_OR_OBJECT = { "string", "object" }

-- The types a value may have; nil where the schema says none, or one that we do not know.
local function types_of(field)
  if field.multiple then return field.editor == "select" and { "array" } or nil end
  for _, name in ipairs(field.types or {}) do
    if not TYPES[name] then return nil end
  end
  return field.types
end

local function fits(types, value)
  for _, name in ipairs(types) do
    if TYPES[name].test(value) then return true end
  end
  return false
end

local function wants(types)
  local words = {}
  for i, name in ipairs(types) do words[i] = TYPES[name].want end
  return table.concat(words, " or ")
end

-- How a person who wrote this may put it right.
local function advice(types, value)
  local kind = types[1]
  if kind == "array" and (type(value) == "string" or type(value) == "number") then
    return "; write { " .. (type(value) == "string" and '"..."' or tostring(value)) .. " }"
  elseif kind == "object" and type(value) == "string" then
    return "; give a table, not JSON text"
  elseif (kind == "integer" or kind == "number") and type(value) == "string" and tonumber(value) then
    return "; write it without quotes, or as coreclaw.integer(digits) if it is too big for Lua"
  end
  return ""
end

local function check_type(out, path, types, value)
  if fits(types, value) then return true end
  report.error(out, path,
    "must be " .. wants(types) .. ", got " .. report.show(value) .. advice(types, value))
  return false
end

local function put_right(types, value)
  if #types > 1 then return value end
  if types[1] == "integer" and type(value) == "number" then return math.floor(value) end
  if types[1] == "array" and next(value) == nil then return json.array(value) end
  return value
end

-- Text, or an object with one key of the Worker's choice.
local function check_string_item(out, _, path, item)
  if not check_type(out, path, TEXT_OR_OBJECT, item) or type(item) == "string" then return end
  local name, value = next(item)
  if name ~= nil and next(item, name) ~= nil then
    report.warn(out, path, 'has several keys; one is expected, as in { keyword = "tea" }')
  elseif name ~= nil and value ~= json.null then
    check_type(out, report.path(path, name), { "string" }, value)
  end
end

local function check_request_item(out, _, path, item)
  check_type(out, path, TEXT_OR_OBJECT, item)
end

local function check_source_item(out, field, path, item)
  if not field.params then return check_request_item(out, field, path, item) end
  if not values.is_object(item) then
    return report.error(out, path, "must be a table like { " .. field.params[1].param
      .. " = ... }, got " .. report.show(item))
  end
  local known = {}
  for _, param in ipairs(field.params) do
    known[param.param] = true
    if param.required and values.is_blank(item[param.param]) then
      report.error(out, report.path(path, param.param), "is required")
    end
  end
  report.unknown(out, path, item, known)
end

local ITEMS = {
  stringList = check_string_item,
  requestList = check_request_item,
  requestListSource = check_source_item,
  requestListSources = check_source_item,
}

local function check_items(out, field, path, list)
  local check_item = ITEMS[field.editor]
  for i, item in ipairs(list) do
    local item_path = path .. "[" .. i .. "]"
    if check_item and item ~= json.null then check_item(out, field, item_path, item) end
    if field.items then list[i] = check.value(out, field.items, item_path, item) end
  end
end

local function check_range(out, field, path, value)
  if type(value) ~= "number" then return end
  local low, high = field.minimum, field.maximum
  if low and value < low then
    report.error(out, path, "must be " .. tostring(low) .. " or more, got " .. tostring(value))
  elseif high and value > high then
    report.error(out, path, "must be " .. tostring(high) .. " or less, got " .. tostring(value))
  end
end

-- The Lua pattern of a date format made of DD, MM, YYYY, HH, mm, ss; nil for any other.
local function pattern_of(format)
  if format:gsub("YYYY", ""):gsub("[DMHms]", ""):find "%w" then return nil end
  return "^" .. format:gsub("%p", "%%%0"):gsub("[YDMHms]", "%%d") .. "$"
end

local function check_date(out, field, path, value)
  local pattern = field.value_format and type(value) == "string" and value ~= ""
    and pattern_of(field.value_format)
  if pattern and not value:find(pattern) then
    report.warn(out, path, "should look like " .. field.value_format .. ", got " .. report.show(value))
  end
end

---Checks a value and returns it, put right.
---@param out coreclaw.SchemaReport
---@param field coreclaw.SchemaField
---@param path string
---@param value any
---@return any
function check.value(out, field, path, value)
  if value == json.null then return value end
  local types = types_of(field)
  if types then
    if not check_type(out, path, types, value) then return value end
    value = put_right(types, value)
  end
  if field.options then options.check(out, field, path, value) end
  check_range(out, field, path, value)
  check_date(out, field, path, value)
  if values.is_list(value) then check_items(out, field, path, value) end
  if field.fields and #field.fields > 0 and values.is_object(value) then
    check.fields(out, field.fields, path, value)
  end
  return value
end

local function missing(field, value)
  if value ~= nil then return "is required, but is " .. (value == json.null and "null" or "blank") end
  local example = field.example
  if type(example) == "string" then
    return 'is required (for example "' .. example .. '")'
  end
  return "is required"
end

local function check_required(out, field, path, value)
  if values.is_blank(value) then
    report.error(out, path, missing(field, value))
  elseif values.is_list(value) and next(value) == nil then
    report.warn(out, path, "is required, but its list is empty")
  end
end

---Checks the fields of an object and fills in defaults. What was filled in is the schema's own
---word and is not checked.
---@param out coreclaw.SchemaReport  `fill`: with defaults; `examples`: with examples too
---@param fields coreclaw.SchemaField[]
---@param path string?
---@param object table     written to
---@param elsewhere table<string, string>?  see report.unknown
function check.fields(out, fields, path, object, elsewhere)
  local known = {}
  for _, field in ipairs(fields) do
    local name, field_path = field.name, report.path(path, field.name)
    known[name] = true
    if object[name] ~= nil then
      object[name] = check.value(out, field, field_path, object[name])
    elseif out.fill then
      object[name] = defaults.of(field, out.examples)
    end
    if field.required then check_required(out, field, field_path, object[name]) end
  end
  report.unknown(out, path, object, known, elsewhere)
end

return check
