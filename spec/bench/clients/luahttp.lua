-- lua-http: a request object for each call, and lua-cjson.
local cqueues = require "cqueues"
local request = require "http.request"
local line = require "spec.bench.clients.line"

local function fetch(path)
  local one = request.new_from_uri(line.url .. path)
  one.headers:upsert("authorization", "Bearer bench-key")
  local headers, stream = assert(one:go(30))
  assert(headers:get ":status" == "200")
  return assert(stream:get_body_as_string())
end

line.serve_by_hand(fetch, cqueues.monotime)
