-- Who is measured: how each is started, and what it needs to be there.
local shell = require "spec.bench.shell"

local M = {}

local function lua(name)
  return ("LUA_CPATH='./build/%s/?.so;;' %s "):format(name, name)
end

local ours54, oursjit = lua "lua5.4" .. "spec/bench/clients/coreclaw.lua", lua "luajit" .. "spec/bench/clients/coreclaw.lua"

local WRK = lua "lua5.4" .. "spec/bench/clients/wrk.lua"
local PYTHON = "/usr/bin/python3" -- Debian's, for Debian's modules

local LIST = {
  raw = { title = "libcurl in C", command = "build/bench/raw" },
  raw54 = { title = "libcurl in C + lua-cjson, Lua 5.4", command = "build/bench/raw-lua5.4" },
  rawjit = { title = "libcurl in C + lua-cjson, LuaJIT", command = "build/bench/raw-luajit" },
  ours54 = { title = "coreclaw, Lua 5.4", command = ours54 },
  oursjit = { title = "coreclaw, LuaJIT", command = oursjit },
  luacurl = { title = "lua-curl, LuaJIT", program = "luajit", file = "luacurl.lua", modules = "curl socket cjson" },
  luasocket = { title = "luasocket, Lua 5.4", program = "lua5.4", file = "luasocket.lua", modules = "socket.http cjson" },
  luasocketjit = { title = "luasocket, LuaJIT", program = "luajit", file = "luasocket.lua", modules = "socket.http cjson" },
  luahttp = { title = "lua-http, LuaJIT", program = "luajit", file = "luahttp.lua", modules = "http.request cjson" },
  curl = { title = "curl's tool", command = "build/bench/command", needs = "curl" },
  start = { title = "libcurl in C", command = "build/bench/command" },
  start54 = { title = "coreclaw, Lua 5.4", command = "build/bench/command" },
  startjit = { title = "coreclaw, LuaJIT", command = "build/bench/command" },
  startcurl = { title = "curl's tool", command = "build/bench/command", needs = "curl" },
  startpython = { title = "python3-requests", command = "build/bench/command", needs = PYTHON, python = "requests" },
  startnode = { title = "node's fetch", command = "build/bench/command", needs = "node" },
  synced54 = { title = "coreclaw, Lua 5.4, and on the disk at the end (its default)", command = ours54 },
  tls = { title = "libcurl in C, CAINFO, no CAPATH", command = "build/bench/raw" },
  tlsdefault = { title = "libcurl in C, as Debian sets it", command = "build/bench/raw" },
  tlsnone = { title = "libcurl in C, not verified", command = "build/bench/raw" },
  tls54 = { title = "coreclaw, Lua 5.4", command = ours54 },
  tlsnone54 = { title = "coreclaw, Lua 5.4, not verified", command = ours54 },
  tlsjit = { title = "coreclaw, LuaJIT", command = oursjit },
  tlsnonejit = { title = "coreclaw, LuaJIT, not verified", command = oursjit },
  cosocket = { title = "cosockets, by hand", command = WRK, needs = "wrk" },
  inside = { title = "coreclaw in nginx", command = WRK, needs = "wrk" },
  each54 = { title = "each polled by itself", command = ours54 },
  wait54 = { title = "coreclaw, Lua 5.4, run:wait() in 200 tasks", command = ours54 },
  waitjit = { title = "coreclaw, LuaJIT, run:wait() in 200 tasks", command = oursjit },
  map54 = { title = "coreclaw, Lua 5.4, client:map", command = ours54 },
  mapjit = { title = "coreclaw, LuaJIT, client:map", command = oursjit },
  fetch = { title = "node's fetch", command = "node spec/bench/clients/client.mjs fetch", node = true },
  undici = { title = "undici", command = "node spec/bench/clients/client.mjs undici", node = "undici" },
  apify = { title = "apify-client", command = "node spec/bench/clients/client.mjs apify", node = "apify-client" },
  requests = { title = "python3-requests", command = PYTHON .. " spec/bench/clients/client.py requests", needs = PYTHON,
    python = "requests" },
  urllib3 = { title = "python3-urllib3", command = PYTHON .. " spec/bench/clients/client.py urllib3", needs = PYTHON,
    python = "urllib3" },
}

for _, subject in pairs(LIST) do
  if subject.program then
    subject.needs = subject.program
    subject.command = lua(subject.program) .. "spec/bench/clients/" .. subject.file
  elseif subject.node then
    subject.needs = "node"
  end
end

local function lacks_module(subject)
  for name in (subject.modules or ""):gmatch "%S+" do
    local said = shell.read(("%s -e 'require \"%s\"' 2>&1 && echo fine"):format(subject.program, name))
    if said ~= "fine" then return "no Lua module " .. name end
  end
end

-- Why it cannot be had; nil if it can.
local function absence(subject)
  if subject.needs and not shell.has(subject.needs) then return "no program " .. subject.needs end
  if type(subject.node) == "string"
    and shell.read("ls build/bench/node/node_modules/" .. subject.node .. "/package.json 2>/dev/null") == "" then
    return "no npm package " .. subject.node
  end
  if subject.python and shell.read(PYTHON .. " -c 'import " .. subject.python .. "' 2>&1 && echo fine") ~= "fine" then
    return "no Python module " .. subject.python
  end
  return lacks_module(subject)
end

---The subject of this name; `absent` is why it cannot be had.
function M.get(name)
  local subject = assert(LIST[name], name)
  if subject.checked == nil then
    subject.absent, subject.checked = absence(subject), true
  end
  return subject
end

return M
