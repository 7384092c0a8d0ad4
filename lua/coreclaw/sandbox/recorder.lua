--- What came in: every request, kept for specs to look at. Keys are masked before anything is kept.

local clock = require("coreclaw.sandbox.platform.clock")

local M = {}

local MASK = "***"

-- Enough for any test, and a ceiling for those that run for hours.
M.keep, M.keep_body = 10000, 256 * 1024

local list, first, last = {}, 1, 0

local function mask_headers(headers)
  local out = {}
  for name, value in pairs(headers) do
    if name == "authorization" then
      value = type(value) == "string" and value:gsub("%S+$", MASK) or MASK
    elseif name == "api-key" or name == "sandbox-secret" then
      value = MASK
    end
    out[name] = value
  end
  return out
end

local function mask_query(query)
  return (("&" .. query):gsub("([&]token=)[^&]*", "%1" .. MASK):sub(2))
end

---@return table entry status and fault are written into it later
function M.add(request, operation)
  last = last + 1
  local entry = {
    number = last,
    time = clock.now(),
    method = request.method,
    path = request.path,
    query = mask_query(request.query_string),
    headers = mask_headers(request.headers),
    body = request.body:sub(1, M.keep_body),
    operation = operation and operation.id,
    origin = request.origin,
    protocol = request.protocol,
  }
  list[last] = entry
  if last - first >= M.keep then
    list[first] = nil
    first = first + 1
  end
  return entry
end

function M.all()
  local out = {}
  for i = first, last do
    out[#out + 1] = list[i]
  end
  return out
end

function M.reset()
  list, first, last = {}, 1, 0
end

return M
