-- luasocket's HTTP client, which opens a connection for every request, and lua-cjson.
local http = require "socket.http"
local ltn12 = require "ltn12"
local cjson = require "cjson"
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

local works = {}

function works.get(n, path)
  line.times(n, function() fetch(path) end)
end

function works.reload(n)
  line.times(n, function() assert(cjson.decode(fetch "/api/v2/worker-runs/detail").data.status) end)
end

function works.rows(name, pages)
  for page = 1, pages do
    assert(cjson.decode(fetch(("/api/v2/worker-runs/%s/result?offset=%d&limit=100"):format(name, page))).data.list)
  end
end

line.serve(works, socket.gettime)
