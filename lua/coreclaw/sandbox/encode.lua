--- JSON writing for answers: coreclaw.json does it; here parts that are JSON already (rows, stored
-- inputs) are let in byte for byte, and lists are told from objects.

local json = require("coreclaw.json")

local M = {}

local RAW = {}

M.null = json.null

--- An object from names and values in turn: fields("slug", slug, "count", 3). nil leaves a field out.
function M.fields(...)
  local out, arguments = {}, { ... }
  for i = 1, select("#", ...), 2 do
    out[arguments[i]] = arguments[i + 1]
  end
  return out
end

--- Marks a table as a JSON array, also when it is empty.
M.list = json.array

--- An integer of any size, from its digits.
M.integer = json.integer

--- A piece of JSON to be written as it is.
function M.raw(text)
  return setmetatable({ text }, RAW)
end

-- Stands in for a raw piece while the rest is written; nobody else's text looks like it.
local MARK = "\1raw-" .. tostring({}):gsub("%W", "") .. "-"
local WRITTEN = '"\\u0001' .. MARK:sub(2):gsub("%p", "%%%0") .. '(%d+)"'

local copy

local function copy_members(value, pieces)
  local out = {}
  for key, item in pairs(value) do
    out[key] = copy(item, pieces)
  end
  return json.is_array(value) and json.array(out) or out
end

function copy(value, pieces)
  if type(value) ~= "table" then
    return value
  elseif getmetatable(value) == RAW then
    pieces[#pieces + 1] = value[1]
    return MARK .. #pieces
  elseif getmetatable(value) ~= nil and not json.is_array(value) then
    return value
  end
  return copy_members(value, pieces)
end

--- Writes a value; raises where JSON has no word for it.
function M.encode(value)
  local pieces = {}
  local text = json.encode(copy(value, pieces), "value", 0)
  if #pieces == 0 then
    return text
  end
  return (text:gsub(WRITTEN, function(n)
    return pieces[tonumber(n)]
  end))
end

return M
