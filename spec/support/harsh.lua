-- busted --helper for the runs under sanitizers and valgrind.

-- A collector that never rests: whatever the C core keeps without an anchor is gone by the next
-- instruction. STRESS=0 leaves it alone, for specs that make too much garbage for that.
if os.getenv "STRESS" ~= "0" then
  collectgarbage("setpause", 1)
  collectgarbage("setstepmul", 1000) -- at 10000 LuaJIT never comes out of its collector
end

-- What is loaded in front of this process is not meant for the programs that it starts.
local popen, execute = io.popen, os.execute

function io.popen(command, mode) -- luacheck: ignore 122
  return popen("unset LD_PRELOAD; " .. command, mode)
end

function os.execute(command) -- luacheck: ignore 122
  return execute(command and "unset LD_PRELOAD; " .. command)
end
