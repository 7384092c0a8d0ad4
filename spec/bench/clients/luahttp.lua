-- lua-http: a request object for each call, and lua-cjson.
local cqueues = require "cqueues"
local request = require "http.request"
local cjson = require "cjson"
local line = require "spec.bench.clients.line"

local function fetch(path)
  local one = request.new_from_uri(line.url .. path)
  one.headers:upsert("authorization", "Bearer bench-key")
  local headers, stream = assert(one:go(30))
  assert(headers:get ":status" == "200")
  return assert(stream:get_body_as_string())
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

line.serve(works, cqueues.monotime)
