-- Starts a server of spec/support/*.py that prints name=value pairs and leaves with its reader.
local M = {}

--- Fields: what it printed (numbers as numbers), and stop().
function M.start(name)
  local pipe = assert(io.popen("exec env -u LD_PRELOAD python3 -B spec/support/" .. name .. ".py", "r"))
  local line = assert(pipe:read("*l"), name .. " did not start")
  local server = {}
  for key, value in line:gmatch("([%w_]+)=(%S+)") do server[key] = tonumber(value) or value end
  function server.stop()
    if pipe then pipe:close() end
    pipe = nil
  end
  return server
end

return M
