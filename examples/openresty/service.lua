-- The service behind nginx.conf. Each call to the platform suspends its own request and holds up no other.

local coreclaw = require "coreclaw"
local prometheus = require "coreclaw.prometheus"
local callback, json = coreclaw.callback, coreclaw.json

local SECRET = assert(os.getenv "SERVICE_SECRET", "SERVICE_SECRET is not set")
local CALLBACK = assert(os.getenv "SERVICE_URL", "SERVICE_URL is not set") .. "/callback"

local client = coreclaw.new { timeout = 30 } -- one for all requests; the key is in CORECLAW_API_KEY
local worker = client:worker(assert(os.getenv "SERVICE_WORKER", "SERVICE_WORKER is not set"))

local service = {}

local function answer(status, value)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.say(json.encode(value))
end

-- Kind of error → what our own caller is told.
local STATUS = { bad_request = 400, not_found = 404, rate_limited = 429, plan_limit = 429, timeout = 504 }

local function refuse(err)
  ngx.log(ngx.ERR, tostring(err)) -- one line; the key is never in it
  if err.retry_after then ngx.header["Retry-After"] = err.retry_after end
  answer(STATUS[err.kind] or 502, { error = err.kind, message = err.message })
end

-- POST /runs: the body is the Worker's input. Started once or not at all: after "unknown_outcome" our caller
-- must not try again before somebody has looked (client:reconcile).
function service.start()
  if ngx.req.get_method() ~= "POST" then return ngx.exit(405) end
  ngx.req.read_body()
  local input = json.decode(ngx.req.get_body_data() or "")
  if type(input) ~= "table" then return answer(400, { error = "bad_request", message = "no JSON object" }) end
  local run, err = worker:start(input, {
    check = true, -- against the Worker's schema, before anything is paid for
    callback_url = callback.url(CALLBACK, SECRET, { expires_in = 7 * 86400 }),
  })
  if not run then return refuse(err) end
  answer(202, { run = run.slug })
end

-- GET /runs/RUN: what a callback has told, else what the platform says.
function service.state(slug)
  local status = ngx.shared.runs:get(slug)
  if status then return answer(200, { run = slug, status = status }) end
  local run, err = client:run(slug):reload()
  if not run then return refuse(err) end
  answer(200, { run = slug, status = run.status, rows = run.results_count })
end

local function stream(slug)
  for row in client:run(slug):results { follow = true } do
    ngx.say(json.encode(row))
    ngx.flush(true) -- a slow reader slows the reading down
  end
end

-- GET /runs/RUN/rows: each row as a line, as soon as it is there, until the run has ended. Memory stays small
-- however many there are. When the reader goes, nginx ends this (lua_check_client_abort).
function service.rows(slug)
  ngx.header.content_type = "application/x-ndjson"
  local ok, err = pcall(stream, slug)
  if ok then return end
  if not coreclaw.is_error(err) then error(err, 0) end
  if not ngx.headers_sent then return refuse(err) end
  ngx.log(ngx.ERR, tostring(err))
  ngx.exit(444) -- cut off, so that the reader sees that it is not all
end

-- Worker processes share what they have seen.
local seen = callback.seen { add = function(key, ttl) return ngx.shared.seen:add(key, true, ttl) end }

-- POST /callback: the platform signs nothing, sends some twice, and promises no order. So the address has a nonce
-- and its HMAC, and the body only says where to look.
function service.callback()
  if not callback.verify(ngx.var.request_uri, SECRET) then return ngx.exit(403) end
  ngx.req.read_body()
  local event, err = callback.parse(ngx.req.get_body_data(), ngx.req.get_headers())
  if not event then return refuse(err) end
  if seen(event) then return ngx.exit(204) end
  local run
  run, err = event:run(client)
  if run then run, err = run:reload() end
  if not run then
    ngx.shared.seen:delete(event:key()) -- so that it may come again
    return refuse(err)
  end
  if run:is_final() then ngx.shared.runs:set(run.slug, run.status, 7 * 86400) end
  ngx.exit(204)
end

-- Each worker process counts for itself, and Prometheus asks only one of them: so they tell each other.
local function publish()
  ngx.shared.metrics:set(ngx.worker.id(), json.encode(client:stats()))
end

function service.begin()
  assert(ngx.timer.every(5, publish))
end

-- GET /metrics
function service.metrics()
  publish()
  local sources = {}
  for id = 0, ngx.worker.count() - 1 do
    local text = ngx.shared.metrics:get(id)
    if text then sources[#sources + 1] = { stats = json.decode(text), labels = { process = id } } end
  end
  ngx.header.content_type = prometheus.content_type
  ngx.print(prometheus.text(sources))
end

return service
