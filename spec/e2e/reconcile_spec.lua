-- After an unknown outcome.

local box = require "spec.support.box"
local calendar = require "coreclaw.calendar"
local coreclaw = require "coreclaw"

describe("client:reconcile", function()
  local server, client, worker

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
  end)
  teardown(function() server:stop() end)
  before_each(function() server:clear_faults() end)

  local function lose(fn, fault)
    server:fault(fault)
    local handle, err = fn()
    assert.is_nil(handle)
    assert.equal("unknown_outcome", err.kind)
    return err
  end

  -- A run that has not begun is not always told from others: on a month's last day.
  local function find(err)
    local run, why
    for _ = 1, 100 do
      run, why = client:reconcile(err)
      if run then return run end
      coreclaw.sleep(0.05)
    end
    error(why)
  end

  it("finds the run that was started after all", function()
    assert(worker:call { count = 1 }) -- one of ours, at the same time: not the one
    local before = server:paid()
    local err = lose(function() return worker:start { count = 4 } end,
      { operation = "runWorker", times = 1, close = "after" })
    local run = find(err)
    assert.equal("succeeded", assert(run:wait()).status)
    assert.equal(4, run.results_count)
    assert.equal(before + 1, server:paid())
  end)

  it("finds those of a rerun and of a saved task", function()
    local run = assert(worker:call { count = 2 })
    local err = lose(function() return run:rerun() end, { operation = "rerunWorkerRun", times = 1, close = "after" })
    assert.equal(2, assert(find(err):wait()).results_count)
    local task = assert(client:create_task { worker = worker, title = "t", input = { count = 3 } })
    err = lose(function() return task:start() end, { operation = "runWorkerTask", times = 1, close = "after" })
    assert.equal(3, assert(find(err):wait()).results_count)
  end)

  it("says so when there is none", function()
    local fresh = box.start()
    local other = box.client(fresh)
    fresh:fault { operation = "runWorker", times = 1, close = "before" }
    local _, err = other:worker("demo/rows"):start { count = 1 }
    assert.equal("unknown_outcome", err.kind)
    local run, why = other:reconcile(err)
    assert.is_nil(run)
    assert.equal("unknown_outcome", why.kind)
    assert.same({}, why.candidates)
    assert.equal(err, why.cause)
    assert.equal(0, fresh:paid())
    fresh:stop()
  end)

  it("says so when there are several, and lists them", function()
    local err = lose(function() return worker:start { count = 1 } end,
      { operation = "runWorker", times = 1, close = "after" })
    -- somebody else starts one at the same moment
    assert(box.client(server):worker("demo/rows"):start { count = 1 })
    coreclaw.sleep(0.5) -- both begin
    local run, why = client:reconcile(err)
    assert.is_nil(run)
    assert.equal(2, #why.candidates)
    assert.matches("2 runs were started at that time", why.message)
  end)

  it("finds it behind a hundred that were started since", function()
    local fresh = box.start()
    local own = box.client(fresh)
    fresh:fault { operation = "runWorker", times = 1, close = "after" }
    local _, err = own:worker("demo/rows"):start { count = 0 }
    assert.equal("unknown_outcome", err.kind)
    local _, paid = fresh:paid()
    coreclaw.sleep(2.1)
    local other = box.client(fresh):worker "demo/rows"
    for _ = 1, 105 do assert(other:run_sync { count = 1 }) end
    assert.equal(paid[1].run_slug, assert(own:reconcile(err, { margin = 0 })).slug)
    fresh:stop()
  end)

  it("says that it is not known where the list cannot be read to its end", function()
    local fresh = box.start()
    local own = box.client(fresh, { retry = false })
    fresh:fault { operation = "runWorker", times = 1, close = "after" }
    local _, err = own:worker("demo/rows"):start { count = 0 }
    local other = box.client(fresh):worker "demo/rows"
    for _ = 1, 105 do assert(other:run_sync { count = 1 }) end
    local narrow = box.client(fresh, { max_pages = 1 })
    local run, why = narrow:reconcile(err)
    assert.is_nil(run)
    assert.same({ "unknown_outcome", "too_large" }, { why.kind, why.cause.kind })
    assert.matches("it is not known whether it was started", why.message)
    fresh:fault { operation = "listWorkerRuns", status = 503, times = 1 }
    run, why = own:reconcile(err)
    assert.is_nil(run)
    assert.same({ "unknown_outcome", "server_error" }, { why.kind, why.cause.kind })
    assert.matches("it is not known whether it was started", why.message)
    fresh:stop()
  end)

  -- The last seconds of a month at UTC+8, by the clock of the platform.
  local function at_months_end(there)
    local now = there:time()
    local year, month = calendar.date(math.floor((now + 8 * 3600) / 86400))
    local turn = calendar.day(month == 12 and year + 1 or year, month % 12 + 1, 1) * 86400 - 8 * 3600
    there:advance(turn - now - 4)
  end

  it("finds a run of the month before", function()
    local fresh = box.start { clock = "virtual" }
    local own = box.client(fresh)
    at_months_end(fresh)
    fresh:fault { operation = "runWorker", times = 1, close = "after" }
    local from = fresh:time()
    local _, err = own:worker("demo/rows"):start { count = 0 }
    err.window = { from = math.floor(from), to = math.ceil(fresh:time()) }
    fresh:advance(10) -- it begins, and the month turns
    local run, why = own:reconcile(err)
    local _, paid = fresh:paid()
    assert.equal(paid[1].run_slug, assert(run, why).slug)
    fresh:stop()
  end)

  it("says that it is not known through API v1, which lists the current month only", function()
    local err = lose(function() return worker:start { count = 1 } end,
      { operation = "runWorker", times = 1, close = "before" })
    err.window = { from = err.window.from - 40 * 86400, to = err.window.to - 40 * 86400 }
    local run, why = box.client(server, { api = "v1" }):reconcile(err)
    assert.is_nil(run)
    assert.same({ "unknown_outcome", "not_implemented" }, { why.kind, why.cause.kind })
    assert.matches("it is not known whether it was started.*current month only", why.message)
  end)

  describe("of a run that has not begun", function()
    local there, own

    before_each(function()
      there = box.start { ready_for = 60 }
      own = box.client(there)
    end)
    after_each(function() there:stop() end)

    local function lost(close)
      there:fault { operation = "runWorker", times = 1, close = close }
      local _, err = own:worker("demo/rows"):start { count = 0 }
      assert.equal("unknown_outcome", err.kind)
      return err
    end

    -- The list can be asked for times finer than a day, but not on a month's last day.
    local function last_day()
      local day = math.floor((there:time() + 8 * 3600) / 86400)
      return select(2, calendar.date(day)) ~= select(2, calendar.date(day + 1))
    end

    it("never takes one that was there before", function()
      local theirs = assert(box.client(there):worker("demo/rows"):start { count = 7 })
      coreclaw.sleep(2.1)
      local run, why = own:reconcile(lost "before", { margin = 0 })
      assert.is_nil(run)
      assert.equal("unknown_outcome", why.kind)
      assert.equal(theirs.slug, why.candidates[1].slug)
      assert.matches("1 run has not begun and may have been created at any time", why.message)
    end)

    it("takes its own, which the list tells from others by the time of creation", function()
      if last_day() then return end
      assert(box.client(there):worker("demo/rows"):start { count = 7 })
      coreclaw.sleep(2.1)
      local err = lost "after"
      local _, paid = there:paid()
      coreclaw.sleep(3.1)
      assert(box.client(there):worker("demo/rows"):start { count = 7 })
      assert.equal(paid[2].run_slug, assert(own:reconcile(err, { margin = 0 })).slug)
    end)

    it("finds it when it has begun long after the call", function()
      if last_day() then return end
      there:stop()
      there = box.start { ready_for = 4 }
      own = box.client(there)
      local err = lost "after"
      coreclaw.sleep(6)
      local _, paid = there:paid()
      local run, why = own:reconcile(err, { margin = 0 })
      assert.equal(paid[1].run_slug, assert(run, why).slug)
      assert.is_true(run.started_at > err.window.to)
    end)

    it("does not through API v1, which knows no times", function()
      local err = lost "after"
      local run, why = box.client(there, { api = "v1" }):reconcile(err)
      assert.is_nil(run)
      assert.equal(1, #why.candidates)
      assert.matches("has not begun", why.message)
    end)
  end)

  it("wants the right kind of error", function()
    assert.matches("unknown_outcome is wanted", box.raised(function() client:reconcile "x" end))
    local _, err = client:run("01KZS4D8M2XW7Q5T9BHNVRC3EA"):reload()
    assert.matches("unknown_outcome is wanted", box.raised(function() client:reconcile(err) end))
    err = lose(function() return worker:queue { count = 1 } end,
      { operation = "queuedRunWorker", times = 1, close = "after" })
    assert.matches("starts no run to look for", box.raised(function() client:reconcile(err) end))
  end)
end)
