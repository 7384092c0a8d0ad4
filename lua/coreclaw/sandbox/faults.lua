--- Misbehaviour on demand. A fault says which requests it meets and what becomes of them; seeded, so repeatable.

local routes = require("coreclaw.sandbox.routes")

local M = {}

-- What a fault may say, and of which type.
local FIELDS = {
  operation = "string", path = "string", method = "string", origin = "string", agent = "string",
  times = "number", nth = "number", probability = "number", seed = "number",
  delay = "number", work = "boolean", status = "number", code = "number", message = "string",
  headers = "table", body = "string", content_type = "string", raw = "string", close = "string",
  reset = "boolean", stall_after = "number", stall_for = "number", dribble = "table", truncate_after = "number",
  content_length = "number", gzip = "string", header_delay = "number", redirect = "string", huge = "number",
  late_rows = "number", repeat_rows = "number", expired = "boolean", changed = "boolean",
  refuse = "number",
}

local ENUMS = { close = { before = true, after = true }, gzip = { damaged = true, good = true } }

-- Numbers: least, most, whole?
local RANGES = {
  times = { 0, math.huge, true }, nth = { 1, math.huge, true }, probability = { 0, 1 }, status = { 200, 599, true },
  refuse = { 0.01, 60 },
  delay = { 0, 3600 }, header_delay = { 0, 3600 }, stall_for = { 0, 86400 }, stall_after = { 0, math.huge, true },
  truncate_after = { 0, math.huge, true }, content_length = { 0, math.huge, true }, huge = { 1, math.huge, true },
  late_rows = { 0, math.huge, true }, repeat_rows = { 0, math.huge, true },
}

local known
local function check_operation(id)
  if not known then
    known = {}
    for _, operation in ipairs(routes) do
      known[operation.id] = true
    end
  end
  if id and not known[id] then
    error('no operation of the platform: "' .. id .. '"', 0)
  end
end

local function check_range(name, value, range)
  if range and not (value >= range[1] and value <= range[2] and (not range[3] or value % 1 == 0)) then
    error(("fault.%s must be %s from %g to %g, not %g"):format(name, range[3] and "a whole number" or "a number",
      range[1], range[2], value), 0)
  end
end

local function check_dribble(pieces)
  local bytes, interval = pieces.bytes or 1, pieces.interval or 0
  if type(bytes) ~= "number" or bytes < 1 or bytes % 1 ~= 0 or type(interval) ~= "number" or interval < 0 then
    error("fault.dribble wants bytes, a whole number from 1 on, and interval, seconds", 0)
  end
end

local list, counter = {}, 0

local function check(spec)
  for name, value in pairs(spec) do
    if not FIELDS[name] then
      error("unknown field of a fault: " .. tostring(name), 0)
    elseif type(value) ~= FIELDS[name] then
      error("fault." .. name .. " must be a " .. FIELDS[name], 0)
    elseif ENUMS[name] and not ENUMS[name][value] then
      error("fault." .. name .. ' cannot be "' .. value .. '"', 0)
    end
    check_range(name, value, RANGES[name])
  end
  check_operation(spec.operation)
  check_dribble(spec.dribble or {})
  if spec.path and not pcall(string.find, "", spec.path) then
    error("fault.path is not a Lua pattern: " .. spec.path, 0)
  end
end

-- The minimal standard generator: the same numbers from the same seed on every machine.
local function draw(fault)
  fault.random = fault.random * 16807 % 2147483647
  return fault.random / 2147483647
end

--- Adds a fault. Without times, nth and probability it meets one request.
---@return integer id
function M.add(spec)
  check(spec)
  counter = counter + 1
  local once = not spec.nth and not spec.probability
  list[#list + 1] = {
    id = counter,
    spec = spec,
    left = spec.times or (once and 1) or (spec.nth and 1) or math.huge,
    seen = 0,
    hits = 0,
    random = (spec.seed or 1) % 2147483646 + 1,
  }
  return counter
end

local function concerns(spec, request, operation)
  return (not spec.operation or (operation and operation.id == spec.operation))
    and (not spec.method or spec.method == request.method)
    and (not spec.agent or spec.agent == request.headers["user-agent"])
    and (not spec.path or request.path:find(spec.path) ~= nil)
    and (spec.origin or "api") == request.origin
end

local function strikes(fault)
  local spec = fault.spec
  fault.seen = fault.seen + 1
  if fault.left <= 0 or (spec.nth and fault.seen < spec.nth) then
    return false
  end
  return not spec.probability or draw(fault) < spec.probability
end

--- The fault that this request meets, or nil. Every fault counts the request; the first one that strikes wins.
function M.meet(request, operation)
  local met
  for _, fault in ipairs(list) do
    if concerns(fault.spec, request, operation) and strikes(fault) then
      met = met or fault
    end
  end
  if not met then
    return nil
  end
  met.left, met.hits = met.left - 1, met.hits + 1
  return met.spec, met.id
end

--- Does this fault take the place of the handler's work?
function M.replaces_work(spec)
  if spec.work ~= nil then
    return not spec.work
  end
  return spec.status ~= nil or spec.code ~= nil or spec.body ~= nil or spec.raw ~= nil or spec.redirect ~= nil
    or spec.huge ~= nil or spec.refuse ~= nil
    or spec.close == "before" or (spec.reset and spec.close ~= "after") or false
end

--- All faults with their counts.
function M.all()
  local out = {}
  for i, fault in ipairs(list) do
    out[i] = { id = fault.id, seen = fault.seen, hits = fault.hits }
  end
  return out
end

function M.clear()
  list = {}
end

return M
