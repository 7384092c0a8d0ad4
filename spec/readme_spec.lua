-- Every Lua snippet of README.md is a program that runs, as a program: a process of its own, with
-- the key and the address in the environment.

local box = require "spec.support.box"

local function snippets()
  local file = assert(io.open("README.md"))
  local text = file:read "*a"
  file:close()
  local list = {}
  for code in text:gmatch "```lua\n(.-)```" do list[#list + 1] = code end
  return list
end

local function interpreter()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

local function run(code, server)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(code)
  file:close()
  local pipe = io.popen(string.format(
    "CORECLAW_API_KEY='%s' CORECLAW_BASE_URL='%s' %s '%s' 2>&1; echo \"exit $?\"",
    server.key, server.url, interpreter(), path))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

describe("README.md", function()
  local server
  setup(function() server = box.start() end)
  teardown(function() server:stop() end)

  local list = snippets()

  it("has snippets", function()
    assert.is_true(#list >= 7)
  end)

  for i, code in ipairs(list) do
    it("snippet " .. i .. " runs", function()
      local output = run(code, server)
      assert.matches("exit 0%s*$", output)
      -- What a snippet promises to print after --> is what it prints, up to an ellipsis.
      for promised in code:gmatch "%-%->%s*([^\n]+)" do
        for words in (promised .. "…"):gmatch "%s*(.-)%s*…" do
          if #words > 2 then
            assert.is_truthy(output:gsub("\t", "  "):find(words, 1, true), words .. "\nnot in:\n" .. output)
          end
        end
      end
    end)
  end
end)

describe("the table of operations in README.md", function()
  local v1_operations = require "coreclaw.operations.v1"
  local v2_operations = require "coreclaw.operations.v2"
  local v1 = require "coreclaw.v1"

  local function table_rows()
    local file = assert(io.open("README.md"))
    local rows = {}
    for line in file:lines() do
      local id, old, call = line:match "^| `(%l%w+)` | (%S+) | `(.+)` |$"
      if id and v2_operations[id] then rows[id] = { v1 = old:match "^`(.*)`$", call = call } end
    end
    file:close()
    return rows
  end

  it("names all 39 and 13, and which does the other's work", function()
    local seen = {}
    for id in pairs(v2_operations) do
      local row = assert(table_rows()[id], id .. " is not in the table")
      assert.equal(v1.operations_for[id], row.v1)
      if row.v1 then seen[row.v1] = true end
    end
    for id in pairs(v1_operations) do assert.is_true(seen[id], id .. " is not in the table") end
  end)

  it("names methods that exist", function()
    local coreclaw = require "coreclaw"
    local client = coreclaw.new { api_key = "k" }
    local handles = {
      client = client, worker = client:worker "a/b", run = client:run "x", task = client:task "x",
      item = client:queue_item "1",
    }
    local n = 0
    for _, row in pairs(table_rows()) do
      for noun, method in row.call:gmatch "(%l+):([%l_]+)" do
        if handles[noun] then
          n = n + 1
          assert.is_function(handles[noun][method], noun .. ":" .. method)
        end
      end
    end
    assert.is_true(n > 50)
  end)
end)

describe("the table of error kinds in README.md", function()
  it("names them all, and no other", function()
    local kinds = require("coreclaw").errors.kinds
    local file = assert(io.open("README.md"))
    local text = file:read("*a"):match "| `kind` | when | what to do |(.-)\n\n"
    file:close()
    local named = {}
    for line in text:gmatch "\n| ([^|]+) |" do
      for kind in line:gmatch "`(%l[%l_]+)`" do named[kind] = true end
    end
    assert.same(kinds, named)
  end)
end)
