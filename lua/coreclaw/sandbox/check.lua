--- Strict reading of query and body against the parameter tables of routes.lua.
-- Faults are collected as the platform words them: "expected number <= 100 (query.limit: 500)".

local codec = require("coreclaw.sandbox.codec")
local reply = require("coreclaw.sandbox.reply")
local span = require("coreclaw.sandbox.span")

-- luacheck: globals ngx
local M = {}

local function shown(value)
  value = tostring(value)
  return #value > 60 and value:sub(1, 57) .. "..." or value
end

local function say(out, words, place, value)
  out[#out + 1] = words .. " (" .. place .. (value ~= nil and ": " .. shown(value) or "") .. ")"
end

local function in_enum(entry, value)
  for _, allowed in ipairs(entry.enum) do
    if allowed == value then
      return true
    end
  end
  return false
end

local function enum_words(enum)
  local out = {}
  for i, allowed in ipairs(enum) do
    out[i] = type(allowed) == "string" and '"' .. allowed .. '"' or tostring(allowed)
  end
  return "expected one of " .. table.concat(out, ", ")
end

local function check_value(entry, value, place, out)
  if entry.enum and not in_enum(entry, value) then
    say(out, enum_words(entry.enum), place, value)
  elseif entry.min and value < entry.min then
    say(out, "expected number >= " .. entry.min, place, value)
  elseif entry.max and value > entry.max then
    say(out, "expected number <= " .. entry.max, place, value)
  elseif entry.min_length and #value < entry.min_length then
    say(out, "expected length >= " .. entry.min_length, place, value)
  elseif entry.url and not value:find("^https?://[^%s/]+") then
    say(out, "expected http or https URL", place, value)
  end
end

local function query_value(entry, value, place, out)
  if type(value) == "table" then
    return say(out, "expected one value", place)
  end
  value = value == true and "" or value
  if entry.type == "integer" then
    if not value:find("^%-?%d+$") then
      return say(out, "expected integer", place, value)
    end
    value = tonumber(value)
  end
  check_value(entry, value, place, out)
  return value
end

local function missing(known, given, place, out)
  for name, entry in pairs(known) do
    if entry.required and given[name] == nil then
      say(out, "expected required property " .. name .. " to be present", place)
    end
  end
end

local function with_defaults(known, values)
  for name, entry in pairs(known) do
    if values[name] == nil then
      values[name] = entry.default
    end
  end
  return values
end

local function read_query(operation, arguments, out)
  local known, values = operation.query or {}, {}
  for name, value in pairs(arguments) do
    local entry = known[name]
    if entry then
      values[name] = query_value(entry, value, "query." .. name, out)
    elseif not (name == "token" and operation.api == "v2") then
      say(out, "unexpected property", "query." .. shown(name))
    end
  end
  missing(known, values, "query", out)
  return with_defaults(known, values)
end

local READ = {
  string = codec.decode,
  boolean = codec.decode,
  integer = tonumber,
}

local function strings_in(raw, place, out)
  local values = {}
  for i, item in ipairs(span.array(raw)) do
    if span.kind(item) ~= "string" then
      say(out, "expected string", place .. "[" .. (i - 1) .. "]")
      return nil
    end
    values[i] = codec.decode(item)
  end
  return values
end

local function body_value(entry, raw, place, out)
  local kind = span.kind(raw)
  if entry.type == "any" or (entry.nullable and kind == "null") then
    return nil
  elseif entry.type == "array<string>" then
    if kind == "array" then
      return strings_in(raw, place, out)
    end
    return say(out, "expected array", place)
  elseif kind ~= entry.type then
    return say(out, "expected " .. entry.type, place, kind ~= "string" and raw or nil)
  end
  local read = READ[entry.type]
  if not read then
    return nil
  end
  local value = read(raw)
  check_value(entry, value, place, out)
  return value
end

local function read_fields(known, slices, out)
  local values = {}
  for name, raw in pairs(slices) do
    local entry = known[name]
    if entry then
      values[name] = body_value(entry, raw, "body." .. name, out)
    else
      say(out, "unexpected property", "body." .. shown(name))
    end
  end
  missing(known, slices, "body", out)
  return with_defaults(known, values)
end

local function need_json(request)
  if request.body == "" then
    reply.fail("bad_request", { "request body is required" })
  end
  local content_type = request.headers["content-type"]
  if type(content_type) ~= "string" or not content_type:lower():find("^application/json") then
    reply.fail("bad_request", { "expected content type application/json" })
  end
  local value, message = codec.decode(request.body)
  if value == nil then
    reply.fail("bad_request", { "request body is not JSON: " .. tostring(message) })
  end
end

local function read_body(operation, request, out)
  if operation.body_optional and request.body == "" then
    return {}, {}
  end
  need_json(request)
  local slices = span.object(request.body)
  if not slices then
    say(out, "expected object", "body")
    return {}, {}
  end
  return read_fields(operation.body, slices, out), slices
end

--- Fills request.query, request.fields (checked values) and request.raw (slices of the body), or fails.
function M.read(operation, request)
  local out = {}
  request.query = read_query(operation, ngx.decode_args(request.query_string, 100), out)
  request.fields, request.raw = {}, {}
  if operation.body then
    request.fields, request.raw = read_body(operation, request, out)
  end
  if #out > 0 then
    table.sort(out)
    reply.fail(operation.plain and "bad_request" or "invalid", out)
  end
end

return M
