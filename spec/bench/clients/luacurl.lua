-- Lua-cURL, by hand: one easy handle, and lua-cjson.
local cURL = require "cURL"
local cjson = require "cjson"
local socket = require "socket"
local line = require "spec.bench.clients.line"

local easy = cURL.easy_init()
local parts = {}
local sink = { writefunction = function(text) parts[#parts + 1] = text end }

local function fetch(path)
  easy:setopt_url(line.url .. path)
  for i = 1, #parts do parts[i] = nil end
  easy:perform(sink)
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

easy:setopt_httpheader { "authorization: Bearer bench-key" }
line.serve(works, socket.gettime)
