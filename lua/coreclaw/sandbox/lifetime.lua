--- The server lives as long as whoever started it: it ends when the pipe on its standard input closes, when it reads
-- "stop" there, or when the parent's process is gone (a child of the parent may hold the pipe open).

local ffi = require("ffi")
local refused = require("coreclaw.sandbox.refused")

-- luacheck: globals ngx
local M = {}

ffi.cdef([[
struct cc_pollfd { int fd; short events; short revents; };
int poll(struct cc_pollfd *fds, unsigned long n, int timeout);
int getpid(void);
]])
pcall(ffi.cdef, "int kill(int pid, int sig);")
-- Its own name, because "read" is declared by others with other types.
ffi.cdef('long cc_read(int fd, void *buffer, unsigned long n) __asm__("read");')

local EVERY, TERM = 0.025, 15

local poll_fd = ffi.new("struct cc_pollfd[1]", { { fd = 0, events = 1 } })
local buffer = ffi.new("char[16]")

-- State and start time of a process; the time tells it from a later one with the same number.
local function birth(pid)
  local file = io.open("/proc/" .. pid .. "/stat", "r")
  if not file then
    return nil
  end
  local status, rest = file:read("*a"):match("^.*%) (%a) (.*)$")
  file:close()
  if status == "Z" or status == "X" then
    return nil
  end
  local n = 0
  for word in rest:gmatch("%S+") do
    n = n + 1
    if n == 19 then
      return word
    end
  end
end

local function pipe_says_stop()
  poll_fd[0].revents = 0
  if ffi.C.poll(poll_fd, 1, 0) <= 0 then
    return false
  end
  return ffi.C.cc_read(0, buffer, 16) >= 0
end

local folder

-- Tells the keeping shell that nobody is going to say stop any more.
local function finish()
  local file = io.open(folder .. "/stopped", "w")
  if file then
    file:close()
  end
  ffi.C.kill(tonumber(ffi.C.getpid()), TERM)
end

local function watch(parent, born)
  local ok, message = ngx.timer.every(EVERY, function(premature)
    if not premature and (pipe_says_stop() or birth(parent) ~= born) then
      finish()
    end
  end)
  if not ok then
    error(message)
  end
end

local function announce(line)
  -- Opened for both directions, which never blocks on a fifo.
  local file = assert(io.open(folder .. "/ready", "r+"))
  file:write(line:gsub("\n", " "), "\n")
  file:close()
end

--- Tells the parent how the start went, and watches over it from now on.
function M.begin(where, line)
  folder = where
  local parent = tonumber(require("coreclaw.sandbox.platform.state").settings.parent)
  local born = parent and birth(parent)
  if born then
    watch(parent, born)
  end
  if line == "ready" then
    line = ("ready %d %d"):format(tonumber(ffi.C.getpid()), refused.port() or 1)
  end
  announce(line)
  if not born or not line:find("^ready") then
    finish()
  end
end

return M
