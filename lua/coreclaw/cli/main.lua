--- The program `coreclaw`. In a tree: lua lua/coreclaw/cli/main.lua run demo/rows count=3 --wait

-- Run as a file, the tree it lies in is the one to use, with the core that was built for this Lua.
local here = arg and arg[0] and (arg[0]:match "^(.*)/coreclaw/cli/main%.lua$")
if here then
  local name = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"
  local tree = here == "lua" and "." or here:match "^(.*)/lua$"
  package.path = here .. "/?.lua;" .. here .. "/?/init.lua;" .. package.path
  if tree then package.cpath = tree .. "/build/" .. name .. "/?.so;" .. package.cpath end
end

-- What is not installed has a name, and needs no traceback.
local ok, cli = pcall(require, "coreclaw.cli")
if not ok then
  local text = tostring(cli)
  local name = text:match "module '([^']+)'"
  if not name then error(cli, 0) end
  local why = text:find "not found" and "is not there" or "cannot be loaded: " .. text:match "^[^\n]*\n?[^\n]*"
  io.stderr:write(("coreclaw: the module %s %s; install it for %s (in a source tree: make build)\n"):format(name,
    why:gsub("%s+", " "), rawget(_G, "jit") and "LuaJIT" or _VERSION))
  os.exit(1)
end

os.exit(cli.main(arg))
