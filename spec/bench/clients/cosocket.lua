-- In the nginx in front: what one would write by hand, on cosockets.
local cjson = require "cjson"

local M = {}

local host, port = os.getenv "BENCH_URL":match "^http://([%d.]+):(%d+)$"
local REQUEST = ("GET /slow?ms=20 HTTP/1.1\r\nhost: %s:%s\r\nauthorization: Bearer bench-key\r\naccept: */*\r\n\r\n")
  :format(host, port)
local OPTIONS = { pool_size = 1000 }

-- Reads headers up to the empty line; returns what is needed of them.
local function headers_of(sock)
  local headers = {}
  while true do
    local line = assert(sock:receive "*l")
    if line == "" then return headers end
    local name, value = line:match "^([^:]+):%s*(.*)$"
    headers[name:lower()] = value
  end
end

local function fetch()
  local sock = ngx.socket.tcp()
  sock:settimeouts(10000, 60000, 60000)
  assert(sock:connect(host, port, OPTIONS))
  assert(sock:send(REQUEST))
  local status = tonumber(assert(sock:receive "*l"):match "^HTTP/1%.%d (%d+)")
  local body = assert(sock:receive(tonumber(headers_of(sock)["content-length"])))
  sock:setkeepalive(60000, 1000)
  return status, body
end

---Answers with what the server said.
function M.answer()
  local status, body = fetch()
  local envelope = cjson.decode(body)
  assert(status == 200 and envelope.code == 0)
  ngx.print(envelope.data.balance)
end

return M
