-- What strangers type, each from nothing: a clean copy of the tree or its tarball, an empty prefix, `require`,
-- one call. Compiles the C core five times, some 40 seconds of a processor; which Lua runs the specs does not matter.

local coreclaw = require "coreclaw"
local nginx = require "spec.hosts.nginx"
local sandbox = require "coreclaw.sandbox"
local workshop = require "spec.install.workshop"

-- The user's first program: where its module lies, and how many rows a run has brought.
local HELLO = [[
local coreclaw = require "coreclaw"
local run = assert(coreclaw.new():worker "demo/rows":call({ count = 3 }, { poll_intervals = { 0.05 } }))
local rows = 0
for _ in run:results() do rows = rows + 1 end
return debug.getinfo(coreclaw.sleep, "S").source .. " " .. coreclaw._VERSION .. " " .. rows .. " rows"
]]

-- The same, with a sandbox of the installed package.
local SANDBOX = [[
local box = assert(require("coreclaw.sandbox").start())
local client = require("coreclaw").new { base_url = box.url, api_key = box.key, poll_intervals = { 0.05 } }
local run = assert(client:worker "demo/page-scraper":call { start_urls = { box.site_url } })
for row in run:results() do print("title: " .. row.title) break end
box:stop()
]]

local NVIM = [[
require("coreclaw").spawn(function()
  local file = io.open("nvim.out", "w")
  file:write(tostring(select(2, pcall(dofile, "hello.lua"))))
  file:close()
  vim.cmd "qa!"
end)
]]

local LUAS = { ["5.1"] = { "lua5.1", "luajit" }, ["5.3"] = { "lua5.3" }, ["5.4"] = { "lua5.4" } }
local VERSIONS = { "5.1", "5.3", "5.4" }
local RELEASE = "coreclaw-" .. coreclaw._VERSION

describe("installed from nothing", function()
  local box, shop

  setup(function()
    box = assert(sandbox.start {})
    shop = workshop.new(box)
    shop:write("hello.lua", HELLO)
    shop:write("print.lua", "print(dofile 'hello.lua')")
    shop:write("sandbox.lua", SANDBOX)
    shop:write("nvim.lua", NVIM)
  end)
  teardown(function()
    shop:close()
    box:stop()
  end)

  -- What HELLO says when it has found its module below that folder of the home.
  local function said(output, folder)
    local expected = "@" .. shop.home .. "/" .. folder
    assert.equal(expected, output:sub(1, #expected))
    assert.matches("/coreclaw/init.lua " .. coreclaw._VERSION:gsub("%.", "%%.") .. " 3 rows%s*$", output)
  end

  local function runs(tree, version)
    for _, lua in ipairs(LUAS[version]) do
      said(shop:lua(lua, tree, version, "print.lua"), tree .. "/share/lua/" .. version)
    end
  end

  -- `luarocks make` in a clean copy.
  local function made(version)
    return shop:once("made " .. version, function()
      shop:luarocks(version, "made-" .. version, "make CFLAGS='-O0 -fPIC'", shop:clone "tree")
      return "made-" .. version
    end)
  end

  -- The rock of it, as `luarocks pack` leaves it.
  local function packed(version)
    return shop:once("packed " .. version, function()
      local folder = "packed-" .. version
      made(version)
      shop:sh("mkdir " .. folder)
      shop:luarocks(version, "made-" .. version, "pack coreclaw", folder)
      return folder .. "/" .. shop:sh("ls " .. folder):match "coreclaw%S+%.rock"
    end)
  end

  -- A prefix that many Luas share, filled from rocks.
  local function installed(version)
    return shop:once("installed " .. version, function()
      shop:luarocks(version, "shared", "install '" .. shop.home .. "/" .. packed(version) .. "'")
      return "shared"
    end)
  end

  -- `make dist`, and its tarball unpacked.
  local function dist()
    return shop:once("dist", function()
      shop:sh("cd " .. shop:clone "tree" .. "; make dist")
      shop:sh("mkdir unpacked; tar -xzf tree/build/dist/" .. RELEASE .. ".tar.gz -C unpacked")
      return "unpacked/" .. RELEASE
    end)
  end

  -- A prefix without LuaRocks, from the tarball.
  local function plain()
    return shop:once("plain", function()
      shop:sh(("cd %s; make install LUAS=jit OPT=-O0 PREFIX='%s/plain'"):format(dist(), shop.home))
      return "plain"
    end)
  end

  -- What a plugin manager runs in a plugin's folder.
  local function plugin()
    return shop:once("plugin", function()
      shop:sh("cd " .. dist() .. "; make nvim OPT=-O0")
      return dist()
    end)
  end

  for _, version in ipairs(VERSIONS) do
    it("luarocks make, Lua " .. version, function() runs(made(version), version) end)

    it("luarocks pack and luarocks install of that rock, Lua " .. version, function()
      runs(installed(version), version)
    end)
  end

  it("luarocks install with Debian's lua-cjson, which the configuration tells of", function()
    local rock = packed "5.4"
    shop:sh("mkdir -p .luarocks empty; luarocks-admin --lua-version 5.4 make-manifest empty")
    shop:write(".luarocks/config-5.4.lua", 'rocks_provided = { ["lua-cjson"] = "2.1.0-1" }\n')
    shop:sh("luarocks --lua-version 5.4 --tree provided --only-server $HOME/empty install " .. rock .. "; rm -r .luarocks")
    local path, cpath = shop:paths("provided", "5.4")
    said(shop:sh(("LUA_PATH='%s' LUA_CPATH='%s;;' lua5.4 print.lua"):format(path, cpath)), "provided")
  end)

  it("its sandbox starts from the prefix, on any Lua, where 5.1 is installed too", function()
    for _, version in ipairs { "5.1", "5.4" } do installed(version) end
    for _, lua in ipairs { "lua5.4", "luajit" } do
      local version = lua == "luajit" and "5.1" or "5.4"
      assert.matches("title: %S", shop:lua(lua, "shared", version, "sandbox.lua"))
    end
  end)

  it("luarocks install coreclaw, by its name: the release, compiled as usual", function()
    dist()
    shop:server "5.4"
    shop:sh("cd tree/build/dist; luarocks --lua-version 5.4 pack " .. RELEASE .. "-1.rockspec")
    shop:publish("5.4", "tree/build/dist/" .. RELEASE .. "-1.src.rock")
    shop:luarocks("5.4", "named", "install coreclaw")
    runs("named", "5.4")
    assert.matches(coreclaw._VERSION .. "%-1", shop:luarocks("5.4", "named", "list --porcelain coreclaw"))
  end)

  it("a tarball is the same, byte for byte, wherever it is made", function()
    dist()
    shop:sh("cd " .. shop:clone "elsewhere" .. "; umask 077; TZ=Asia/Tokyo make dist URL=https://example.com/a.tar.gz")
    shop:sh(("cmp tree/build/dist/%s.tar.gz elsewhere/build/dist/%s.tar.gz"):format(RELEASE, RELEASE))
    assert.matches('url = "https://example.com/a.tar.gz"', shop:sh("cat elsewhere/build/dist/*.rockspec"), 1, true)
    assert.equal("", shop:sh("diff -r --exclude=.git --exclude=build --exclude=core.so elsewhere unpacked/" .. RELEASE))
  end)

  it("make install, from the tarball", function()
    local path, cpath = shop:paths(plain(), "5.1")
    said(shop:sh(("LUA_PATH='%s' LUA_CPATH='%s;;' luajit print.lua"):format(path, cpath)), "plain")
  end)

  it("make install for another Lua, from the tarball", function()
    shop:sh(("cd %s; make install LUAS=5.4 OPT=-O0 PREFIX=$HOME/plain54"):format(dist()))
    local path, cpath = shop:paths("plain54", "5.4")
    said(shop:sh(("LUA_PATH='%s' LUA_CPATH='%s;;' lua5.4 print.lua"):format(path, cpath)), "plain54")
  end)

  it("the program coreclaw, either way", function()
    for _, prefix in ipairs { made "5.4", plain() } do
      assert.matches('"balance"', shop:sh(prefix .. "/bin/coreclaw account --json"))
    end
  end)

  describe("in nginx, with the package paths and nothing else:", function()
    -- The directive that README has, for a prefix of ours.
    local function of_readme(directive, tree)
      local file = assert(io.open "README.md")
      local value = assert(file:read("*a"):match("\n" .. directive .. ' "([^"\n]*);;";'))
      file:close()
      return (value:gsub("/opt/coreclaw/", shop.home .. "/" .. tree .. "/"))
    end

    local function answers(tree)
      local server = nginx.start {
        path = of_readme("lua_package_path", tree), cpath = of_readme("lua_package_cpath", tree),
        env = ("CORECLAW_BASE_URL=%s CORECLAW_API_KEY=%s"):format(box.url, box.key),
        main = "env CORECLAW_BASE_URL; env CORECLAW_API_KEY;",
        server = ("location = /hello { content_by_lua_block { ngx.print(assert(loadfile '%s/hello.lua')()) } }"):format(shop.home),
      }
      local ok, why = pcall(function()
        said(server:get "/hello", tree)
        assert.equal("", server:log())
      end)
      server:stop()
      assert.is_true(ok, why)
    end

    it("a prefix of LuaRocks", function() answers(installed "5.1") end)

    it("a prefix of make install", function() answers(plain()) end)
  end)

  describe("in Neovim:", function()
    it("luarocks", function()
      local path, cpath = shop:paths(installed "5.1", "5.1")
      shop:write("init.lua", ("package.path = %q .. package.path; package.cpath = %q .. package.cpath"):format(
        path .. ";", cpath .. ";"))
      said(shop:nvim("-u init.lua", "nvim.lua"), "shared")
    end)

    it("lazy.nvim: build = 'make nvim', and the folder on the runtimepath", function()
      shop:write("init.lua", ("vim.opt.rtp:prepend(os.getenv 'HOME' .. '/%s')"):format(plugin()))
      said(shop:nvim("-u init.lua", "nvim.lua"), plugin() .. "/lua")
    end)

    it("lazy.nvim without a build: the rock, as it installs one", function()
      shop:server "5.1"
      shop:publish("5.1", packed "5.1")
      shop:sh(("luarocks --tree lazy-rocks/coreclaw --server %s --lua-version 5.1 install --force-fast --deps-mode one "
        .. "--dev coreclaw"):format(shop:server "5.1"))
      runs("lazy-rocks/coreclaw", "5.1")
    end)

    it("a package of its own: pack/…/start, no configuration", function()
      local start = ".local/share/nvim/site/pack/coreclaw/start"
      shop:sh(("mkdir -p %s; ln -sfn $HOME/%s %s/coreclaw"):format(start, plugin(), start))
      said(shop:nvim("", "nvim.lua"), start .. "/coreclaw/lua")
    end)
  end)
end)
