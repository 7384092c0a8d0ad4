--- Ports for the server to bind. A free one is likely, never certain: nginx binds it, and the launcher tries again.

local M = {}

-- Below the range from which the kernel takes ports for outgoing connections.
local LOWEST, HIGHEST = 20000, 32700

local function random_word()
  local file = io.open("/dev/urandom", "rb")
  if not file then
    return math.random(0, 65535)
  end
  local a, b = file:read(2):byte(1, 2)
  file:close()
  return a * 256 + b
end

local function in_use()
  local used = {}
  local file = io.open("/proc/net/tcp", "r")
  if file then
    for port in file:read("*a"):gmatch("%s%x+:(%x%x%x%x) %x+:%x+ ") do
      used[tonumber(port, 16)] = true
    end
    file:close()
  end
  return used
end

local function listening(port)
  local file = io.open("/proc/net/tcp", "r")
  if not file then
    return false
  end
  local found = file:read("*a"):find((":%04X %%x+:%%x+ 0A "):format(port)) ~= nil
  file:close()
  return found
end

local function free(used)
  local port
  repeat
    port = LOWEST + random_word() % (HIGHEST - LOWEST)
  until not used[port]
  used[port] = true
  return port
end

--- Ports for the API, for files and for TLS. A port given is taken as it is; nil when it is in use.
function M.choose(port)
  if port ~= 0 and listening(port) then
    return nil
  end
  local used = in_use()
  return { port = port ~= 0 and port or free(used), files_port = free(used), tls_port = free(used) }
end

return M
