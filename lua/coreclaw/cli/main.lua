--- The program `coreclaw`. In a tree: lua lua/coreclaw/cli/main.lua run demo/rows count=3 --wait

-- Run as a file, the tree it lies in is the one to use, with the core that was built for this Lua.
local here = arg and arg[0] and (arg[0]:match "^(.*)/coreclaw/cli/main%.lua$")
if here then
  local name = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"
  local tree = here == "lua" and "." or here:match "^(.*)/lua$"
  package.path = here .. "/?.lua;" .. here .. "/?/init.lua;" .. package.path
  if tree then package.cpath = tree .. "/build/" .. name .. "/?.so;" .. package.cpath end
end

os.exit(require("coreclaw.cli").main(arg))
