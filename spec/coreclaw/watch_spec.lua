local clock = require "coreclaw.clock"
local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local watch = require "coreclaw.watch"

-- A run whose reads answer with these states, one after the other; an error is a failed read.
local function run_of(states, timeout)
  local run = { slug = "R1", status = "running", reads = 0 }
  run.client = { settings = { timeout = timeout or 60 }, clock = clock.new(), random = core.random }
  function run:reload(options)
    self.reads, self.options = self.reads + 1, options
    local state = states[math.min(self.reads, #states)]
    if errors.is(state) then return nil, state end
    self.status = state
    return self
  end
  return run
end

local function failure(retryable)
  return errors.new { kind = "network", message = "broken", retryable = retryable }
end

describe("watch", function()
  it("is settled by a final status", function()
    for status in pairs(watch.FINAL) do
      local run = run_of { status }
      local watching = watch.new(run, 0, { 0 })
      assert.is_false(watching:settled())
      assert.is_true(watching:read())
      assert.is_true(watching:settled())
    end
    local watching = watch.new(run_of { "something new" }, 0, { 0 })
    assert.is_true(watching:read())
    assert.is_false(watching:settled())
  end)

  it("takes aborting for settled after ten reads", function()
    local watching = watch.new(run_of { "aborting" }, 0, { 0 })
    for _ = 1, 10 do
      assert.is_false(watching:settled())
      assert.is_true(watching:read())
    end
    assert.is_true(watching:settled())
  end)

  it("keeps a failure that may pass, and returns one that will not", function()
    local passing, final = failure(true), failure(false)
    local watching = watch.new(run_of { passing, "running", final }, 5, { 0 })
    assert.is_false(watching:read())
    assert.equal(passing, watching:expired().cause)
    assert.is_true(watching:read())
    assert.is_nil(watching.cause)
    local ok, err = watching:read()
    assert.is_nil(ok)
    assert.equal(final, err)
  end)

  it("pauses longer and longer, shortly again after news, and not past its time", function()
    for _ = 1, 50 do
      local seconds = watch.jittered({ 1, 10 }, 1, core.random)
      assert.is_true(seconds >= 0.8 and seconds <= 1.2)
      seconds = watch.jittered({ 1, 10 }, 7, core.random)
      assert.is_true(seconds >= 8 and seconds <= 12)
    end
    local watching = watch.new(run_of { "running" }, 0.15, { 0.01, 60 })
    local since = core.now()
    assert.is_true(watching:pause())
    watching:stir()
    assert.is_true(watching:pause())
    assert.is_true(core.now() - since < 0.12)
    assert.is_true(watching:pause())
    assert.is_true(core.now() - since >= 0.15)
    assert.is_false(watching:pause())
    assert.equal("wait_timeout", watching:expired().kind)
  end)

  it("gives a request its usual time, not past the deadline, but always some", function()
    local run = run_of({ "running" }, 60)
    assert.equal(60, watch.new(run, 0):budget())
    assert.equal(60, watch.new(run, 3600):budget())
    assert.is_true(watch.new(run, 30):budget() <= 30)
    local least = watch.new(run, 0.01):budget()
    assert.is_true(least >= 0.1 and least <= 1)
    local unlimited = run_of({ "running" }, 0)
    assert.equal(0, watch.new(unlimited, 0):budget())
    assert.is_true(watch.new(unlimited, 30):budget() <= 30)
    run.status = "succeeded" -- the last read of an ended run has no more time than the others
    assert.is_true(watch.new(run, 0.01):budget() <= 1)
  end)
end)
