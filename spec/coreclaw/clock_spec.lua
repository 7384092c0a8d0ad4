-- The clock of a client is replaced here, so that hours of polling and backing off pass in a moment.

local box = require "spec.support.box"
local clock = require "coreclaw.clock"
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"

local function fails(pattern, setting)
  assert.matches(pattern, box.raised(coreclaw.new, { api_key = "k", clock = setting }))
end

describe("clock", function()
  it("is real time unless told otherwise", function()
    local real = clock.new()
    local since = core.now()
    assert.is_true(real.now() >= since)
    real.sleep(0.05)
    assert.is_true(core.now() - since >= 0.05)
    assert.equal(math.huge, real:deadline(0))
    assert.equal(math.huge, real:left(math.huge))
  end)

  it("measures deadlines by what now says", function()
    local at = 100
    local own = clock.new { now = function() return at end, sleep = function(s) at = at + s end }
    local deadline = own:deadline(5)
    assert.equal(105, deadline)
    own.sleep(3)
    assert.equal(2, own:left(deadline))
    own.sleep(4)
    assert.equal(0, own:left(deadline))
    assert.equal(0.5, own:left(deadline, 0.5))
  end)

  it("says what is wrong with it", function()
    fails("clock: options must be a table, got 7", 7)
    fails("clock: unknown option slep %(did you mean sleep%?%)", { now = os.time, slep = print })
    fails("clock: now must be a function, got 3", { now = 3, sleep = print })
    fails("clock: now and sleep belong together; sleep is missing", { now = os.time })
    fails("clock: now and sleep belong together; now is missing", { sleep = print })
    local client = coreclaw.new { api_key = "k", clock = { now = function() return "noon" end, sleep = print } }
    assert.matches("clock: what now returns must be a number", box.raised(client.account, client))
  end)
end)

describe("a client with the sandbox's clock", function()
  local server, client, slept

  before_each(function()
    server, slept = box.start { clock = "virtual" }, {}
    client = coreclaw.new {
      api_key = server.key, base_url = server.url,
      retry = { random = function() return 0.5 end },
      clock = {
        now = function() return server:time() end,
        sleep = function(seconds)
          slept[#slept + 1] = seconds
          server:advance(seconds)
        end,
      },
    }
  end)

  after_each(function() server:stop() end)

  local function total()
    local sum = 0
    for _, seconds in ipairs(slept) do sum = sum + seconds end
    return sum
  end

  -- Real time must not pass as the client's does: generous, for a machine that has much to do.
  local function at_once(fn)
    local since = core.now()
    fn()
    assert.is_true(core.now() - since < 120)
  end

  local function start(lines, delay)
    return assert(client:worker "test/talker":start({ lines = lines, delay = delay },
      { system = { execute_limit_time_seconds = 7200 } }))
  end

  it("waits an hour for a run in a moment", function()
    at_once(function()
      local run = start(10, 360)
      assert(run:wait { timeout = 7200 })
      assert.equal("succeeded", run.status)
      assert.is_true(total() >= 3600)
    end)
    local first = {}
    for i = 1, 8 do first[i] = slept[i] end
    assert.same({ 2, 2, 3, 5, 8, 10, 15, 15 }, first)
  end)

  it("gives up when its own time is up, not the real one", function()
    at_once(function()
      local run = start(10, 360)
      local _, err = run:wait { timeout = 600 }
      assert.equal("wait_timeout", err.kind)
      assert.equal(600, math.floor(total() + 0.5))
    end)
  end)

  it("follows rows and logs, and runs many inputs", function()
    at_once(function()
      local run = start(5, 300)
      local lines = 0
      for _ in run:logs { follow = true, match = "^line" } do lines = lines + 1 end
      assert.equal(5, lines)
      assert.is_true(total() >= 1500)
      slept = {}
      run = assert(client:worker "demo/rows":start { count = 4, delay = 300 })
      assert.equal(4, #box.collect(run:results { follow = true }))
      assert.is_true(total() >= 1000)
      slept = {}
      local items = box.collect(client:map("test/talker", { { lines = 3, delay = 300 }, { lines = 3, delay = 500 } }))
      assert.same({ 1, 2 }, { items[1].index, items[2].index })
      assert.is_nil(items[1].err or items[2].err)
      assert.is_true(total() >= 1500)
    end)
  end)

  it("backs off by it, as long as the call's deadline has room", function()
    at_once(function()
      server:fault { operation = "getAccount", status = 503, times = 9 }
      local _, err = client:account()
      assert.equal(5, err.attempts)
      assert.same({ 0.25, 0.5, 1, 2 }, slept)
      slept = {}
      server:clear_faults()
      server:fault { operation = "getAccount", status = 429, code = 13000, headers = { ["Retry-After"] = "90" } }
      assert(client:account())
      assert.same({ 90 }, slept)
      slept = {}
      server:fault { operation = "getAccount", status = 429, code = 13000, headers = { ["Retry-After"] = "90" } }
      _, err = client:account { timeout = 60 }
      assert.same({ "rate_limited", 90, 1 }, { err.kind, err.retry_after, err.attempts })
      assert.same({}, slept)
      -- A date is understood as well: by the real time, like the platform's own.
      server:fault { operation = "getAccount", status = 503,
        headers = { ["Retry-After"] = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 900) } }
      assert(client:account { timeout = 1000 })
      assert.is_true(slept[1] > 600 and slept[1] <= 900, tostring(slept[1]))
    end)
  end)

  it("waits between the requests of a download by it", function()
    at_once(function()
      local run = assert(client:worker "demo/rows":call { count = 20 })
      slept = {}
      server:fault { origin = "files", status = 503, times = 2, headers = { ["Retry-After"] = "300" } }
      local path = os.tmpname()
      local file, err = run:export(path, { format = "csv" })
      os.remove(path)
      assert(file, tostring(err))
      assert.is_true(total() >= 0.25)
    end)
  end)
end)
