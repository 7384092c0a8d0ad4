-- What holds of the tree itself.

local function lines(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function rockspec()
  local env = {}
  local chunk
  if setfenv then -- luacheck: ignore 113
    chunk = assert(loadfile "coreclaw-scm-1.rockspec")
    setfenv(chunk, env) -- luacheck: ignore 113
  else
    chunk = assert(loadfile("coreclaw-scm-1.rockspec", "t", env))
  end
  chunk()
  return env
end

describe("the tree", function()
  it("keeps the two alphabets apart", function()
    assert.equal("clean", lines("sh spec/support/boundary.sh && echo clean")[1])
  end)

  it("lists every Lua module and C file in the rockspec, and nothing else", function()
    local modules = rockspec().build.modules
    local listed = {}
    for name, value in pairs(modules) do
      if type(value) == "string" then
        listed[value] = true
        local expected = value:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
        assert.equal(expected, name)
      else
        for _, source in ipairs(value.sources) do listed[source] = true end
      end
    end
    for _, path in ipairs(lines "find lua src -name '*.lua' -o -name '*.c'") do
      assert.is_true(listed[path], path .. " is not in the rockspec")
      listed[path] = nil
    end
    assert.is_nil(next(listed))
  end)

  it("says its version in one place", function()
    assert.same({ 'src/core.c:#define CORECLAW_VERSION "' .. require("coreclaw")._VERSION .. '"' },
      lines("grep -rnF " .. require("coreclaw")._VERSION .. " src lua examples Makefile *.rockspec | sed 's/:[0-9]*:/:/'"))
  end)

  it("has no file longer than a file may be", function()
    -- What is public, in one file, for editors.
    local longer = { ["lua/coreclaw/types.lua"] = true }
    for _, line in ipairs(lines "find lua src -name '*.lua' -o -name '*.[ch]' | xargs wc -l") do
      local count, path = line:match "^%s*(%d+) (.+)$"
      if path ~= "total" and not longer[path] then
        assert.is_true(tonumber(count) <= (path:find "%.lua$" and 300 or 450), path .. " has " .. count .. " lines")
      end
    end
  end)

  it("loads the core built for this Lua, and no other", function()
    local path = assert(package.searchpath and package.searchpath("coreclaw.core", package.cpath)
      or package.cpath:match "%./(build[^?]*)%?")
    local expected = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"
    assert.is_truthy(path:find("/" .. expected .. "/", 1, true), path)
  end)

  it("does no I/O at require", function()
    assert.is_nil(os.getenv "CORECLAW_API_KEY")
    local opened = {}
    local open, popen = io.open, io.popen
    io.open = function(...) opened[#opened + 1] = (...) return open(...) end
    io.popen = function(...) opened[#opened + 1] = (...) return popen(...) end
    for name in pairs(package.loaded) do
      if name:find "^coreclaw" and name ~= "coreclaw.core" then package.loaded[name] = nil end
    end
    local ok, err = pcall(require, "coreclaw")
    io.open, io.popen = open, popen
    assert.is_true(ok, tostring(err))
    assert.same({}, opened)
  end)
end)
