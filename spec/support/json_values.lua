--- Decoded values as one line of text, so that specs can compare them on every Lua.
---
--- i:5 is an integer, f:5 a float; on a Lua that has but one kind of number both are n:5.

local json = require "coreclaw.json"

local values = {}

values.has_integers = rawget(math, "type") ~= nil

-- Under spec/support/stress.lua every allocation is a whole collection.
function values.is_stressed()
  local pause = collectgarbage("setpause", 200)
  collectgarbage("setpause", pause)
  return pause < 50
end

local function number(value)
  if not values.has_integers then
    return ("n:%.17g"):format(value)
  elseif rawget(math, "type")(value) == "integer" then
    return ("i:%d"):format(value)
  end
  return ("f:%.17g"):format(value)
end

local function map(value)
  local parts = {}
  for key, item in pairs(value) do
    parts[#parts + 1] = key .. "=" .. values.show(item)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function list(value)
  local parts = {}
  for i = 1, #value do
    parts[i] = values.show(value[i])
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

function values.show(value)
  if value == json.null then
    return "null"
  elseif type(value) == "number" then
    return number(value)
  elseif type(value) == "string" then
    return "s:" .. value
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  return json.is_array(value) and list(value) or map(value)
end

--- What an expectation for Lua 5.3 and newer is on this Lua. Floats may be written in any form.
function values.here(expected)
  return (expected:gsub("%f[%w]([if]):(%-?[%d.e+-]+)", function(kind, digits)
    if values.has_integers and kind == "i" then
      return nil
    end
    local float = digits:find("[.e]") and digits or kind == "f" and digits .. ".0" or digits
    return ("%s:%.17g"):format(values.has_integers and "f" or "n", tonumber(float))
  end))
end

return values
