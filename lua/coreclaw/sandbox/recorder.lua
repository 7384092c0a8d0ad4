--- What came in: every request, kept for specs to look at. Keys are masked before anything is kept.

local clock = require("coreclaw.sandbox.platform.clock")

local M = {}

local MASK = "***"

-- Enough for any test, and ceilings for those that run for hours: requests, and bytes of their bodies.
M.keep, M.keep_bytes = 10000, 64 * 1024 * 1024

local list, first, last, bytes = {}, 1, 0, 0

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

local function drop_oldest()
  bytes = bytes - #list[first].body
  list[first], first = nil, first + 1
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
    body = request.body,
    operation = operation and operation.id,
    origin = request.origin,
    protocol = request.protocol,
  }
  list[last], bytes = entry, bytes + #entry.body
  while first < last and (last - first >= M.keep or bytes > M.keep_bytes) do
    drop_oldest()
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
  list, first, last, bytes = {}, 1, 0, 0
end

return M
