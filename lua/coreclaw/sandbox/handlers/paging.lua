--- Pages: by number, from 1; 0 is page 1; past the end is empty.

local encode = require("coreclaw.sandbox.encode")

local M = {}

function M.page(offset)
  return offset < 1 and 1 or offset
end

--- First and last index of a page.
function M.range(offset, limit, count)
  local first = (M.page(offset) - 1) * limit + 1
  return first, math.min(first + limit - 1, count)
end

function M.slice(list, offset, limit)
  local first, last = M.range(offset, limit, #list)
  local out = {}
  for i = first, last do
    out[#out + 1] = list[i]
  end
  return out
end

--- A JSON array made of each item by `fn`.
function M.map(list, fn)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = fn(item)
  end
  return encode.list(out)
end

return M
