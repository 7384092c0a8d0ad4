-- The run queue.

local box = require "spec.support.box"

describe("the run queue", function()
  local server, client, worker

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
  end)
  teardown(function() server:stop() end)

  it("holds runs until they are activated", function()
    local before = server:paid()
    local item = assert(worker:queue { count = 1 })
    assert.is_string(item.queue_ref)
    assert.is_true(item.queue_status == "waiting" or item.queue_status == "inactive")
    local listed = {}
    for it_ in client:queue() do listed[it_.queue_ref] = it_.queue_status end
    assert.is_string(listed[item.queue_ref])
    assert.equal(item, assert(item:activate()))
    local run = assert(worker:last_run())
    assert(run:wait())
    assert.equal("succeeded", run.status)
    assert.is_true(server:paid() > before)
  end)

  it("releases one, for good", function()
    local item = assert(worker:queue { count = 1 })
    assert(item:release { reason = "changed my mind" })
    local again, err = client:queue_item(item.queue_ref):release()
    assert.is_nil(again)
    assert.is_string(err.kind)
    for left in client:queue() do assert.not_equal(item.queue_ref, left.queue_ref) end
  end)

  it("does not swallow the outcome of single items", function()
    local one, two = assert(worker:queue { count = 1 }), assert(worker:queue { count = 1 })
    local outcomes, err, all = client:release { one, two.queue_ref, "999999999" }
    assert.is_nil(err)
    assert.is_false(all)
    assert.equal(3, #outcomes)
    assert.is_true(outcomes[1].success and outcomes[2].success)
    assert.is_false(outcomes[3].success)
    local item = client:queue_item "999999999"
    local ok
    ok, err = item:activate()
    assert.is_nil(ok)
    assert.is_true(err.kind == "run_conflict" or err.kind == "not_found")
  end)

  it("activates many", function()
    local items = { assert(worker:queue { count = 1 }), assert(worker:queue { count = 1 }) }
    local outcomes, err, all = client:activate(items)
    assert.is_nil(err)
    assert.is_true(all)
    assert.equal(2, #outcomes)
  end)

  it("is never queued twice when the answer is lost", function()
    local before = #box.collect(client:queue())
    server:fault { operation = "queuedRunWorker", times = 1, close = "after" }
    local item, err = worker:queue { count = 1 }
    assert.is_nil(item)
    assert.equal("unknown_outcome", err.kind)
    assert.equal(before + 1, #box.collect(client:queue()))
  end)

  it("refuses misuse", function()
    assert.matches("a list of queue items", box.raised(function() client:activate {} end))
    assert.matches("a list of queue items", box.raised(function() client:release "1" end))
    assert.matches("queue_ref", box.raised(function() client:queue_item "a/b" end))
    assert.matches("status must be one of waiting, inactive", box.raised(function() client:queue { status = "x" } end))
  end)
end)
