--- Identifiers as the platform gives them: 26-character ids that sort by time, request ids, long numbers.

local M = {}

local ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

local function random_bytes(n)
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(n)
  file:close()
  return bytes
end

-- One seed from the system, then math.random: ids need to differ, not to be secret.
local function seed()
  local a, b, c, d = random_bytes(4):byte(1, 4)
  math.randomseed(a + b * 256 + c * 65536 + (d % 64) * 16777216)
end
seed()

local function letters(n)
  local out = {}
  for i = 1, n do
    local k = math.random(32)
    out[i] = ALPHABET:sub(k, k)
  end
  return table.concat(out)
end

local function time_part(milliseconds)
  local out = {}
  for i = 10, 1, -1 do
    local k = milliseconds % 32 + 1
    out[i] = ALPHABET:sub(k, k)
    milliseconds = math.floor(milliseconds / 32)
  end
  return table.concat(out)
end

--- A new id like 01KTB7X0QM5R9D3V8HNWJ2CZ6K.
function M.slug(seconds)
  return time_part(math.floor(seconds * 1000)) .. letters(16)
end

function M.request()
  return string.format("req-%08x%04x", math.random(0, 0x7fffffff), math.random(0, 0xffff))
end

--- Digits of a number far beyond 2^53.
function M.big()
  return string.format("179%08d%08d", math.random(0, 99999999), math.random(0, 99999999))
end

--- The id of a row, as production puts it into `__coreclaw_data_id__`.
function M.row()
  return string.format("%06x%06x", math.random(0, 0xffffff), math.random(0, 0xffffff))
end

--- n random bytes in hex, from the system.
function M.secret(n)
  return (random_bytes(n):gsub(".", function(c)
    return string.format("%02x", c:byte())
  end))
end

return M
