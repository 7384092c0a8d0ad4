-- HTTP/2 where TLS negotiates it, against a real nginx; and what spoils it.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local finish, fetch = scripted.finish, scripted.fetch

local CONFIG = [[
daemon off; master_process off; pid %s/pid; error_log %s/error.log;
events { }
http {
  access_log off;
  server {
    listen 127.0.0.1:%d ssl http2;
    ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;
    location / {
      proxy_pass http://127.0.0.1:%d;
      add_header X-Seen "$connection $server_protocol" always;
    }
  }
}
]]

local CERTIFICATE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 " ..
  "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>&1"

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read("*a")
  pipe:close()
  return (out:gsub("%s+$", ""))
end

local function free_port()
  return tonumber(shell("env -u LD_PRELOAD python3 -c " ..
    "'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'"))
end

describe("HTTP/2", function()
  local folder, keeper, server, engine, url

  setup(function()
    server = scripted.start()
    folder = shell("mktemp -d")
    local port = free_port()
    url = ("https://127.0.0.1:%d/slow/100"):format(port)
    shell("env -u LD_PRELOAD " .. CERTIFICATE:format(folder, folder))
    local file = assert(io.open(folder .. "/nginx.conf", "w"))
    file:write(CONFIG:format(folder, folder, port, folder, folder, server.port))
    file:close()
    -- nginx ends when nobody holds the other end of the pipe any more
    keeper = assert(io.popen(("exec 2>/dev/null; unset LD_PRELOAD; PATH=$PATH:/usr/sbin " ..
      "nginx -p %s -c %s/nginx.conf </dev/null & pid=$!; cat >/dev/null; kill $pid; wait $pid")
      :format(folder, folder), "w"))
  end)

  teardown(function()
    keeper:close()
    server.stop()
    shell("rm -rf '" .. folder .. "'")
  end)

  before_each(function() engine = core.engine({}) end)

  after_each(function() engine:close() end)

  local function options(once) return { url = url, ca_file = folder .. "/cert.pem", timeout = 20, once = once } end

  -- n requests at once: how many connections they took, and which protocols.
  local function many(n)
    for _ = 1, n do engine:submit(options()) end
    local connections, protocols, count = {}, {}, 0
    for _, result in ipairs(finish(engine)) do
      assert.equal(200, result.status, result.failure and result.failure.message)
      local connection, protocol = result.headers:match("[Xx]%-[Ss]een: (%d+) (%S+)")
      if not connections[connection] then count = count + 1 end
      connections[connection], protocols[protocol] = true, (protocols[protocol] or 0) + 1
    end
    return count, protocols
  end

  it("answers at all", function() -- nginx may need a moment
    local deadline = core.now() + 10
    while fetch(engine, options()).status ~= 200 do
      assert.truthy(core.now() < deadline)
      engine:wait(0.05)
    end
  end)

  if not core.curl.http2 then return end

  it("carries many requests on one connection", function()
    local connections, protocols = many(100)
    assert.equal(1, connections)
    assert.same({ ["HTTP/2.0"] = 100 }, protocols)
  end)

  it("carries a run start, where libcurl can be kept from sending it again", function()
    local protocol = fetch(engine, options(true)).headers:match("^(%S+)")
    assert.equal(core.curl.guards and "HTTP/2" or "HTTP/1.1", protocol)
  end)

  it("carries each run start on a connection of its own", function()
    local connections = {}
    for _ = 1, 10 do engine:submit(options(true)) end
    for _, result in ipairs(finish(engine)) do
      local connection = result.headers:match("[Xx]%-[Ss]een: (%d+)")
      assert.is_nil(connections[connection])
      connections[connection] = true
    end
  end)

  -- In one multi handle, libcurl takes HTTP/1.1 of a start without a guard for what this host can do:
  -- the requests after it spread over connections and lined up for them, 500 times slower in the end.
  it("is still there after run starts", function()
    many(10)
    for _ = 1, 3 do engine:submit(options(true)) end
    finish(engine)
    local connections, protocols = many(100)
    assert.equal(1, connections)
    assert.same({ ["HTTP/2.0"] = 100 }, protocols)
  end)

  it("loses only the stream that was cancelled", function()
    local id = engine:submit(options())
    engine:cancel(id)
    assert.equal("cancelled", finish(engine)[1].failure.kind)
    assert.equal(1, (many(10)))
  end)
end)
