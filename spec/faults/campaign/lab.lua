-- What a campaign works with: a sandbox that is replaced before it grows, a hand on it that costs
-- little, and connections that are warm or fresh as the trial wants them.

local core = require "coreclaw.core"
local pool = require "coreclaw.driver.pool"

-- Every engine's pool, so that connections can be thrown away: before the drivers make theirs.
local pools, new_pool = {}, pool.new
function pool.new(mode)
  pools[#pools + 1] = new_pool(mode)
  return pools[#pools]
end

local coreclaw = require "coreclaw"
local json = require "coreclaw.json"
local sandbox = require "coreclaw.sandbox"

local Lab = {}
Lab.__index = Lab

local lab = {}

-- Workers of their own for trials that look for their run afterwards: nobody else's run is near.
local WORKERS = 400

local WORKER = [[
local worker = {}
for name, value in pairs(require("coreclaw.sandbox.workers.rows")) do worker[name] = value end
worker.path, worker.slug = "campaign/w%d", nil
return worker
]]

-- A certificate that nobody shows: trusting it alone trusts no sandbox.
local STRANGER = [[openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=nobody \
  -keyout '%s/nobody.key' -out '%s' 2>&1]]

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read "*a"
  pipe:close()
  return (out:gsub("%s+$", ""))
end

local function write_workers(folder)
  for i = 1, WORKERS do
    local file = assert(io.open(("%s/w%d.lua"):format(folder, i), "wb"))
    file:write(WORKER:format(i))
    file:close()
  end
end

---A lab; its first sandbox starts when it is needed.
function lab.open()
  local self = setmetatable({ folder = shell "mktemp -d /tmp/coreclaw-campaign.XXXXXX", boxes = 0 }, Lab)
  assert(os.execute("mkdir '" .. self.folder .. "/workers'"))
  write_workers(self.folder .. "/workers")
  self.nobody = self.folder .. "/nobody.pem"
  shell(STRANGER:format(self.folder, self.nobody))
  return self
end

-- ---- the sandbox ------------------------------------------------------------------------------

function Lab:stop()
  if not self.box then return end
  self.engine:close()
  self.box:stop()
  self.box = nil
end

---Ends it all.
function Lab:close()
  self:stop()
  os.execute("rm -rf '" .. self.folder .. "'")
end

---A sandbox that knows nothing yet.
function Lab:renew()
  self:stop()
  self.box = assert(sandbox.start {
    tls = true, workers = self.folder .. "/workers", balance = 1e9, ready_for = 0, abort_for = 0, sync_wait = 5,
  })
  self.engine = core.engine { max_connections = 1 }
  self.boxes, self.next_worker, self.seen, self.settled = self.boxes + 1, 0, { paid = 0, queue = 0, tasks = 0 }, 0
  self.library, self.calm, self.found = nil, {}, {}
  self.settled_before = 0
end

---The id of a Worker that no other trial of this sandbox uses.
function Lab:own_worker()
  self.next_worker = self.next_worker + 1
  return "campaign/w" .. self.next_worker
end

---Are there enough of them for so many trials?
function Lab:has_workers(n)
  return self.next_worker + n <= WORKERS
end

-- ---- the hand on it ---------------------------------------------------------------------------

function Lab:control(verb, arguments)
  self.engine:submit {
    url = self.box.url .. "/_sandbox/" .. verb, method = "POST", body = json.encode(arguments),
    headers = { "Content-Type: application/json", "sandbox-secret: " .. self.box.secret },
    timeout = 60, proxy = "", max_body = 2 ^ 30,
  }
  local id, status, text
  repeat
    self.engine:wait(1)
    id, status, text = self.engine:next()
  until id
  assert(status == 200, "the sandbox refuses " .. verb .. ": " .. tostring(type(text) == "table" and text.message or text))
  return json.decode(text).result
end

---These faults, and none of those before.
function Lab:faults(list)
  self:control("set_faults", { list = json.array(list) })
end

---What was made since the last look.
function Lab:ledger()
  local new = self:control("ledger", self.seen)
  self.seen.paid = self.seen.paid + #new.paid
  self.seen.tasks = self.seen.tasks + #new.tasks
  for _, item in ipairs(new.queue) do self.seen.queue = math.max(self.seen.queue, tonumber(item.ref)) end
  return new
end

---Nothing that is under way on the server will be later than this many seconds from now.
function Lab:not_settled_for(seconds)
  self.settled = math.max(self.settled, core.now() + seconds)
end

---Waits until then.
function Lab:settle()
  self:rest(self.settled - core.now())
end

---Waits for so many seconds.
function Lab:rest(seconds)
  local till = core.now() + seconds
  while till > core.now() do self.engine:wait(till - core.now()) end
end

-- ---- clients ----------------------------------------------------------------------------------

---A client; `options` override.
function Lab:client(transport, options)
  local all = {
    api_key = self.box.key, base_url = self.box.url, poll_intervals = { 0.002 }, timeout = 5, request_timeout = 5,
    max_body = 131072, retry = { base = 0.001, throttle_base = 0.001, attempts = 3 },
  }
  if transport == "h2" then all.base_url, all.ca_file = self.box.tls_url, self.box.ca_file end
  for name, value in pairs(options) do all[name] = value end
  return coreclaw.new(all)
end

---A client that no fault meets, the same one every time.
function Lab:calm_client(transport, api)
  local key = transport .. " " .. api
  self.calm[key] = self.calm[key] or self:client(transport, { api = api })
  return self.calm[key]
end

---From here on connections are fresh.
function Lab.forget_connections()
  for _, one in ipairs(pools) do one:abandon() end
end

---Waits until the port is open.
function Lab:reach()
  local client, deadline = self:calm_client("h1", "v2"), core.now() + 10
  repeat
    self.forget_connections()
  until client:account { timeout = 1 } or core.now() > deadline
end

---Freezes the server, connections and all, for a while.
function Lab:freeze(seconds)
  os.execute(("kill -STOP %d; (sleep %.3f; kill -CONT %d) >/dev/null 2>&1 &"):format(self.box.pid, seconds, self.box.pid))
end

lab.shell = shell

return lab
