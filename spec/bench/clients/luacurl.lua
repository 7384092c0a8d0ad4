-- Debian's lua-curl, by hand: one easy handle, a callback for what comes, and lua-cjson.
local curl = require "curl"
local socket = require "socket"
local line = require "spec.bench.clients.line"

local easy = curl.easy_init()
local parts = {}

easy:setopt(curl.OPT_HTTPHEADER, { "authorization: Bearer bench-key" })
easy:setopt(curl.OPT_WRITEFUNCTION, function(text)
  parts[#parts + 1] = text
  return #text
end)

local function fetch(path)
  for i = 1, #parts do parts[i] = nil end
  easy:setopt(curl.OPT_URL, line.url .. path)
  assert(easy:perform() == 0)
  return table.concat(parts)
end

line.serve_by_hand(fetch, socket.gettime)
