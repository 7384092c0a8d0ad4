--- JSON reading for the sandbox: coreclaw.json, with the exactness that checks need. Writing is encode.lua's.

local json = require("coreclaw.json")

local M = {}

M.null = json.null

---@param text string
---@return any value
---@return string? message
function M.decode(text)
  local value, message = json.decode(text)
  if value == nil then
    return nil, message or "not JSON"
  end
  return value
end

return M
