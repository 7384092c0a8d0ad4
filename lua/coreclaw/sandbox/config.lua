--- The nginx configuration of one sandbox, as text.

local M = {}

local TEMPLATE = [[
daemon off;
master_process off;
worker_processes 1;
pid "$dir/nginx.pid";
error_log "$dir/error.log" warn;
$modules
events { worker_connections $connections; multi_accept on; }
http {
  access_log off;
  default_type application/octet-stream;
  server_tokens off;
  keepalive_requests 1000000;
  keepalive_timeout 75s;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_temp_path "$dir/body";
  proxy_temp_path "$dir/proxy";
  fastcgi_temp_path "$dir/fastcgi";
  uwsgi_temp_path "$dir/uwsgi";
  scgi_temp_path "$dir/scgi";
  large_client_header_buffers 8 64k;
  lua_package_path "$lua_path;;";
  lua_package_cpath "$lua_cpath;;";
  lua_max_running_timers $connections;
  lua_max_pending_timers $connections;
  lua_socket_log_errors off;
  init_worker_by_lua_block {
    local ok, message = pcall(function() require("coreclaw.sandbox.server").start("$dir") end)
    if not ok then
      ngx.log(ngx.ERR, message)
      os.exit(1)
    end
  }

  server {
    listen 127.0.0.1:$port backlog=1024;
    $tls
    location / { content_by_lua_block { require("coreclaw.sandbox.server").api() } }
    location /site/ { content_by_lua_block { require("coreclaw.sandbox.handlers.site").serve() } }
    location /hook/ { content_by_lua_block { require("coreclaw.sandbox.handlers.hook").serve() } }
    location /_sandbox/ { content_by_lua_block { require("coreclaw.sandbox.handlers.control").serve() } }
    location @reset { reset_timedout_connection on; return 444; }
  }
  server {
    listen 127.0.0.1:$files_port backlog=1024;
    location / { content_by_lua_block { require("coreclaw.sandbox.handlers.files").serve() } }
    location /_file/ { internal; etag off; alias "$dir/exports/"; }
    location @reset { reset_timedout_connection on; return 444; }
  }
}
]]

local CONNECTIONS = 8192

-- HTTP/2 where the client asks for it by ALPN.
local TLS = [[listen 127.0.0.1:$port ssl http2 backlog=1024;
    ssl_certificate "$dir/ca.pem";
    ssl_certificate_key "$dir/tls.key";]]

local function module_lines(modules)
  local out = {}
  for i, path in ipairs(modules) do
    out[i] = 'load_module "' .. path .. '";'
  end
  return table.concat(out, "\n")
end

---@param values table dir, port, files_port, tls_port?, lua_path, lua_cpath, modules (paths of nginx modules)
function M.text(values)
  local fill = {
    dir = values.dir,
    port = values.port,
    files_port = values.files_port,
    lua_path = values.lua_path,
    lua_cpath = values.lua_cpath,
    modules = module_lines(values.modules),
    connections = CONNECTIONS,
    tls = values.tls_port and TLS:gsub("%$(%w+)", { dir = values.dir, port = tostring(values.tls_port) }) or "",
  }
  return (TEMPLATE:gsub("%$([%a_]+)", function(name)
    return fill[name] ~= nil and tostring(fill[name]) or nil
  end))
end

return M
