-- README's snippets that are no Lua programs: of nginx, of Neovim, of a shell.

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local nginx = require "spec.hosts.nginx"

local function block(kind, pattern)
  local file = assert(io.open "README.md")
  local text = file:read "*a"
  file:close()
  for code in text:gmatch("```" .. kind .. "\n(.-)```") do
    if code:find(pattern) then return (code:gsub("owner/name", "coreclaw/google-maps-scraper")) end
  end
  error("README has no such block of " .. kind)
end

describe("README's block", function()
  local server, home
  setup(function()
    server = box.start { workers = "spec/support/workers" }
    home = cli.new(server)
  end)
  teardown(function()
    home:close()
    server:stop()
  end)

  it("of nginx answers with rows", function()
    local site = nginx.start {
      box = server, server = block("nginx", "location = /rows"),
      http = 'init_by_lua_block { package.loaded.shop = { client = require "spec.hosts.nginx_site".new_client() } }',
    }
    local body, log = site:get "/rows?q=coffee", site:log()
    site:stop()
    assert.equal("", log)
    assert.matches("%a.*\n", body)
  end)

  it("of Neovim writes rows into a buffer", function()
    local code = home:file("rows.vim", block("vim", "nvim_create_user_command"))
    local root = cli.shell "pwd"
    local said = cli.shell(([[cd %s && env -u LD_PRELOAD CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s \
      LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/%s/luajit/?.so;;' \
      timeout 60 nvim --headless -u NONE -i NONE -S %s -c 'Rows demo/rows' \
      -c 'lua vim.wait(30000, function() return vim.api.nvim_buf_line_count(0) > 3 end, 20)' -c 'w! out' -c 'qa!' 2>&1]])
      :format(home.dir, server.key, server.url, root, root, root, os.getenv "BUILD" or "build", code))
    local file = assert(io.open(home.dir .. "/out"), said)
    local _, rows = file:read "*a":gsub('"title"', "")
    file:close()
    assert.equal(3, rows, said)
  end)

  it("of a shell runs", function()
    local root = cli.shell "pwd"
    local program = ([[#!/bin/sh
      export LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/%s/%s/?.so;;'
      exec %s %s/lua/coreclaw/cli/main.lua "$@"]]):format(root, root, root, os.getenv "BUILD" or "build", cli.lua(), cli.lua(), root)
    home:file("coreclaw", program, "755")
    home:file("input.json", '{"keywords": ["tea"]}')
    local lines = 0
    for line in block("sh", "coreclaw run"):gmatch "[^\n]+" do
      if not line:find "^export" then
        lines = lines + 1
        local out = cli.shell(([[cd %s && mkdir -p types && export PATH=%s:$PATH CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s
          { %s; } 2>&1; echo "exit $?"]]):format(home.dir, home.dir, server.key, server.url, (line:gsub(" | jq .title", ""))))
        assert.matches("exit 0$", out, line)
      end
    end
    assert.equal(4, lines)
    assert.matches("title", cli.shell("head -1 " .. home.dir .. "/places.csv"))
    assert.matches("@class", cli.shell("cat " .. home.dir .. "/types/name.lua"))
  end)
end)
