--- Parent side: brings one nginx up and down. Needs nothing but a shell.

local config = require("coreclaw.sandbox.config")
local encode = require("coreclaw.sandbox.encode")
local ports = require("coreclaw.sandbox.ports")

local M = {}

local INSTALL = "on Debian and Ubuntu: apt-get install nginx libnginx-mod-http-lua lua-cjson"

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function shell(script)
  local pipe = assert(io.popen(script, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- Finds nginx and its Lua module, which distributions put into different places, and makes the folder.
local PROBE = [[
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/openresty/nginx/sbin
nginx=$(command -v "${CORECLAW_NGINX:-nginx}") || exit 0
echo "nginx=$nginx"
echo "cwd=$(pwd -P)"
echo "parent=$PPID"
about=$("$nginx" -V 2>&1)
place=${about##*--modules-path=} # all of it where there is no such word, which is no folder then
for place in "${place%%[ \']*}" /usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules; do
  if [ -e "$place/ngx_http_lua_module.so" ]; then
    [ -e "$place/ndk_http_module.so" ] && echo "module=$place/ndk_http_module.so"
    echo "module=$place/ngx_http_lua_module.so"
    break
  fi
done
case "$about" in *lua-nginx-module*|*ngx_lua*) echo "static=1";; esac
dir=$(mktemp -d "${TMPDIR:-/tmp}/coreclaw-sandbox.XXXXXX" 2>/dev/null) && mkfifo -m 600 "$dir/ready" && echo "dir=$dir"
]]

local function probe()
  local found = { modules = {} }
  for name, value in shell(PROBE):gmatch("(%w+)=([^\n]*)\n") do
    if name == "module" then
      found.modules[#found.modules + 1] = value
    else
      found[name] = value
    end
  end
  if not found.nginx then
    return nil, "nginx is not installed; " .. INSTALL
  elseif not found.dir then
    return nil, "no folder could be made in $TMPDIR or /tmp"
  elseif #found.modules == 0 and not found.static then
    shell("rm -rf " .. quote(found.dir))
    return nil, "nginx has no Lua module; " .. INSTALL
  end
  return found
end

local function absolute(path, cwd)
  if path:sub(1, 1) == "/" then
    return path
  end
  return cwd .. "/" .. path:gsub("^%./", "")
end

-- The folder that holds coreclaw/, told by the place of this very file.
local function root(cwd)
  local source = debug.getinfo(1, "S").source:gsub("^@", "")
  return absolute(source, cwd):match("^(.*)/coreclaw/sandbox/launcher%.lua$")
end

local function absolute_list(list, cwd)
  local out = {}
  for entry in list:gmatch("[^;]+") do
    out[#out + 1] = absolute(entry, cwd)
  end
  return table.concat(out, ";")
end

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

-- The C half must be one that LuaJIT can load: that of the tree, or of the option, or the one that LuaRocks installed
-- for 5.1 beside these files, or that of a parent that is LuaJIT itself. Others are on LuaJIT's default path.
local function c_path(home, cwd, option)
  if option then
    return absolute_list(option, cwd)
  end
  local built = home:gsub("/lua$", "") .. "/build/luajit/"
  if exists(built .. "coreclaw/core.so") then
    return built .. "?.so"
  end
  local prefix = home:match("^(.*)/share/lua/5%.%d$")
  if prefix and exists(prefix .. "/lib/lua/5.1/coreclaw/core.so") then
    return prefix .. "/lib/lua/5.1/?.so"
  end
  return rawget(_G, "jit") and absolute_list(package.cpath, cwd) or ""
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function worker_files(folder, cwd)
  if not folder then
    return encode.list({})
  end
  local out = {}
  for name in shell("ls " .. quote(folder) .. " 2>/dev/null"):gmatch("[^\n]+%.lua\n?") do
    out[#out + 1] = absolute(folder, cwd):gsub("/$", "") .. "/" .. name:gsub("\n", "")
  end
  return encode.list(out)
end

-- A certificate that is its own authority, good for the loopback addresses.
local CERTIFICATE = [[cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
  -subj "/CN=coreclaw sandbox" -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -keyout tls.key -out ca.pem 2>&1]]

local function make_certificate(found)
  local text = shell(CERTIFICATE:format(quote(found.dir)))
  if exists(found.dir .. "/ca.pem") then
    return true
  end
  return nil, "no certificate could be made; apt-get install openssl: " .. text
end

local function write_files(found, settings, chosen)
  local home = root(found.cwd)
  write(found.dir .. "/nginx.conf", config.text({
    dir = found.dir,
    port = chosen.port,
    files_port = chosen.files_port,
    tls_port = settings.tls and chosen.tls_port,
    modules = found.modules,
    lua_path = home .. "/?.lua;" .. home .. "/?/init.lua;" .. absolute_list(package.path, found.cwd),
    lua_cpath = c_path(home, found.cwd, settings.cpath),
  }))
  if settings.data_dir then
    settings.data_dir = absolute(settings.data_dir, found.cwd)
    shell("mkdir -p -m 700 " .. quote(settings.data_dir))
  end
  settings.parent = tonumber(found.parent)
  settings.url = "http://127.0.0.1:" .. chosen.port
  settings.files_url = "http://127.0.0.1:" .. chosen.files_port
  settings.tls_url = settings.tls and "https://127.0.0.1:" .. chosen.tls_port or nil
  settings.worker_files = worker_files(settings.workers, found.cwd)
  write(found.dir .. "/settings.json", encode.encode(settings))
end

-- The shell outlives nginx by the moment it takes to clean up. Where nginx ended by itself, it stays to read the
-- parent's "stop", for a write into a pipe without a reader would kill the parent. The loop beside it is for an nginx
-- that a Worker keeps from looking after its parent itself. The parent's Lua paths are for the parent's Lua.
local KEEPER = [[exec 2>/dev/null
unset LUA_PATH LUA_CPATH LUA_INIT
trap : INT TERM HUP
dir=%s
exec 3<&0
%s -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" <&3 >/dev/null 2>&1 &
nginx=$!
( exec 3<&- </dev/null >/dev/null 2>&1
  while kill -0 %d && [ -d "$dir" ]; do sleep 1; done; sleep 1; [ -d "$dir" ] && kill -9 $nginx ) &
while kill -0 $nginx 2>/dev/null; do wait $nginx; done
for file in "$dir"/process/*/pid; do [ -e "$file" ] && kill "$(cat "$file")" 2>/dev/null; done
[ -e "$dir/stopped" ] && stopped=1
[ "$stopped" ] ||
  printf 'failed %%s\n' "$(grep -v -m 1 '\[warn\]\|\[notice\]' "$dir/error.log")" 1<>"$dir/ready"
rm -rf "$dir"
[ "$stopped" ] || read -r line <&3]]

local function launch(found)
  -- Open for both directions: does not block, and nothing written into it is lost.
  local ready = assert(io.open(found.dir .. "/ready", "r+"))
  local pipe = assert(io.popen(KEEPER:format(quote(found.dir), quote(found.nginx), found.parent), "w"))
  pipe:setvbuf("no")
  local line = ready:read("*l") or ""
  ready:close()
  local pid, refused_port = line:match("^ready (%d+) (%d+)$")
  if pid then
    return { pipe = pipe, pid = tonumber(pid), refused_url = "http://127.0.0.1:" .. refused_port }
  end
  pipe:write("stop\n")
  pipe:close()
  return nil, (line:gsub("^failed ", ""))
end

-- Everything that has to lie in the folder before nginx starts.
local function prepare(found, settings, chosen)
  if settings.tls then
    local made, message = make_certificate(found)
    if not made then
      return nil, message
    end
  end
  return pcall(write_files, found, settings, chosen)
end

local function attempt(settings)
  local found, message = probe()
  if not found then
    return nil, message
  end
  local chosen = ports.choose(settings.port)
  if not chosen then
    shell("rm -rf " .. quote(found.dir))
    return nil, "port " .. settings.port .. " is in use"
  end
  local fine, trouble = prepare(found, settings, chosen)
  if not fine then
    shell("rm -rf " .. quote(found.dir))
    return nil, trouble
  end
  local server, why = launch(found)
  if server then
    server.dir = found.dir
  end
  return server, why
end

local TRIES = 10

--- Starts nginx with these settings (fills in url, files_url) and waits until it has bound its ports.
---@return table? server
---@return string? message
function M.start(settings)
  local message
  for _ = 1, settings.port == 0 and TRIES or 1 do
    local server
    server, message = attempt(settings)
    if server then
      return server
    elseif not message:find("Address already in use", 1, true) then
      break
    end
  end
  return nil, "the sandbox did not start: " .. message
end

-- The folder goes last. A server that is caught in a Worker's loop has a second and a half.
local GONE = "i=0; while [ -d %s ] && [ $i -lt 150 ]; do sleep 0.01; i=$((i+1)); done; [ -d %s ] && kill -9 %d"

--- Ends it and waits until it is gone, folder and all.
function M.stop(server)
  if server.pipe then
    server.pipe:write("stop\n")
    os.execute(GONE:format(quote(server.dir), quote(server.dir), server.pid))
    server.pipe:close()
    server.pipe = nil
  end
end

return M
