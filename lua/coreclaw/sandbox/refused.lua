--- A port at which every connection is refused for sure: bound, so that nobody else can take it, and never listened at.

local ffi = require("ffi")

local M = {}

ffi.cdef([[
struct cc_sockaddr_in { uint16_t family; uint16_t port; uint32_t address; char zero[8]; };
int socket(int domain, int type, int protocol);
int bind(int fd, const struct cc_sockaddr_in *address, unsigned int length);
int getsockname(int fd, struct cc_sockaddr_in *address, unsigned int *length);
uint16_t ntohs(uint16_t value);
uint32_t htonl(uint32_t value);
]])

local AF_INET, SOCK_STREAM, LOOPBACK = 2, 1, 0x7f000001

--- Takes such a port for as long as this process lives.
---@return integer? port
function M.port()
  local fd = ffi.C.socket(AF_INET, SOCK_STREAM, 0)
  local address = ffi.new("struct cc_sockaddr_in", { family = AF_INET, address = ffi.C.htonl(LOOPBACK) })
  local length = ffi.new("unsigned int[1]", ffi.sizeof(address))
  if fd < 0 or ffi.C.bind(fd, address, length[0]) ~= 0 or ffi.C.getsockname(fd, address, length) ~= 0 then
    return nil
  end
  return ffi.C.ntohs(address.port)
end

return M
