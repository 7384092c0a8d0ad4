-- The nginx of the rows about nginx: it answers each request with what it has got from the server.
local nginx = require "spec.bench.nginx"
local shell = require "spec.bench.shell"

local M = {}

local CONFIG = [[
daemon off; pid %(folder)s/pid; error_log %(folder)s/error.log error; worker_processes 1; %(user)s
worker_rlimit_nofile 20000; env BENCH_URL;
events { worker_connections 8192; multi_accept on; }
http {
  access_log off; keepalive_timeout 3600; keepalive_requests 1000000000; default_type application/json;
  lua_socket_log_errors off;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  lua_package_path "%(root)s/lua/?.lua;%(root)s/lua/?/init.lua;%(root)s/?.lua;;";
  lua_package_cpath "%(root)s/build/luajit/?.so;;";
  server {
    listen 127.0.0.1:%(port)s backlog=4096;
    location = /cosocket { content_by_lua_block { require("spec.bench.clients.cosocket").answer() } }
    location = /coreclaw { content_by_lua_block { require("spec.bench.clients.inside").answer() } }
    location = /cpu { content_by_lua_block { require("spec.bench.clients.inside").cpu() } }
    location = /ready { return 200 ready; }
  }
}
]]

---Starts it in front of a server.
function M.start(server, core)
  local folder = shell.read "mktemp -d"
  local port = nginx.free_ports(1)[1]
  local url = "http://127.0.0.1:" .. port
  local text = nginx.fill(CONFIG, { folder = folder, port = port, root = shell.root(), user = nginx.user() })
  return {
    folder = folder, url = url,
    keeper = nginx.launch(folder, text, core, url .. "/ready", "BENCH_URL=" .. server.url),
  }
end

---Ends it and removes what it left.
function M.stop(self)
  self.keeper:close()
  shell.run("rm -rf '" .. self.folder .. "'")
end

return M
