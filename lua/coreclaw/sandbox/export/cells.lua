--- What stands in one cell of a flat file: taken from the row's own JSON, so that numbers keep their digits.

local codec = require("coreclaw.sandbox.codec")
local span = require("coreclaw.sandbox.span")

local M = {}

--- The text of a slice of JSON: strings decoded, null empty, the rest as it is written.
function M.text(raw)
  if raw == nil or raw == "null" then
    return ""
  elseif raw:byte(1) == 34 then
    return raw:find("\\", 1, true) and codec.decode(raw) or raw:sub(2, -2)
  end
  return raw
end

--- The cells of a row (its JSON) for these keys: a list of texts, and the row's slices.
function M.of(row, keys)
  local slices, out = span.object(row), {}
  for i, key in ipairs(keys) do
    out[i] = M.text(slices[key])
  end
  return out, slices
end

return M
