-- A real nginx with our modules, for specs: it dies with the spec that started it.
local process = require "spec.hosts.process"

local M = {}

local CONFIG = [[
daemon off; pid %(folder)s/pid; error_log %(folder)s/error.log %(level)s;
worker_processes %(workers)s; %(user)s
env BOX_URL; env BOX_KEY; env BOX_SECRET; env BOX_FILE; env BOX_TLS; env BOX_CA; env TMPDIR;
%(main)s
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  lua_package_path "%(path)s;;";
  lua_package_cpath "%(cpath)s;;";
  %(http)s
  server {
    listen 127.0.0.1:%(port)s;
    %(server)s
  }
}
]]

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

M.shell = shell

-- What does not change while we run.
local known = {}
local function once(command)
  known[command] = known[command] or shell(command)
  return known[command]
end

local Server = {}
Server.__index = Server

local function modules()
  local folder = once "PATH=$PATH:/usr/sbin nginx -V 2>&1 | tr ' ' '\\n' | sed -n \"s/^'*--modules-path=//p\""
  local lines = {}
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    lines[#lines + 1] = ('load_module "%s/%s.so";'):format(folder, name)
  end
  return table.concat(lines, "\n") .. "\n"
end

---The lines that load the Lua module, for a configuration of one's own.
M.modules = modules

---A port that nobody listens on.
function M.free_port()
  return tonumber(shell("env -u LD_PRELOAD python3 -c " ..
    "'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'"))
end

local function fill(template, values)
  return (template:gsub("%%%((%w+)%)s", function(name) return tostring(values[name]) end))
end

local function wait_for_port(self)
  for _ = 1, 200 do
    if tonumber(self:get "/ready") then return end
    os.execute "sleep 0.02"
  end
  error("nginx did not start: " .. self:log())
end

local function environment(self, options)
  local box = options.box
  local env = box and ("BOX_URL=%s BOX_KEY=%s BOX_SECRET=%s BOX_FILE=%s BOX_TLS=%s BOX_CA=%s"):format(box.url, box.key,
    box.secret, self.folder .. "/out", box.tls_url or "", box.ca_file or "") or ""
  return env .. " " .. (options.env or "")
end

-- Where our modules lie in the tree.
local function tree_paths()
  local root = once "pwd"
  return root .. "/lua/?.lua;" .. root .. "/lua/?/init.lua;" .. root .. "/?.lua",
    root .. "/" .. (os.getenv "BUILD" or "build") .. "/luajit/?.so"
end

---Starts nginx. `options`: http, server (configuration), workers, main, level, box (a sandbox), env; path and cpath
---of modules that lie elsewhere than in the tree.
function M.start(options)
  local self = setmetatable({ folder = shell "mktemp -d" }, Server)
  self.port = M.free_port()
  local file = assert(io.open(self.folder .. "/nginx.conf", "w"))
  local path, cpath = tree_paths()
  file:write(modules(), fill(CONFIG, {
    folder = self.folder, port = self.port, path = options.path or path, cpath = options.cpath or cpath,
    workers = options.workers or 1, level = options.level or "error", main = options.main or "",
    user = once "id -u" == "0" and "user root;" or "", http = options.http or "",
    server = "location = /ready { content_by_lua_block { ngx.print(ngx.worker.pid()) } }\n" .. options.server,
  }))
  file:close()
  -- nginx ends when nobody holds the other end of the pipe any more
  self.keeper = assert(io.popen(("exec 2>%s/error.log; unset LD_PRELOAD; PATH=$PATH:/usr/sbin; env %s " ..
    "nginx -p %s -c %s/nginx.conf </dev/null & pid=$!; cat >/dev/null; kill $pid; wait $pid")
    :format(self.folder, environment(self, options), self.folder, self.folder), "w"))
  wait_for_port(self)
  return self
end

---The body of an answer.
function Server:get(path, seconds)
  return shell(("curl -s --max-time %d 'http://127.0.0.1:%d%s'"):format(seconds or 30, self.port, path))
end

---The error log.
function Server:log()
  local file = io.open(self.folder .. "/error.log")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  return text
end

function Server:pid()
  return tonumber(shell("cat " .. self.folder .. "/pid"))
end

---HUP, QUIT … to the master.
function Server:signal(name)
  shell(("kill -%s %d"):format(name, self:pid()))
end

---The workers that are there now.
function Server:workers()
  local list = {}
  for pid in shell("pgrep -P " .. self:pid()):gmatch "%d+" do list[#list + 1] = tonumber(pid) end
  return list
end

---How many threads ("task") or descriptors ("fd") a process has.
function M.entries(pid, what)
  return tonumber(shell(("ls /proc/%d/%s | wc -l"):format(pid, what)))
end

---Is this process still there?
function M.alive(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text:match "%) (%a)" ~= nil and text:match "%) (%a)" ~= "Z"
end

function Server:stop()
  if self.keeper then self.keeper:close() end
  self.keeper = nil
  shell("rm -rf '" .. self.folder .. "'")
end

M.process = process

return M
