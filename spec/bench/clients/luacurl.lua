-- Debian's lua-curl, by hand: one easy handle, a callback for what comes, and lua-cjson.
local curl = require "curl"
local cjson = require "cjson"
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

local works = {}

function works.get(n, path)
  line.times(n, function() fetch(path) end)
end

function works.reload(n)
  line.times(n, function() assert(cjson.decode(fetch "/api/v2/worker-runs/detail").data.status) end)
end

function works.rows(name, pages)
  for page = 1, pages do
    assert(cjson.decode(fetch(("/api/v2/worker-runs/%s/result?offset=%d&limit=100"):format(name, page))).data.list)
  end
end

line.serve(works, socket.gettime)
