--- JSON writing with the last word about form: field order, `{}` against `[]`, and parts that are
-- JSON already (rows, stored inputs) go in byte for byte.

local codec = require("coreclaw.sandbox.codec")

local M = {}

local FIELDS, LIST, RAW = {}, {}, {}

M.null = codec.null

--- An object with its fields in the order given: fields("slug", slug, "count", 3). nil leaves a field out.
function M.fields(...)
  return setmetatable({ n = select("#", ...), ... }, FIELDS)
end

--- Marks a table as a JSON array, also when it is empty.
function M.list(items)
  return setmetatable(items or {}, LIST)
end

--- A piece of JSON to be written as it is.
function M.raw(text)
  return setmetatable({ text }, RAW)
end

--- An integer of any size, from its digits.
function M.integer(digits)
  if type(digits) ~= "string" or not digits:find("^%-?%d+$") then
    error("an integer is given as a string of its digits", 2)
  end
  return M.raw(digits)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(char)
  return ESCAPES[char] or string.format("\\u%04x", char:byte())
end

function M.quote(text)
  return '"' .. text:gsub('[%c"\\\127]', escape) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("JSON has no such number: " .. tostring(value), 0)
  end
  if value % 1 == 0 and value > -1e15 and value < 1e15 then
    return string.format("%d", value)
  end
  local text = string.format("%.14g", value)
  return tonumber(text) == value and text or string.format("%.17g", value)
end

local encode

local function members(pairs_of, out)
  for i = 1, pairs_of.n, 2 do
    if pairs_of[i + 1] ~= nil then
      out[#out + 1] = M.quote(pairs_of[i]) .. ":" .. encode(pairs_of[i + 1])
    end
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function array(items)
  local out = {}
  for i = 1, #items do
    out[i] = encode(items[i])
  end
  return "[" .. table.concat(out, ",") .. "]"
end

local function sorted_object(value)
  local keys, out = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    local item = value[key]
    if item == nil then
      item = value[tonumber(key)]
    end
    out[i] = M.quote(key) .. ":" .. encode(item)
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function table_value(value)
  local mark = getmetatable(value)
  if mark == RAW then
    return value[1]
  elseif mark == FIELDS then
    return members(value, {})
  elseif mark == LIST or #value > 0 then
    return array(value)
  end
  return sorted_object(value)
end

function encode(value)
  local kind = type(value)
  if kind == "string" then
    return M.quote(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value == nil or value == M.null then
    return "null"
  elseif kind == "table" then
    return table_value(value)
  end
  error("cannot write a " .. kind .. " as JSON", 0)
end

M.encode = encode

return M
