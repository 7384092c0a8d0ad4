-- The server that everybody is measured against: an nginx of its own on loopback, pinned to one core.
local nginx = require "spec.bench.nginx"
local shell = require "spec.bench.shell"

local M = {}

local CONFIG = [[
daemon off; pid %(folder)s/pid; error_log %(folder)s/error.log error; worker_processes 1; %(user)s
worker_rlimit_nofile 20000;
events { worker_connections 8192; multi_accept on; }
http {
  access_log off; keepalive_timeout 3600; keepalive_requests 1000000000; tcp_nodelay on; sendfile on;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  lua_package_path "%(root)s/?.lua;;"; lua_shared_dict counts 1m;
  init_by_lua_block { require("spec.bench.site").open() }
  ssl_certificate %(folder)s/server.pem; ssl_certificate_key %(folder)s/server.key;
  http2_max_concurrent_streams 128; http2_max_requests 1000000000;
  default_type application/json;

  server { listen 127.0.0.1:%(plain)s backlog=4096; %(locations)s }
  server { listen 127.0.0.1:%(tls)s ssl http2 backlog=4096; %(locations)s }
  # Every request opens a connection, and every handshake is a whole one.
  server { listen 127.0.0.1:%(fresh)s ssl backlog=4096; keepalive_timeout 0; ssl_session_tickets off;
    ssl_session_cache off; %(locations)s }
}
]]

local TINY = [['{"code":0,"message":"success","data":{"balance":"12.50","plan":"pro"},"request_id":"req-1"}']]
local DETAIL = '{"code":0,"message":"success","data":{"slug":"detail","scraper_slug":"01KTB7X0QM5R9D3V8HNWJ2CZ6K",'
  .. '"scraper_title":"Maps Places","version":"v1.4.2","status":"running","results":38,"usage":"0.0134",'
  .. '"traffic":18277,"origin":"api_v2","started_at":1786201200,"finished_at":0,"duration":19,"err_msg":""},'
  .. '"request_id":"req-5f1c0a7e"}'

-- What the answer costs the server is as little as can be: texts that stand in the configuration, or in memory.
local LOCATIONS = ([[
    location = /tiny { return 200 TINY; }
    location = /post { return 200 TINY; }
    location = /api/v2/worker-runs/detail { return 200 'DETAIL'; }
    location = /v2/actor-runs/detail { return 200 'DETAIL'; }
    location = /slow { content_by_lua_block { require("spec.bench.site").slow(TINY) } }
    location ~ ^/api/v2/worker-runs/(?<run>rows-[^/]+)$ { content_by_lua_block { require("spec.bench.site").run() } }
    location ~ ^/api/v2/worker-runs/(?<run>rows-[^/]+)/result$ {
      content_by_lua_block { require("spec.bench.site").page() } }
    location ~ ^/v2/datasets/(?<run>rows-[^/]+)/items$ { content_by_lua_block { require("spec.bench.site").items() } }
    location = /api/v2/worker-runs/file/result/export { content_by_lua_block { require("spec.bench.site").link() } }
    location = /big.csv { root %(folder)s; default_type text/csv; }
    location = /api/v2/worker-runs { content_by_lua_block { require("spec.bench.polled").list() } }
    location ~ ^/api/v2/worker-runs/(?<run>polled-[0-9]+)$ {
      content_by_lua_block { require("spec.bench.polled").detail() } }
    location ~ ^/api/v2/workers/[^/]+/runs$ { content_by_lua_block { require("spec.bench.polled").start() } }
    location = /polled { content_by_lua_block { require("spec.bench.polled").begin() } }
    location = /counts { content_by_lua_block { require("spec.bench.site").counts() } }
]]):gsub("TINY", TINY):gsub("DETAIL", DETAIL)

-- A CA and a certificate for 127.0.0.1; and a bundle as long as the system's, with that CA in it.
local function make_certificates(folder)
  shell.run(([[cd %s && {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj "/CN=bench CA" &&
    openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=127.0.0.1" &&
    echo "subjectAltName=IP:127.0.0.1" >ext && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key \
      -CAcreateserial -out server.pem -days 30 -extfile ext; } >openssl.log 2>&1 &&
    cat /etc/ssl/certs/ca-certificates.crt ca.pem >bundle.pem]]):format(folder))
end

---Starts the server. `options`: core (to pin it to), megabytes (of the big file).
function M.start(options)
  local folder = shell.read "mktemp -d"
  make_certificates(folder)
  shell.run(("truncate -s %dM %s/big.csv && chmod 755 %s"):format(options.megabytes, folder, folder))
  local ports = nginx.free_ports(3)
  local values = {
    folder = folder, root = shell.root(), plain = ports[1], tls = ports[2], fresh = ports[3],
    user = nginx.user(), locations = nginx.fill(LOCATIONS, { folder = folder }),
  }
  local self = {
    folder = folder, core = options.core, url = "http://127.0.0.1:" .. ports[1], tls = "https://127.0.0.1:" .. ports[2],
    fresh = "https://127.0.0.1:" .. ports[3], ca = folder .. "/bundle.pem",
  }
  self.keeper = nginx.launch(folder, nginx.fill(CONFIG, values), options.core, self.url .. "/tiny")
  return self
end

---Ends it and removes what it left.
function M.stop(self)
  self.keeper:close()
  shell.run("rm -rf '" .. self.folder .. "'")
end

return M
