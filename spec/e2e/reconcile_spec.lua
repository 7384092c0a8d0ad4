-- After an unknown outcome.

local box = require "spec.support.box"

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

  it("finds the run that was started after all", function()
    assert(worker:call { count = 1 }) -- one of ours, at the same time: not the one
    local before = server:paid()
    local err = lose(function() return worker:start { count = 4 } end,
      { operation = "runWorker", times = 1, close = "after" })
    local run = assert(client:reconcile(err))
    assert.equal("succeeded", assert(run:wait()).status)
    assert.equal(4, run.results_count)
    assert.equal(before + 1, server:paid())
  end)

  it("finds those of a rerun and of a saved task", function()
    local run = assert(worker:call { count = 2 })
    local err = lose(function() return run:rerun() end, { operation = "rerunWorkerRun", times = 1, close = "after" })
    assert.equal(2, assert(assert(client:reconcile(err)):wait()).results_count)
    local task = assert(client:create_task { worker = worker, title = "t", input = { count = 3 } })
    err = lose(function() return task:start() end, { operation = "runWorkerTask", times = 1, close = "after" })
    assert.equal(3, assert(assert(client:reconcile(err)):wait()).results_count)
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
    local run, why = client:reconcile(err)
    assert.is_nil(run)
    assert.equal(2, #why.candidates)
    assert.matches("2 runs were started at that time", why.message)
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
