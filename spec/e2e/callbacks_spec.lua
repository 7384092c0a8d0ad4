-- Functions of the caller's own that raise: the error arrives, nothing stays behind that could still be
-- sent, and the client goes on.

local box = require "spec.support.box"
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"

-- Counts what every engine of this process has in flight.
local engines = setmetatable({}, { __mode = "k" })
local methods = debug.getregistry()["coreclaw.engine"].__index
local submit = methods.submit

local function inflight()
  local n = 0
  for engine in pairs(engines) do n = n + tonumber(tostring(engine):match "(%d+) in flight" or 0) end
  return n
end

describe("a callback that raises", function()
  local server, client, worker

  setup(function()
    methods.submit = function(engine, ...)
      engines[engine] = true
      return submit(engine, ...)
    end
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
  end)

  teardown(function()
    methods.submit = submit
    server:stop()
  end)

  before_each(function() server:clear_faults() end)

  -- All is quiet, also a moment later; and the client still works.
  local function check_quiet(paid)
    assert.equal(0, inflight())
    coreclaw.sleep(0.1)
    assert.equal(paid, (server:paid()))
    assert(client:account())
    assert.truthy(next(engines))
    assert.equal(0, inflight())
  end

  local function angry() error("from the callback", 0) end

  it("before a request: nothing is sent", function()
    local before = server:paid()
    local own = box.client(server, { on_request = angry })
    assert.equal("from the callback", box.raised(function() own:worker("demo/rows"):start { count = 1 } end))
    check_quiet(before)
  end)

  it("before a second try: the first is not repeated", function()
    local calls = 0
    local own = box.client(server, {
      on_request = function()
        calls = calls + 1
        if calls == 2 then angry() end
      end,
    })
    server:fault { operation = "getAccount", times = 1, status = 503 }
    assert.equal("from the callback", box.raised(function() own:account() end))
    assert.equal(2, calls)
    check_quiet((server:paid()))
    assert(own:account())
  end)

  it("after an answer: the run that was paid for is returned", function()
    local before = server:paid()
    local stderr, written = io.stderr, {}
    io.stderr = { write = function(_, ...) written[#written + 1] = table.concat { ... } end } -- luacheck: ignore 122
    local own = box.client(server, { on_response = angry, on_retry = angry })
    server:fault { operation = "runWorker", times = 1, status = 429, body = '{"code":13000,"message":"slow down"}' }
    local ok, run = pcall(function()
      local started = assert(own:worker("demo/rows"):start { count = 1 })
      assert.equal("succeeded", assert(started:wait()).status)
      return started
    end)
    io.stderr = stderr -- luacheck: ignore 122
    assert.is_true(ok, tostring(run))
    assert.truthy(run.slug)
    assert.truthy(#written >= 3 and written[1]:find("from the callback", 1, true), #written)
    check_quiet(before + 1)
  end)

  it("while waiting: the run is there to be waited for again", function()
    local run = assert(worker:start { count = 3, delay = 0.05 })
    local before = server:paid()
    assert.equal("from the callback", box.raised(function() run:wait { on_update = angry } end))
    check_quiet(before)
    assert.equal("succeeded", assert(run:wait()).status)
    before = server:paid()
    assert.equal("from the callback", box.raised(function() worker:call({ count = 1 }, { on_update = angry }) end))
    check_quiet(before + 1)
  end)

  it("as the policy of retries: the call ends, and is not sent again", function()
    local before = server:paid()
    local own = box.client(server, { retry = angry })
    server:fault { operation = "runWorker", times = 1, status = 503 }
    local ok, run, err = pcall(function() return own:worker("demo/rows"):start { count = 1 } end)
    assert.is_true(not ok or (run == nil and err ~= nil))
    if not ok then assert.equal("from the callback", run) end
    check_quiet(before)
  end)

  it("during a download: nothing goes on behind its back, and it can be done again", function()
    local run = assert(worker:call { count = 200 })
    local path = os.tmpname()
    os.remove(path)
    local before = server:paid()
    local message = box.raised(function() run:export(path, { format = "csv", on_progress = angry }) end)
    assert.equal("from the callback", message)
    check_quiet(before)
    assert.is_nil(io.open(path))
    assert(run:export(path, { format = "csv" }))
    os.remove(path)
  end)

  it("in a task: the others go on", function()
    local others = 0
    local function ask(own)
      if own:account() then others = others + 1 end
    end
    local function start()
      for _ = 1, 3 do coreclaw.spawn(ask, client) end
      coreclaw.spawn(ask, box.client(server, { on_request = angry }))
      for _ = 1, 3 do coreclaw.spawn(ask, client) end
    end
    local ok, message = pcall(coreclaw.run, start)
    if not ok then assert.matches("from the callback", tostring(message)) end
    coreclaw.run(function() coreclaw.sleep(0.2) end)
    assert.equal(6, others)
    check_quiet((server:paid()))
  end)

  it("in a coroutine that nobody resumes: its requests are its own", function()
    local before = server:paid()
    local co = coroutine.create(function()
      local own = box.client(server, { on_response = function() coroutine.yield() end })
      own:account()
    end)
    coroutine.resume(co)
    co = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    check_quiet(before)
  end)
end)

describe("ten thousand openings and closings", function()
  -- Under the sanitizers freed memory is kept for a while, and all is slow.
  local times = os.getenv "RUN" and 300 or 10000

  local function status(pattern)
    local file = assert(io.open "/proc/self/status")
    local text = file:read "*a"
    file:close()
    return tonumber(text:match(pattern))
  end

  -- This process' own, by their numbers: no program is started for it.
  local function count_fds()
    local n = 0
    for fd = 0, 400 do
      local file = io.open(("/proc/self/fdinfo/%d"):format(fd))
      if file then
        file:close()
        n = n + 1
      end
    end
    return n
  end

  -- The first tenth fills what is kept for ever; the rest must not grow.
  local function check(act)
    local ten = times / 10
    local resident
    collectgarbage()
    local fds = count_fds()
    for i = 1, times do
      act(i)
      if i % 500 == 0 then collectgarbage() end
      if i == ten then
        collectgarbage()
        resident = status "VmRSS:%s+(%d+)"
      end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(fds, count_fds())
    if times < 10000 then return end
    local grown = status "VmRSS:%s+(%d+)" - resident
    assert.truthy(grown < 4096, ("%d KiB more after %d rounds"):format(grown, times))
  end

  it("of engines leave nothing behind", function()
    check(function() core.engine({}):close() end)
  end)

  it("of engines with a request in flight leave nothing behind", function()
    check(function(i)
      local engine = core.engine({})
      engine:submit { url = "http://127.0.0.1:9/" }
      if i % 3 > 0 then engine:close() end
      if i % 50 == 0 then collectgarbage() end
    end)
  end)

  it("of clients leave nothing behind", function()
    check(function()
      local client = coreclaw.new { api_key = "0123456789abcdef", base_url = "http://127.0.0.1:9" }
      client:worker "demo/rows"
      client:close()
    end)
  end)
end)
