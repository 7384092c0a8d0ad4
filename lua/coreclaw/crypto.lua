--- HMAC-SHA256 and random bytes, from a maintained library of the host. Found on first use; nothing
--- here computes a hash itself.
--
-- Not used: `ngx.hmac_sha1`, for it is SHA-1, and an address signed in nginx must verify in a plain
-- Lua and the other way round; Neovim's `vim.fn.sha256`, for it takes no NUL bytes, and HMAC hashes
-- raw digests, one in eight of which holds one.

local validate = require "coreclaw.validate"

local crypto = {}

---@class coreclaw.Crypto
---@field hmac fun(key: string, text: string): string  HMAC-SHA256, 32 raw bytes
---@field random (fun(size: integer): string)?          bytes fit for secrets; default /dev/urandom
---@field name string?

-- The system's own source, where the library has none.
local function urandom(size)
  local file, why = io.open("/dev/urandom", "rb")
  if not file then error("coreclaw: no source of random bytes: " .. tostring(why), 0) end
  local bytes = file:read(size)
  file:close()
  return bytes
end

local function lua_resty_openssl()
  local hmac, rand = require "resty.openssl.hmac", require "resty.openssl.rand"
  return {
    hmac = function(key, text) return assert(hmac.new(key, "sha256")):final(text) end,
    random = rand.bytes,
  }
end

local function lua_resty_hmac()
  local hmac = require "resty.hmac"
  return { hmac = function(key, text) return hmac:new(key, hmac.ALGOS.SHA256):final(text) end }
end

local function luaossl()
  local hmac, rand = require "openssl.hmac", require "openssl.rand"
  return {
    hmac = function(key, text) return hmac.new(key, "sha256"):final(text) end,
    random = rand.bytes,
  }
end

local function lua_openssl()
  local openssl = require "openssl"
  return {
    hmac = function(key, text) return openssl.hmac.hmac("sha256", text, key, true) end,
    random = function(size) return (openssl.random(size, true)) end,
  }
end

local DECLARATIONS = [[
  const void *coreclaw_sha256(void) __asm__("EVP_sha256");
  unsigned char *coreclaw_hmac(const void *, const void *, int, const char *, size_t,
    unsigned char *, unsigned int *) __asm__("HMAC");
  int coreclaw_random(unsigned char *, int) __asm__("RAND_bytes");
]]

-- The libcrypto that this process has loaded (nginx), or the system's (Neovim, LuaJIT).
local function find_libcrypto(ffi)
  if pcall(function() return ffi.C.coreclaw_hmac end) then return ffi.C end
  for _, name in ipairs { "libcrypto.so.3", "libcrypto.so.1.1", "crypto" } do
    local ok, library = pcall(ffi.load, name)
    if ok then return library end
  end
  error("no libcrypto", 0)
end

-- libcrypto itself, through LuaJIT. The declarations have names of their own, for others declare
-- the same functions in other words, and LuaJIT takes one declaration of a name.
local function libcrypto()
  local ffi = require "ffi"
  pcall(ffi.cdef, DECLARATIONS)
  local library = find_libcrypto(ffi)
  return {
    hmac = function(key, text)
      local out = ffi.new "unsigned char[64]"
      local digest = library.coreclaw_hmac(library.coreclaw_sha256(), key, #key, text, #text, out, nil)
      if digest == nil then error("HMAC failed", 0) end
      return ffi.string(out, 32)
    end,
    random = function(size)
      local out = ffi.new("unsigned char[?]", size)
      if library.coreclaw_random(out, size) ~= 1 then error("RAND_bytes failed", 0) end
      return ffi.string(out, size)
    end,
  }
end

-- In this order.
crypto.libraries = {
  { name = "lua-resty-openssl", load = lua_resty_openssl },
  { name = "lua-resty-hmac", load = lua_resty_hmac },
  { name = "luaossl", load = luaossl },
  { name = "lua-openssl", load = lua_openssl },
  { name = "libcrypto", load = libcrypto },
}

---The hexadecimal digits of bytes.
---@param bytes string
---@return string
function crypto.hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

-- RFC 4231, test case 2, and a key that holds NUL bytes: a library is asked what it can do.
local function is_right(hmac)
  return crypto.hex(hmac("Jefe", "what do ya want for nothing?"))
      == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    and crypto.hex(hmac("\0\1\0", "\0"))
      == "b56a6fbed9e368e054beca971db256a9e18e751b098ebe6a732e5776c2e9d728"
end

local function try(load)
  local ok, library = pcall(load)
  if not ok then return nil end
  local checked, right = pcall(is_right, library.hmac)
  return checked and right and library or nil
end

local function missing()
  local ngx, vim = rawget(_G, "ngx"), rawget(_G, "vim")
  local advice = "apt install lua-luaossl (Debian), or luarocks install luaossl"
  if type(ngx) == "table" then
    advice = advice .. ", or opm get fffonion/lua-resty-openssl"
  elseif type(vim) == "table" then
    advice = advice .. " for Lua 5.1, where Neovim's package.cpath finds it"
  end
  validate.fail("coreclaw.callback: no library for HMAC-SHA256 here: " .. advice
    .. "; or pass crypto = { hmac = ..., random = ... }")
end

local found

-- One of the caller's own, checked like the others.
local function given(library)
  if type(library) ~= "table" or type(library.hmac) ~= "function" then
    validate.fail("coreclaw.callback: crypto must be a table { hmac = function(key, text), "
      .. "random = function(size) }, got " .. validate.show(library))
  elseif not try(function() return library end) then
    validate.fail("coreclaw.callback: crypto.hmac does not compute HMAC-SHA256 as 32 raw bytes")
  end
  return library
end

---The library to use. Raises where there is none, saying what to install.
---@param own coreclaw.Crypto?
---@return coreclaw.Crypto
function crypto.find(own)
  if own ~= nil then return given(own) end
  if found then return found end
  for _, candidate in ipairs(crypto.libraries) do
    local library = try(candidate.load)
    if library then
      library.name = candidate.name
      found = library
      return found
    end
  end
  missing()
end

---Random bytes fit for secrets.
---@param library coreclaw.Crypto
---@param size integer
---@return string
function crypto.random(library, size)
  local bytes = (library.random or urandom)(size)
  if type(bytes) ~= "string" or #bytes ~= size then
    error("coreclaw: the host's source of random bytes failed", 0)
  end
  return bytes
end

---Are two texts equal? Takes as long wherever they differ.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b)
  if #a ~= #b then return false end
  local difference = 0
  for i = 1, #a do
    local d = a:byte(i) - b:byte(i)
    difference = difference + d * d
  end
  return difference == 0
end

return crypto
