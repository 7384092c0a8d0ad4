-- Inside the server: runs that end a while after they were begun, to be polled, and how often they are.
local site = require "spec.bench.site"

local M = {}

local RUNS, LIMIT = 200, 100

local function counts()
  return ngx.shared.counts
end

-- The runs end one after the other, in the last half of the time that all of them take.
local function state(n)
  local begun, all = counts():get "_begun" or 0, counts():get "_seconds" or 0
  return ngx.now() >= begun + all * (0.5 + 0.5 * n / RUNS) and "succeeded" or "running"
end

local function record(n)
  return ('{"slug":"polled-%d","scraper_slug":"polled","scraper_title":"Polled","version":"v1","status":"%s",'
    .. '"results":0,"usage":"0","traffic":0,"origin":"api_v2","started_at":%d,"finished_at":0,"duration":0}')
    :format(n, state(n), counts():get "_begun" or 0)
end

local function answer(data)
  ngx.print('{"code":0,"message":"success","data":', data, ',"request_id":"req-1"}')
end

---Begins anew: ?seconds= until the last run ends.
function M.begin()
  ngx.update_time()
  counts():flush_all()
  counts():set("_begun", ngx.now())
  counts():set("_seconds", tonumber(ngx.var.arg_seconds))
  counts():set("_started", 0)
  ngx.print "ok\n"
end

---A page of the list of all runs, the newest first.
function M.list()
  site.count "polls"
  local page, limit = tonumber(ngx.var.arg_offset) or 1, tonumber(ngx.var.arg_limit) or LIMIT
  local out = {}
  for n = RUNS - (page - 1) * limit, math.max(1, RUNS - page * limit + 1), -1 do out[#out + 1] = record(n) end
  answer('{"count":' .. RUNS .. ',"list":[' .. table.concat(out, ",") .. "]}")
end

---One run.
function M.detail()
  site.count "polls"
  answer(record(tonumber(ngx.var.run:match "%d+$")))
end

---Starts the next one; it exists already.
function M.start()
  ngx.req.read_body()
  local n = counts():incr("_started", 1, 0)
  answer('{"run_slug":"polled-' .. n .. '"}')
end

return M
