-- Writes whose answers are lost: what is true decides, not what the last answer says.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("a write whose answer was lost", function()
  local server, client, task, run

  setup(function()
    server = box.start { abort_ends = "never" }
    client = box.client(server)
    run = assert(client:worker "demo/rows":start { count = 2000, delay = 0.1 })
  end)
  teardown(function() server:stop() end)

  before_each(function()
    server:clear_faults()
    task = assert(client:create_task { worker = "demo/rows", title = "first", input = { count = 1 } })
    server:reset_requests()
  end)

  -- `after`: it was received, and worked; `before`: it was not.
  local function lose(operation, close, times)
    server:fault { operation = operation, close = close, times = times or 3 }
  end

  local function count(operation)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.operation == operation then n = n + 1 end
    end
    return n
  end

  it("is sent three times at most", function()
    lose("updateWorkerTask", "before", 9)
    local ok, err = task:update { title = "second" }
    assert.is_nil(ok)
    assert.same({ 3, "unknown" }, { err.attempts, err.sent })
    assert.equal(3, count "updateWorkerTask")
  end)

  it("is unknown, whatever became of the last try", function()
    lose("updateWorkerTask", "before", 1)
    server:fault { operation = "updateWorkerTask", status = 400, code = 11000 }
    local _, err = task:update { title = "second" }
    assert.same({ "bad_request", "unknown", true }, { err.kind, err.sent, err.unsure })
    server:fault { operation = "updateWorkerTask", status = 400, code = 11000 }
    _, err = task:update { title = "second" }
    assert.same({ "bad_request", "refused" }, { err.kind, err.sent, err.unsure })
  end)

  it("of an update is done if the task shows it", function()
    lose("updateWorkerTask", "after")
    assert.equal(task, assert(task:update { title = "second", schedule = { daily = "07:00" } }))
    assert.equal("second", task.title)
    assert.equal("07:00", task.schedule.at or task.schedule.daily)
    assert.equal(1, count "getWorkerTask")
    lose("updateWorkerTask", "before")
    local ok, err = task:update { title = "third" }
    assert.is_nil(ok)
    assert.equal("network", err.kind)
    assert.equal("second", assert(client:task(task.slug):reload()).title)
  end)

  it("of an input is done if that is what is stored", function()
    lose("updateWorkerTaskInput", "after")
    assert.equal(task, assert(task:set_input { count = 7 }))
    lose("updateWorkerTaskInput", "before")
    local ok, err = task:set_input { count = 8 }
    assert.is_nil(ok)
    assert.equal("network", err.kind)
    lose("updateWorkerTaskInput", "before") -- what is stored holds more than this
    assert.is_nil((task:set_input {}))
  end)

  it("of a delete is done if the task is gone", function()
    lose("deleteWorkerTask", "after", 1)
    assert.equal(task, assert(task:delete()))
    local again = assert(client:create_task { worker = "demo/rows", title = "x", input = { count = 1 } })
    server:fault { operation = "deleteWorkerTask", close = "after" }
    lose("deleteWorkerTask", "before", 2)
    assert.equal(again, assert(again:delete()))
    again = assert(client:create_task { worker = "demo/rows", title = "x", input = { count = 1 } })
    lose("deleteWorkerTask", "before")
    local ok, err = again:delete()
    assert.is_nil(ok)
    assert.equal("network", err.kind)
    assert(again:reload())
  end)

  it("of a delete is not done by us if nothing of it had been received", function()
    assert(task:delete())
    server:fault { operation = "deleteWorkerTask", status = 429, code = 13000 }
    local ok, err = task:delete()
    assert.is_nil(ok)
    assert.same({ "not_found", 2 }, { err.kind, err.attempts })
  end)

  it("of an abort is done if the run shows it", function()
    lose("abortWorkerRun", "before")
    local ok, err = run:abort()
    assert.is_nil(ok)
    assert.equal("network", err.kind)
    server:fault { operation = "abortWorkerRun", close = "after" }
    lose("abortWorkerRun", "before", 2)
    assert.equal(run, assert(run:abort()))
    local ended = assert(client:worker "demo/rows":call { count = 1 })
    server:reset_requests()
    ok, err = ended:abort() -- a plain refusal is believed at once
    assert.is_nil(ok)
    assert.equal("run_conflict", err.kind)
    assert.equal(1, #server:requests())
  end)

  for _, verb in ipairs { "activate", "release" } do
    local one = verb == "activate" and "activateRunQueueItems" or "releaseRunQueueItem"
    local many = verb == "activate" and one or "releaseRunQueueItems"
    local function item() return assert(client:worker "demo/rows":queue { count = 1 }) end

    it("of " .. verb .. " is done if the item is no longer in the queue", function()
      local paid = server:paid()
      for _, times in ipairs { 1, 3 } do
        local it_ = item()
        lose(one, "after", times)
        assert.equal(it_, assert(it_[verb](it_)))
        local a, b = item(), item()
        lose(many, "after", times)
        local outcomes, err, all = client[verb](client, { a, b })
        assert(outcomes, tostring(err))
        assert.is_true(all)
        local expected = {}
        for i, ref in ipairs { a.queue_ref, b.queue_ref } do
          expected[i] = { queue_ref = ref, success = true, sent = "yes" }
        end
        assert.same(expected, outcomes)
      end
      assert.equal(paid + (verb == "activate" and 6 or 0), (server:paid()))
    end)

    it("of " .. verb .. " is not done if the item is still there, or nothing had been received", function()
      local it_ = item()
      lose(one, "before")
      local ok, err = it_[verb](it_)
      assert.is_nil(ok)
      assert.equal("network", err.kind)
      lose(many, "before")
      assert.is_nil((client[verb](client, { it_ })))
      assert(it_:release())
      ok, err = it_[verb](it_)
      assert.is_nil(ok)
      assert.is_string(err.kind)
      assert.equal(0, count "listRunQueueItems" - 2)
    end)

    it("of " .. verb .. " is not done if the item only slipped to a page that had been read", function()
      local it_ = item()
      local function page(first)
        local items = { ('{"queue_ref":"%s"}'):format(first) }
        for i = 2, 100 do items[i] = ('{"queue_ref":"9%d"}'):format(i) end
        return '{"code":0,"data":{"list":[' .. table.concat(items, ",") .. "]}}"
      end
      lose(one, "before")
      for nth, body in ipairs { page "91", '{"code":0,"data":{"list":[]}}', page(it_.queue_ref), '{"code":0,"data":{"list":[]}}' } do
        server:fault { operation = "listRunQueueItems", nth = nth, body = body }
      end
      local ok, err = it_[verb](it_)
      assert.is_nil(ok)
      assert.same({ "network", "unknown" }, { err.kind, err.sent })
    end)

    -- The platform may still be at work on a try that we gave up, though its item is there when we look.
    it("of " .. verb .. " is unknown while the item is still there", function()
      local hasty = box.client(server, { request_timeout = 0.15 })
      local function late(operation, results)
        server:clear_faults()
        server:fault { operation = operation, header_delay = 0.5 }
        server:fault { operation = operation, nth = 2, body = ('{"code":0,"data":%s}'):format(results), work = false }
      end
      local function goes(gone)
        for _ = 1, 100 do
          local there = false
          for each in client:queue() do there = there or each.queue_ref == gone.queue_ref end
          if not there then return true end
          coreclaw.sleep(0.05)
        end
      end
      local first, second = item(), item()
      late(one, "[]")
      local same = hasty:queue_item(first.queue_ref)
      local ok, err = same[verb](same)
      assert.same({ nil, "unknown" }, { ok, err.sent })
      assert.is_true(goes(first))
      late(many, ('{"results":[{"queue_ref":"%s","success":false}]}'):format(second.queue_ref))
      local outcomes = assert(hasty[verb](hasty, { second }))
      assert.same({ false, "unknown" }, { outcomes[1].success, outcomes[1].sent })
      assert.is_true(goes(second))
    end)
  end
end)
