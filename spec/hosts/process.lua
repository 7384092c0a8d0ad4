-- Runs a host as a process beside a sandbox, and gives back what its cases said.
local busted = require "busted"
local sandbox = require "coreclaw.sandbox"

local M = {}

--- Where the Lua of this name finds our modules: as an `env` command line.
function M.paths(lua)
  local build = os.getenv "BUILD" or "build"
  return ("LUA_PATH='./lua/?.lua;./lua/?/init.lua;./?.lua;;' LUA_CPATH='./%s/%s/?.so;;'"):format(build, lua)
end

--- This Lua's own name.
function M.lua()
  return rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"
end

--- All lines that a command prints, and whether it ended well.
function M.lines(command)
  local pipe, list = assert(io.popen(command .. " 2>&1; echo status $?")), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list, table.remove(list) == "status 0"
end

--- What the runner printed: name → true or why it failed; all of it in `all`.
function M.parse(text)
  local results = { all = text }
  for line in text:gmatch "[^\n]+" do
    local state, name, why = line:match "^(%a+)\t([^\t]*)\t?(.*)$"
    if name then results[name] = state == "ok" or why end
    if line == "end" then results["end"] = true end
  end
  return results
end

--- Runs `command` with a sandbox in its environment.
function M.results(command)
  local box, file = assert(sandbox.start {}), os.tmpname()
  local list, ok = M.lines(("BOX_URL=%s BOX_KEY=%s BOX_SECRET=%s BOX_FILE=%s timeout -s KILL 180 env %s")
    :format(box.url, box.key, box.secret, file, command))
  box:stop()
  os.remove(file)
  local results = M.parse(table.concat(list, "\n"))
  results.ok = ok
  return results
end

--- One `it` for each case, and one for the end of the host.
function M.specs(results_of)
  local assert, cases = require "luassert", require "spec.hosts.cases"
  local results
  busted.setup(function() results = results_of() end)
  for _, name in ipairs(cases.order) do
    busted.it(name, function()
      assert.equal(true, results[name] == nil and "never came to it: " .. results.all or results[name])
    end)
  end
  busted.it("lets the host end by itself", function()
    assert.is_true(results["end"] and results.ok, results.all)
  end)
end

--- The same for a program text in this Lua, where this module is to be had.
function M.specs_of(module, program)
  if not pcall(require, module) then return end
  busted.describe("in " .. module .. ", coreclaw", function()
    M.specs(function()
      return M.results(("%s %s -e '%s'"):format(M.paths(M.lua()), M.lua(), program:gsub("'", "'\\''")))
    end)
  end)
end

return M
