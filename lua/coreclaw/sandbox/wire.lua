--- The last step: an answer goes onto the wire, whole or the way a fault wants it.

local encode = require("coreclaw.sandbox.encode")
local listener = require("coreclaw.sandbox.listener")
local reply = require("coreclaw.sandbox.reply")

-- luacheck: globals ngx
local M = {}

local STALL = 300

--- Ends the connection without an answer.
function M.close(reset)
  if reset then
    return ngx.exec("@reset")
  end
  return ngx.exit(444)
end

-- Sends text in pieces, with a pause after each, until it is out or the other side has gone.
local function dribble(text, spec, send)
  local bytes, pause = spec.bytes or 1, spec.interval or 0.01
  for at = 1, #text, bytes do
    if not send(text:sub(at, at + bytes - 1)) then
      return
    end
    ngx.sleep(pause)
  end
end

local function raw(bytes, pieces)
  local socket, message = ngx.req.socket(true)
  if not socket then
    ngx.log(ngx.ERR, "raw fault: ", message)
    return M.close()
  end
  local function send(text)
    return socket:send(text)
  end
  if pieces then
    dribble(bytes, pieces, send)
  elseif bytes ~= "" then
    send(bytes)
  end
  return ngx.exit(444)
end

local function head(answer)
  ngx.status = answer.status
  for name, value in pairs(answer.headers) do
    ngx.header[name] = value
  end
end

local function part(text)
  return ngx.print(text) and ngx.flush(true)
end

local function stall(body, fault)
  if fault.stall_after > 0 then
    part(body:sub(1, fault.stall_after))
  else
    ngx.send_headers()
    ngx.flush(true)
  end
  ngx.sleep(fault.stall_for or STALL)
  part(body:sub(fault.stall_after + 1))
end

local function huge(bytes)
  local block = string.rep("x", 65536)
  for _ = 1, math.ceil(bytes / #block) do
    if not part(block) then
      return
    end
  end
end

-- An answer that is cut: the head promises more than comes.
local function cut(body, bytes)
  if bytes > 0 then
    part(body:sub(1, bytes))
  else
    ngx.send_headers()
    ngx.flush(true)
  end
  return ngx.exit(ngx.ERROR)
end

local function body_with(answer, fault)
  local body = answer.body
  if fault.dribble then
    return dribble(body, fault.dribble, part)
  elseif fault.stall_after then
    return stall(body, fault)
  elseif fault.truncate_after then
    return cut(body, fault.truncate_after)
  elseif fault.huge then
    return huge(fault.huge)
  end
  ngx.print(body)
  -- Fewer bytes than promised: the connection has to end, or both sides would wait.
  if fault.content_length and fault.content_length > #body then
    ngx.flush(true)
    return ngx.exit(ngx.ERROR)
  end
end

-- A gzip stream whose checksum is wrong, or a good one, from a stored block: no compressor needed.
local function gzip(text, damaged)
  local function little(value, bytes)
    local out = {}
    for i = 1, bytes do
      out[i] = string.char(value % 256)
      value = math.floor(value / 256)
    end
    return table.concat(out)
  end
  text = text:sub(1, 65535)
  local crc = ngx.crc32_long(text)
  if damaged then
    crc = (crc + 1) % 4294967296
  end
  return "\31\139\8\0\0\0\0\0\0\255\1" .. little(#text, 2) .. little(65535 - #text, 2) .. text .. little(crc, 4)
    .. little(#text, 4)
end

local function changed(answer, fault)
  local out = { status = fault.status or answer.status, body = fault.body or answer.body, headers = {} }
  for name, value in pairs(answer.headers) do
    out.headers[name] = value
  end
  if fault.redirect then
    out.status, out.headers.Location = fault.status or 302, fault.redirect
  end
  if fault.gzip then
    out.body, out.headers["Content-Encoding"] = gzip(out.body, fault.gzip == "damaged"), "gzip"
  end
  out.headers["Content-Type"] = fault.content_type or answer.headers["Content-Type"]
  for name, value in pairs(fault.headers or {}) do
    out.headers[name] = value
  end
  return out
end

--- The answer that a fault puts in the handler's place, before its other effects.
function M.stand_in(request, fault)
  if fault.code then
    local fields = encode.fields("code", fault.code, "message", fault.message or "fault", "request_id", "req-fault")
    return {
      status = fault.status or 200,
      body = encode.encode(fields),
      headers = { ["Content-Type"] = "application/json; charset=utf-8" },
    }
  end
  if fault.redirect then
    return { status = fault.status or 302, body = "", headers = { ["Content-Type"] = "text/html" } }
  end
  local status = fault.status or 200
  local name = status == 429 and "rate_limited" or "internal"
  local answer = reply.refusal(request.api, name, nil, fault.message)
  answer.status = status
  return answer
end

--- Sends an answer, through a fault if there is one.
function M.send(answer, fault)
  if not fault then
    head(answer)
    ngx.header["Content-Length"] = #answer.body
    ngx.print(answer.body)
    return
  end
  if fault.delay then
    ngx.sleep(fault.delay)
  end
  if fault.refuse then
    listener.refuse(tonumber(ngx.var.server_port), fault.refuse)
    return M.close()
  elseif fault.close or fault.reset then
    return M.close(fault.reset)
  elseif fault.raw then
    return raw(fault.raw, fault.dribble)
  end
  answer = changed(answer, fault)
  head(answer)
  if fault.content_length ~= nil then
    ngx.header["Content-Length"] = fault.content_length
  elseif fault.huge then
    ngx.header["Content-Length"] = math.ceil(fault.huge / 65536) * 65536
  else
    ngx.header["Content-Length"] = #answer.body
  end
  return body_with(answer, fault)
end

return M
