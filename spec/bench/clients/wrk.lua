-- "load URL NAME CONNECTIONS SECONDS": so many connections ask the nginx at URL for /NAME all the time.
local line = require "spec.bench.clients.line"

local function read(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local TICK = 1 / tonumber(read "getconf CLK_TCK")

local works = {}

function works.load(url, name, connections, seconds)
  local function ticks() return tonumber((read("curl -s " .. url .. "/cpu"))) end
  local before = ticks()
  local said = read(("wrk -t1 -c%d -d%ds %s/%s"):format(connections, seconds, url, name))
  local requests = tonumber(said:match "(%d+) requests in")
  assert(requests and requests > 0 and not said:find "Non%-2xx", said:gsub("%s+", " "))
  return {
    requests = requests, rate = tonumber(said:match "Requests/sec:%s*([%d.]+)"),
    used = (ticks() - before) * TICK / requests * 1e6, rss = 0, -- not of this process
  }
end

line.serve(works, os.time)
