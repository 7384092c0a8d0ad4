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
      for promised in code:gmatch "%-%->%s*([^\n…]+)" do
        local words = promised:gsub("%s+$", "")
        assert.is_truthy(output:gsub("\t", "  "):find(words, 1, true), words .. "\nnot in:\n" .. output)
      end
    end)
  end
end)
