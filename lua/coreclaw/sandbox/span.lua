--- The top level of a JSON object as slices of its own text. Checks look at the slices, because a
-- decoded `20.0` is no different from `20`; stored inputs keep every digit and every empty array.
-- The text must be valid JSON (codec.decode has read it before).

local codec = require("coreclaw.sandbox.codec")

local M = {}

local find, sub, byte = string.find, string.sub, string.byte

local function after_string(text, at)
  local i = at + 1
  while true do
    i = find(text, '["\\]', i)
    if byte(text, i) == 34 then
      return i + 1
    end
    i = i + 2
  end
end

local function after_nest(text, at)
  local depth, i = 0, at
  while true do
    i = find(text, '[%[%]{}"]', i)
    local c = byte(text, i)
    if c == 34 then
      i = after_string(text, i)
    else
      depth = depth + ((c == 91 or c == 123) and 1 or -1)
      i = i + 1
      if depth == 0 then
        return i
      end
    end
  end
end

local function after_value(text, at)
  local c = byte(text, at)
  if c == 34 then
    return after_string(text, at)
  elseif c == 91 or c == 123 then
    return after_nest(text, at)
  end
  return find(text, "[,%]}%s]", at) or #text + 1
end

local function key_of(raw)
  if find(raw, "\\", 1, true) then
    return codec.decode(raw)
  end
  return sub(raw, 2, -2)
end

---@param text string? one JSON value
---@return table<string, string>? slices by key, nil when it is no object
---@return string[]? keys in order, doubles included
function M.object(text)
  local at = text and find(text, "%S")
  if not at or byte(text, at) ~= 123 then
    return nil
  end
  local slices, keys = {}, {}
  local i = find(text, "%S", at + 1)
  while byte(text, i) ~= 125 do
    local stop = after_string(text, i)
    local key = key_of(sub(text, i, stop - 1))
    local start = find(text, "%S", find(text, ":", stop, true) + 1)
    stop = after_value(text, start)
    slices[key], keys[#keys + 1] = sub(text, start, stop - 1), key
    i = find(text, "%S", stop)
    if byte(text, i) == 44 then
      i = find(text, "%S", i + 1)
    end
  end
  return slices, keys
end

--- The items of a JSON array, as slices.
function M.array(text)
  local at = text and find(text, "%S")
  if not at or byte(text, at) ~= 91 then
    return nil
  end
  local items, i = {}, find(text, "%S", at + 1)
  while byte(text, i) ~= 93 do
    local stop = after_value(text, i)
    items[#items + 1] = sub(text, i, stop - 1)
    i = find(text, "%S", stop)
    if byte(text, i) == 44 then
      i = find(text, "%S", i + 1)
    end
  end
  return items
end

local KINDS = {
  [34] = "string", -- "
  [91] = "array", -- [
  [123] = "object", -- {
  [116] = "boolean", -- true
  [102] = "boolean", -- false
  [110] = "null",
}

--- What a slice is: string, array, object, boolean, null, integer or number (`20.0` and `2e1` are numbers).
function M.kind(raw)
  return KINDS[byte(raw, 1)] or (find(raw, "^%-?%d+$") and "integer" or "number")
end

return M
