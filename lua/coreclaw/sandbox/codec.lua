--- JSON reading for the sandbox, one seam: coreclaw.json where its C half loads in this Lua
-- (exact big integers), otherwise lua-cjson. Writing is encode.lua's, which needs neither.

local M = {}

local function from_coreclaw()
  local ok, json = pcall(require, "coreclaw.json")
  if not ok or type(json) ~= "table" then
    return nil
  end
  return json.decode, json.null
end

local function from_cjson()
  local ok, cjson = pcall(require, "cjson.safe")
  if not ok then
    error("the sandbox needs lua-cjson: apt-get install lua-cjson", 0)
  end
  local json = cjson.new()
  if json.decode_invalid_numbers then
    json.decode_invalid_numbers(false)
  end
  return json.decode, cjson.null
end

local decode, null = from_coreclaw()
if not decode then
  decode, null = from_cjson()
end

M.null = null

---@param text string
---@return any value
---@return string? message
function M.decode(text)
  local value, message = decode(text)
  if value == nil then
    return nil, message or "not JSON"
  end
  return value
end

return M
