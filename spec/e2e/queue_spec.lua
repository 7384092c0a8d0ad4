-- The run queue.

local box = require "spec.support.box"
local core = require "coreclaw.core"

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

  describe("when an answer is lost,", function()
    local item
    before_each(function() item = assert(worker:queue { count = 1 }) end)
    after_each(function() server:clear_faults() end)

    local function is_listed()
      for other in client:queue() do
        if other.queue_ref == item.queue_ref then return true end
      end
      return false
    end

    it("knows that the item was activated, once", function()
      local before = server:paid()
      server:fault { operation = "activateRunQueueItems", close = "after" }
      assert.equal(item, assert(item:activate()))
      assert.equal(before + 1, server:paid())
    end)

    it("knows that the item was released", function()
      server:fault { operation = "releaseRunQueueItem", close = "after" }
      assert.equal(item, assert(item:release()))
      assert.is_false(is_listed())
    end)

    it("looks into the queue where a success names no item", function()
      local before = server:paid()
      server:fault { operation = "activateRunQueueItems", body = '{"code":0,"data":{}}', work = false }
      local ok, err = item:activate()
      assert.is_nil(ok)
      assert.equal("bad_response", err.kind)
      assert.equal("refused", err.sent)
      assert.is_true(is_listed())
      server:fault { operation = "activateRunQueueItems", body = '{"code":0,"data":{"results":7}}', work = true }
      assert.equal(item, assert(item:activate()))
      assert.equal(before + 1, server:paid())
    end)

    it("does not know when the queue cannot be read", function()
      server:fault { operation = "activateRunQueueItems", close = "after" }
      server:fault { operation = "listRunQueueItems", status = 403, body = "no" }
      local ok, err = item:activate()
      assert.is_nil(ok)
      assert.equal("run_conflict", err.kind)
      assert.equal("unknown", err.sent)
    end)

    it("does not call refused what an earlier attempt may have done", function()
      local before = server:paid()
      server:fault { operation = "activateRunQueueItems", close = "after" }
      server:fault { operation = "activateRunQueueItems", status = 401, code = 12002, nth = 2 }
      server:fault { operation = "listRunQueueItems", status = 401, code = 12002 }
      local ok, err = item:activate()
      assert.is_nil(ok)
      assert.equal("authentication", err.kind)
      assert.equal("unknown", err.sent)
      assert.equal(before + 1, server:paid())
    end)

    it("says so of each of many", function()
      local other = assert(worker:queue { count = 1 })
      server:fault { operation = "activateRunQueueItems", close = "after" }
      server:fault { operation = "listRunQueueItems", status = 403, body = "no" }
      local outcomes = assert(client:activate { item, other })
      assert.equal("unknown", outcomes[1].sent)
      assert.equal("unknown", outcomes[2].sent)
      assert.equal("refused", assert(client:activate { item })[1].sent)
      assert.equal("yes", assert(client:activate { assert(worker:queue { count = 1 }) })[1].sent)
    end)
  end)

  it("tells when it was, where a success tells nothing else", function()
    server:fault { operation = "queuedRunWorker", body = '{"code":0}', work = true, delay = 1.1 }
    server:fault { operation = "createWorkerTask", body = '{"code":0}', work = true, delay = 1.1 }
    local began = core.time()
    local _, err = worker:queue { count = 1 }
    assert.is_true(err.window.from <= began)
    began = core.time()
    _, err = client:create_task { worker = worker, title = "t", input = { count = 1 } }
    assert.equal("unknown_outcome", err.kind)
    assert.is_true(err.window.from <= began)
  end)

  it("refuses misuse", function()
    assert.matches("a list of queue items", box.raised(function() client:activate {} end))
    assert.matches("a list of queue items", box.raised(function() client:release "1" end))
    assert.matches("queue_ref", box.raised(function() client:queue_item "a/b" end))
    assert.matches("status must be one of waiting, inactive", box.raised(function() client:queue { status = "x" } end))
  end)
end)
