--- The second origin: files behind signed links. Whoever brings a credential here has leaked it, and is refused.

local faults = require("coreclaw.sandbox.faults")
local links = require("coreclaw.sandbox.platform.links")
local recorder = require("coreclaw.sandbox.recorder")
local server = require("coreclaw.sandbox.server")
local wire = require("coreclaw.sandbox.wire")

-- luacheck: globals ngx
local M = {}

local REFUSED = {
  credential = { 400, "InvalidArgument", "Only one auth mechanism allowed" },
  signature = { 403, "SignatureDoesNotMatch", "The request signature does not match" },
  expired = { 403, "AccessDenied", "Request has expired" },
  missing = { 404, "NoSuchKey", "The specified key does not exist" },
}

local function refusal(why)
  local status, code, message = REFUSED[why][1], REFUSED[why][2], REFUSED[why][3]
  local body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>\n'
  return { status = status, body = body:format(code, message), headers = { ["Content-Type"] = "application/xml" } }
end

local function has_credential(request, arguments)
  local headers = request.headers
  return headers.authorization or headers["api-key"] or arguments.token or headers.cookie
end

local function answer(request)
  local arguments = ngx.decode_args(request.query_string, 20)
  if has_credential(request, arguments) then
    return refusal("credential")
  elseif request.fault and request.fault.expired then
    return refusal("expired")
  end
  local kind, name = request.path:match("^/(%w+)/([%w_.-]+)$")
  local found, why = links.open(kind or "", name or "", arguments)
  if not found then
    return refusal(why)
  end
  local disposition = 'attachment; filename="' .. found.name .. '"'
  local headers = { ["Content-Type"] = found.type, ["Content-Disposition"] = disposition }
  return { status = 200, body = found.text, path = found.path, headers = headers }
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local etags = {} -- path → the digest of what is there, which is what the storage of such platforms shows

local function etag_of(path)
  etags[path] = etags[path] or '"' .. ngx.md5(read(path)) .. '"'
  return etags[path]
end

-- Somebody writes the file anew while it is being fetched: other bytes, another length, so another ETag.
local function change(path)
  local text = read(path)
  local file = assert(io.open(path, "wb"))
  file:write("changed: ", text)
  file:close()
  etags[path] = nil
end

-- nginx itself sends files: ranges, If-Range and the like are its trade.
local function send_file(found, fault)
  if fault and fault.changed then change(found.path) end
  found.headers["ETag"] = etag_of(found.path)
  if fault and not fault.changed then
    found.body = read(found.path)
    return wire.send(found, fault)
  end
  for field, value in pairs(found.headers) do
    ngx.header[field] = value
  end
  return ngx.exec("/_file/" .. found.path:match("[^/]+$"))
end

function M.serve()
  local request = server.request("files")
  local entry = recorder.add(request, nil)
  local fault, id = faults.meet(request, nil)
  entry.fault, request.fault = id, fault
  local reply = answer(request)
  entry.status = reply.status
  if reply.path then
    return send_file(reply, fault)
  end
  return wire.send(reply, fault)
end

return M
