-- Starting an nginx of our own.
local shell = require "spec.bench.shell"

local M = {}

local function modules()
  local folder = shell.read "nginx -V 2>&1 | tr ' ' '\\n' | sed -n \"s/^'*--modules-path=//p\""
  return ('load_module "%s/ndk_http_module.so";\nload_module "%s/ngx_http_lua_module.so";\n'):format(folder, folder)
end

---Ports that are free: all of them are open at once, so that no two are the same.
function M.free_ports(n)
  local script = "import socket; s = [socket.socket() for _ in range(%d)]; [x.bind((\"127.0.0.1\", 0)) for x in s]; "
    .. "print(*[x.getsockname()[1] for x in s])"
  local ports = {}
  for port in shell.read("python3 -c '" .. script:format(n) .. "'"):gmatch "%d+" do ports[#ports + 1] = port end
  return ports
end

---A text in which %(name)s stands for a value.
function M.fill(template, values)
  return (template:gsub("%%%((%w+)%)s", function(name) return tostring(values[name]) end))
end

---The line that lets a worker read what root has made.
function M.user()
  return shell.read "id -u" == "0" and "user root;" or ""
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

---Starts one in a folder, pinned to a core, and waits until `url` is answered. It ends when the file that is
---returned is closed. `env`: name=value.
function M.launch(folder, configuration, core, url, env)
  write(folder .. "/nginx.conf", modules() .. configuration)
  local keeper = shell.keep(("env %s %s nginx -p %s -c %s/nginx.conf 2>%s/stderr.log"):format(env or "",
    shell.pinned(core), folder, folder, folder))
  shell.await(function() return shell.read("curl -s " .. url) ~= "" end,
    "nginx did not start: see " .. folder .. "/error.log and stderr.log")
  return keeper
end

return M
