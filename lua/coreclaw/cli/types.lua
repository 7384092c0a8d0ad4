--- The LuaLS classes of a Worker's input and of its rows: for an editor that completes and checks them.

local json = require "coreclaw.json"
local line = require "coreclaw.line"
local values = require "coreclaw.schema.values"

local types = {}

-- Words of a schema as LuaLS says them.
local WORDS = { string = "string", integer = "integer", number = "number", boolean = "boolean",
  null = "lightuserdata" }

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then "
  .. "true until while"):gmatch "%l+" do KEYWORDS[word] = true end

-- A field's name: as it is, or in brackets.
local function name_of(name)
  if name:find "^[%a_][%w_]*$" and not KEYWORDS[name] then return name end
  return ("[%q]"):format(name):gsub("\n", "n")
end

local function literal(value)
  if type(value) == "string" then return (("%q"):format(value):gsub("\n", "n")) end
  return tostring(value)
end

-- Controls that offer their values and no others.
local CHOOSERS = { select = true, radio = true, checkbox = true }

local function choices(field)
  if not field.options or not (field.closed or CHOOSERS[field.editor]) then return nil end
  local list = {}
  for i, option in ipairs(field.options) do
    list[i] = option.value == json.null and "lightuserdata" or literal(option.value)
  end
  return table.concat(list, "|")
end

local of

local function object_of(fields)
  local list = {}
  for i, field in ipairs(fields) do
    list[i] = name_of(field.name) .. (field.required and "" or "?") .. ": " .. of(field)
  end
  return "{ " .. table.concat(list, ", ") .. " }"
end

local function list_of(item)
  return (item:find("|", 1, true) and not item:find "^{" and "(" .. item .. ")" or item) .. "[]"
end

-- What each item of a list is.
local function item_of(field)
  if field.items then return of(field.items) end
  if field.params then
    local fields = {}
    for i, param in ipairs(field.params) do
      fields[i] = { name = param.param, required = param.required, types = { "string" } }
    end
    return object_of(fields)
  end
  if field.editor == "stringList" then return "string" end
  return field.editor and field.editor:find "^requestList" and "string|table" or "any"
end

-- One word of `type`.
local function word_of(field, word)
  if word == "array" then return list_of(item_of(field)) end
  if word == "object" then return field.fields and #field.fields > 0 and object_of(field.fields) or "table" end
  return WORDS[word] or "any"
end

function of(field)
  local chosen = choices(field)
  if chosen then return (field.multiple or field.type == "array") and list_of(chosen) or chosen end
  local list, seen = {}, {}
  for _, word in ipairs(field.types or { "any" }) do
    local text = word_of(field, word)
    if not seen[text] then list[#list + 1], seen[text] = text, true end
  end
  return #list > 0 and table.concat(list, "|") or "any"
end

local function remark(field)
  local words = {}
  if field.title and field.title ~= field.name then words[#words + 1] = field.title end
  if field.description and field.description ~= field.title then words[#words + 1] = field.description end
  local plain = type(field.default) ~= "table"
  if field.default ~= nil then
    words[#words + 1] = "default " .. (plain and tostring(field.default) or json.encode(field.default))
  end
  if field.minimum or field.maximum then
    words[#words + 1] = ("%s to %s"):format(tostring(field.minimum or ""), tostring(field.maximum or ""))
  end
  return #words > 0 and "  " .. line.of(table.concat(words, "; "), 200) or ""
end

local function field_line(name, required, kind, words)
  return "---@field " .. name_of(name) .. (required and "" or "?") .. " " .. kind .. words
end

---The fields of an input. A required field with a default may be left out.
---@param class string
---@param fields coreclaw.SchemaField[]
---@return string[]
function types.input(class, fields)
  local lines = { "---@class " .. class }
  for _, field in ipairs(fields) do
    lines[#lines + 1] = field_line(field.name, field.required and field.default == nil, of(field), remark(field))
  end
  return lines
end

-- ---- rows -------------------------------------------------------------------------------------

local function kind_of(value)
  if value == json.null then return "lightuserdata" end
  if type(value) == "table" then
    if not json.is_array(value) then return "table" end
    local first = value[1]
    return first == nil and "any[]" or list_of(kind_of(first))
  end
  return values.is_integer(value) and "integer" or type(value)
end

-- Every kind that was seen, number for both integer and number.
local function union(kinds)
  local list = {}
  if kinds.number then kinds.integer = nil end
  for kind in pairs(kinds) do list[#list + 1] = kind end
  table.sort(list)
  return table.concat(list, "|")
end

---The fields of rows, as far as these rows tell.
---@param class string
---@param rows table[]
---@param headers { key: string, label: string? }[]  for the order
---@return string[]
function types.rows(class, rows, headers)
  local kinds, counts, order = {}, {}, {}
  for _, header in ipairs(headers) do order[#order + 1], kinds[header.key], counts[header.key] = header.key, {}, 0 end
  local extra = {}
  for _, row in ipairs(rows) do
    for key, value in pairs(row) do
      if not kinds[key] then kinds[key], counts[key], extra[#extra + 1] = {}, 0, key end
      kinds[key][kind_of(value)], counts[key] = true, counts[key] + 1
    end
  end
  table.sort(extra)
  for _, key in ipairs(extra) do order[#order + 1] = key end
  local lines = { "---@class " .. class }
  for _, key in ipairs(order) do
    local kind = union(kinds[key])
    lines[#lines + 1] = field_line(key, counts[key] == #rows, kind ~= "" and kind or "any", "")
  end
  return lines
end

---A class name for a Worker: "coreclaw/google-maps-scraper" → "GoogleMapsScraper".
---@param id string
---@return string
function types.class(id)
  local name = id:match "[~/]([^~/]+)$" or id
  name = name:gsub("%f[%w]%w", string.upper):gsub("[^%w]", "")
  return name:find "^%a" and name or "Worker" .. name
end

return types
