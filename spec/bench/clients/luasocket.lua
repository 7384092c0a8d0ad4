-- luasocket's HTTP client, which opens a connection for every request, and lua-cjson.
local http = require "socket.http"
local ltn12 = require "ltn12"
local socket = require "socket"
local line = require "spec.bench.clients.line"

local headers = { authorization = "Bearer bench-key" }

local function fetch(path, method, body)
  local parts = {}
  local ok, status = http.request {
    url = line.url .. path, headers = headers, sink = ltn12.sink.table(parts), method = method,
    source = body and ltn12.source.string(body),
  }
  assert(ok and status == 200, status)
  return table.concat(parts)
end

line.serve_by_hand(fetch, socket.gettime)
