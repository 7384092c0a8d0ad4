-- A process that makes paid calls with a journal, to be killed. Its orders come in the environment:
-- URL, KEY, JOURNAL; CALL: which call; POINT: where to kill itself; COUNT: how many starts.

local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local plain = require "coreclaw.driver.plain"

local function die()
  os.execute("kill -9 " .. core.pid())
  error "still alive"
end

local point, call = os.getenv "POINT", os.getenv "CALL" or "start"

local function paid(event) return event.method == "POST" end

local client = coreclaw.new {
  api_key = os.getenv "KEY", base_url = os.getenv "URL", journal = os.getenv "JOURNAL", timeout = 60,
  api = os.getenv "API", retry = { base = 0.01, throttle_base = 0.01 }, poll_intervals = { 0.05 },
  on_request = function(event) if point == "before" and paid(event) then die() end end,
  on_response = function(event) if point == "answer" and event.operation ~= "getWorkerRun" then die() end end,
}

if point == "intent" then plain.submit = die end

local worker = client:worker "demo/rows"
local calls = {
  start = function() return worker:start({ count = 1 }, { label = "order 7" }) end,
  call = function() return worker:call({ count = 1 }) end,
  sync = function() return worker:run_sync({ count = 1 }) end,
  task = function() return client:task(os.getenv "TASK"):start() end,
  rerun = function() return client:run(os.getenv "RUN_SLUG"):rerun() end,
  queue = function() return worker:queue({ count = 1 }) end,
  create = function() return client:create_task { worker = worker, title = "t", input = { count = 1 } } end,
}

io.stdout:setvbuf "line"
print(core.pid())
for i = 1, tonumber(os.getenv "COUNT" or 1) do
  local result, err = calls[call]()
  while not result and err.kind == "plan_limit" do
    coreclaw.sleep(0.02)
    result, err = calls[call]()
  end
  if result then
    print("ok", result.slug or result.queue_ref or result.run.slug)
  else
    print("failed", err.kind, err.sent, err.message)
  end
  if point == "outcome" and i == 1 then die() end
end
