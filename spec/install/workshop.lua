-- A workshop for installations: a home of its own, where nothing is found but what is on PATH and what was
-- put there. No LuaRocks server is asked: a folder stands for one, in which Debian's lua-cjson lies as a rock.
local M = {}

local W = {}
W.__index = W

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local ROOT = capture("pwd -P"):gsub("%s+$", "")

---A new workshop; `box` is the sandbox that its programs talk to.
function M.new(box)
  local home = capture("mktemp -d"):gsub("%s+$", "")
  return setmetatable({ home = home, box = box, done = {} }, W)
end

function W:close()
  capture("rm -rf '" .. self.home .. "'")
end

function W:write(name, text)
  write(self.home .. "/" .. name, text)
end

---Runs a shell script here; raises, with all that it printed, unless it ends well.
---@return string  what it printed
function W:sh(script)
  local text = capture(([[cd '%s' && env -i PATH="$PATH:/usr/sbin" HOME="$PWD" TERM=dumb LC_ALL=C.UTF-8 CORECLAW_API_KEY='%s' \
    CORECLAW_BASE_URL='%s' sh -ec '%s' 2>&1 </dev/null; echo "status $?"]]):format(self.home, self.box.key, self.box.url,
    script:gsub("'", "'\\''")))
  local output = text:match "^(.*)status 0\n$"
  return output or error(script .. "\n" .. text, 2)
end

-- Does something once, whichever spec asks for it first.
function W:once(name, fn)
  if self.done[name] == nil then self.done[name] = fn(self) or true end
  return self.done[name]
end

---A clean copy of the tree as it is now, with one commit; `name` is its folder.
function W:clone(name)
  return self:once("clone " .. name, function()
    self:sh(([[mkdir %s; cd '%s'; tar -c --exclude=./build --exclude=./.git --exclude=*.so . | tar -x -C "$HOME/%s"
      cd "$HOME/%s"; git init -q; git add -A
      GIT_AUTHOR_DATE=@1700000000 GIT_COMMITTER_DATE=@1700000000 git -c user.name=a -c user.email=a@b commit -qm a]])
      :format(name, ROOT, name, name))
    return name
  end)
end

-- What stands for luarocks.org: lua-cjson as a rock, made of the C module that Debian has built.
local CJSON = [[package = "lua-cjson"
version = "2.1.0-1"
source = { url = "file://cjson.so" }
build = { type = "none", install = { lib = { cjson = "cjson.so" } } }
]]

---The folder that stands for a LuaRocks server, for one version of Lua.
function W:server(version)
  return self:once("server " .. version, function()
    local folder = self.home .. "/server-" .. version
    self:sh(([[mkdir -p cjson-%s %s; cp -L $(ls /usr/lib/*/lua/%s/cjson.so | head -n 1) cjson-%s/]])
      :format(version, folder, version, version))
    self:write(("cjson-%s/lua-cjson-2.1.0-1.rockspec"):format(version), CJSON)
    self:sh(("cd cjson-%s; luarocks --lua-version %s make --pack-binary-rock; mv *.rock %s")
      :format(version, version, folder))
    self:publish(version)
    return folder
  end)
end

---Puts rocks into that folder.
function W:publish(version, rocks)
  local folder = self.home .. "/server-" .. version
  self:sh(("%s luarocks-admin --lua-version %s make-manifest %s")
    :format(rocks and ("cp %s %s;"):format(rocks, folder) or "", version, folder))
end

---luarocks, which sees this one server only.
function W:luarocks(version, tree, words, folder)
  return self:sh(("cd %s; luarocks --lua-version %s --tree '%s/%s' --only-server %s %s")
    :format(folder or ".", version, self.home, tree, self:server(version), words))
end

---Where a Lua finds modules in a prefix, and nowhere else.
function W:paths(tree, version)
  local prefix = self.home .. "/" .. tree
  return ("%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua"):format(prefix, version, prefix, version),
    ("%s/lib/lua/%s/?.so"):format(prefix, version)
end

---Runs a Lua file of this home with what is in a prefix.
function W:lua(name, tree, version, file)
  local path, cpath = self:paths(tree, version)
  return self:sh(("LUA_PATH='%s' LUA_CPATH='%s' %s %s"):format(path, cpath, name, file))
end

---Runs a Lua file in Neovim and returns what it writes; `words`: further arguments.
function W:nvim(words, file)
  self:sh(("rm -f nvim.out; timeout -s KILL 120 nvim --headless -i NONE %s -c 'luafile %s'"):format(words, file))
  return self:sh("cat nvim.out")
end

return M
