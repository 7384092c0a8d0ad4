--- The port of the API, closed for a while: whoever connects meanwhile is refused by the kernel, as by a server that
-- is being restarted. Connections that stand go on.

local ffi = require("ffi")

require("coreclaw.sandbox.refused") -- declares sockets' addresses and getsockname

-- luacheck: globals ngx
local M = {}

ffi.cdef([[
struct cc_epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));
int epoll_ctl(int epfd, int op, int fd, struct cc_epoll_event *event);
int shutdown(int fd, int how);
int listen(int fd, int backlog);
int getsockopt(int fd, int level, int name, int *value, unsigned int *length);
]])

local SOL_SOCKET, SO_ACCEPTCONN, SHUT_RD = 1, 30, 0
local ADD, DEL = 1, 2
local BACKLOG, MOST = 511, 256

local function is_listening(fd)
  local value, length = ffi.new("int[1]"), ffi.new("unsigned int[1]", 4)
  return ffi.C.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, length) == 0 and value[0] == 1
end

local function port_of(fd)
  local address = ffi.new("struct cc_sockaddr_in")
  local length = ffi.new("unsigned int[1]", ffi.sizeof(address))
  return ffi.C.getsockname(fd, address, length) == 0 and ffi.C.ntohs(address.port)
end

local function socket_of(port)
  for fd = 3, MOST do
    if is_listening(fd) and port_of(fd) == port then
      return fd
    end
  end
  error("no socket listens at port " .. port, 0)
end

-- nginx watches the socket by epoll; what it has noted there is needed to watch it again. The kernel tells.
local function watch_of(socket)
  for fd = 3, MOST do
    local file = io.open("/proc/self/fdinfo/" .. fd)
    local text = file and file:read("*a") or ""
    if file then
      file:close()
    end
    local events, data = text:match("tfd:%s*" .. socket .. " events:%s*(%x+) data:%s*(%x+)")
    if events then
      return fd, tonumber(events, 16), data
    end
  end
  error("nginx does not watch its socket by epoll", 0)
end

-- Sixteen hexadecimal digits do not fit into a double.
local function wide(hex)
  hex = ("0"):rep(16 - #hex) .. hex
  return tonumber(hex:sub(1, 8), 16) * 4294967296ULL + tonumber(hex:sub(9), 16)
end

local closed

--- Closes the port for so many seconds. Closed already, it stays so as long as was said first.
function M.refuse(port, seconds)
  if closed then
    return
  end
  local socket = socket_of(port)
  local epoll, events, data = watch_of(socket)
  local event = ffi.new("struct cc_epoll_event", { events, wide(data) })
  closed = true
  ffi.C.epoll_ctl(epoll, DEL, socket, nil)
  ffi.C.shutdown(socket, SHUT_RD)
  local ok, message = ngx.timer.at(seconds, function()
    ffi.C.listen(socket, BACKLOG)
    ffi.C.epoll_ctl(epoll, ADD, socket, event)
    closed = nil
  end)
  if not ok then
    error(message, 0)
  end
end

return M
