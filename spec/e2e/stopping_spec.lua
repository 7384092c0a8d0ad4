-- Stopping: a hook that returns false ends the waiting, not the run; what a hook raises comes through
-- as it is; in no case is anything left in flight.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("stopping", function()
  local server, client, path
  setup(function()
    server = box.start()
    path = os.tmpname()
  end)
  teardown(function()
    os.remove(path)
    server:stop()
  end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
    client = box.client(server)
  end)

  local function talker(lines)
    return assert(client:worker "test/talker":start { lines = lines or 30, delay = 0.1 })
  end

  local function never() return false end

  -- The run was neither aborted nor started again, and comes to its end.
  local function goes_on(run)
    for _, request in ipairs(server:requests()) do
      assert.not_matches("[Aa]bort", request.operation or "")
    end
    local again = client:run(run:serialize())
    assert(again:wait())
    assert.equal("succeeded", again.status)
  end

  local function check(err, run, say)
    assert.is_true(coreclaw.is_error(err), tostring(err))
    assert.same({ "cancelled", "yes", false }, { err.kind, err.sent, err.retryable })
    assert.is_true(run == nil or run == err.run) -- `equal` would print all of a client
    assert.matches(say or "on_update returned false", err.message)
  end

  -- No request comes that nobody waits for.
  local function is_quiet()
    local before = #server:requests()
    coreclaw.sleep(0.2)
    assert.equal(before, #server:requests())
  end

  it("ends run:wait when on_update returns false", function()
    local paid, reads = server:paid(), 0
    local run = talker()
    local ok, err = run:wait { on_update = function()
      reads = reads + 1
      return reads < 3
    end }
    assert.is_nil(ok)
    check(err, run, "it was not aborted and goes on")
    assert.equal(3, reads)
    is_quiet()
    goes_on(run)
    assert.equal(paid + 1, (server:paid()))
  end)

  it("does not take nil, or anything else than false, for a wish to stop", function()
    local seen = {}
    for i, value in ipairs { 0, "", {} } do
      local run = talker(3)
      assert(run:wait { on_update = function(r)
        seen[i] = r.status
        return value
      end })
    end
    assert.same({ "succeeded", "succeeded", "succeeded" }, seen)
  end)

  it("ends worker:call, which names its run", function()
    local paid = server:paid()
    local ok, err = client:worker "test/talker":call({ lines = 20, delay = 0.1 }, { on_update = never })
    assert.is_nil(ok)
    check(err, err.run)
    goes_on(err.run)
    assert.equal(paid + 1, (server:paid()))
  end)

  it("ends the following of rows and pages, with a token behind what was read", function()
    for _, method in ipairs { "results", "pages" } do
      local run = assert(client:worker "demo/rows":start { count = 30, delay = 0.05 })
      local got, stop = {}, false
      local err = box.raised(function()
        for item in run[method](run, { follow = true, on_update = function() return not stop end }) do
          for _, row in ipairs(item.list or { item }) do got[#got + 1] = row.index end
          stop = #got >= 4
        end
      end)
      check(err, run)
      is_quiet()
      for row in run:results { follow = true, from = err.token } do got[#got + 1] = row.index end
      table.sort(got)
      local all = {}
      for i = 1, 30 do all[i] = i end
      assert.same(all, got)
      goes_on(run)
    end
  end)

  it("ends the following of a log", function()
    local run = talker()
    local err = box.raised(function()
      for _ in run:logs { follow = true, on_update = never } do coreclaw.sleep(0) end
    end)
    check(err, run)
    goes_on(run)
  end)

  it("wants on_update only where states are read", function()
    local run = client:run "01KZS4D8M2XW7Q5T9BHNVRC3EA"
    assert.matches("on_update belongs to follow = true", box.raised(run.results, run, { on_update = never }))
    assert.matches("on_update belongs to follow = true", box.raised(run.logs, run, { on_update = never }))
  end)

  it("ends client:map, names what was begun, and loses none of it", function()
    for _, hook in ipairs { "on_start", "on_update" } do
      local paid, told, stop = server:paid(), 0, true
      local inputs = {}
      for i = 1, 4 do inputs[i] = { lines = 10, delay = 0.1 } end
      local next_item = client:map("test/talker", inputs, { concurrency = 2, [hook] = function()
        told = told + 1
        return not (stop and told >= 2)
      end })
      local err = box.raised(function() for _ in next_item do coreclaw.sleep(0) end end)
      check(err, nil, hook .. " returned false: no further run is started")
      assert.equal(paid + 2, (server:paid()))
      assert.equal(2, #err.items)
      for _, item in ipairs(err.items) do assert.is_string(item.run.slug) end
      is_quiet()
      stop = false -- who has kept the iterator may go on with it
      local items = box.collect(next_item)
      assert.equal(4, #items)
      for _, item in ipairs(items) do assert.is_nil(item.err) end
      assert.equal(paid + 4, (server:paid()))
    end
  end)

  it("ends a download, which goes on later", function()
    local run = assert(client:worker "demo/rows":call { count = 400, size = 2000 })
    local calls = 0
    local _, err = run:export(path, { format = "json", on_progress = never })
    check(err, run, "on_progress returned false")
    assert(run:export(path, { format = "json", on_progress = function() calls = calls + 1 end }))
    assert.is_true(calls > 0)
  end)

  describe("by on_request", function()
    local stop_at, seen
    local function stopper(more)
      seen = {}
      local options = { on_request = function(event)
        seen[#seen + 1] = event.operation
        if event.operation == stop_at then return false end
      end }
      for name, value in pairs(more or {}) do options[name] = value end
      return box.client(server, options)
    end

    it("sends nothing: no start, nothing paid, not tried again", function()
      local paid = server:paid()
      stop_at = "runWorker"
      for _, retry in ipairs { { base = 0 }, function() return 0 end } do
        local run, err = stopper { retry = retry }:worker "test/talker":start { lines = 1 }
        assert.is_nil(run)
        assert.same({ "cancelled", "no", 1 }, { err.kind, err.sent, err.attempts })
        assert.matches("on_request returned false: the request was not sent %(runWorker%)", tostring(err))
        assert.same({ "runWorker" }, seen)
      end
      assert.equal(paid, (server:paid()))
      assert.equal(0, #server:requests())
    end)

    it("tells what may have come of the tries before", function()
      local n = 0
      local from = box.client(server, { retry = { base = 0 }, on_request = function()
        n = n + 1
        return n ~= 2
      end })
      server:fault { operation = "deleteWorkerTask", close = "after" }
      local _, err = from:task("01KZS4D8M2XW7Q5T9BHNVRC3EA"):delete()
      assert.same({ "cancelled", "unknown" }, { err.kind, err.sent })
      n = 0
      server:fault { operation = "runWorker", status = 429, code = 13000 }
      _, err = from:worker "test/talker":start { lines = 1 }
      assert.same({ "cancelled", "refused" }, { err.kind, err.sent })
    end)

    it("ends waiting, following and map, naming the run", function()
      local run = talker(20)
      local same = stopper():run(run.slug)
      stop_at = "getWorkerRun"
      local _, err = same:wait()
      check(err, same, "on_request returned false")
      check(box.raised(box.collect, same:results { follow = true }), same, "on_request")
      check(box.raised(box.collect, same:logs { follow = true }), same, "on_request")
      local paid = server:paid()
      err = box.raised(box.collect, stopper():map("test/talker", { { lines = 9, delay = 0.1 } }))
      check(err, nil, "on_request")
      assert.equal(1, #err.items)
      assert.equal(paid + 1, (server:paid()))
      stop_at = "runWorker"
      err = box.raised(box.collect, stopper():map("test/talker", { { lines = 9 }, { lines = 9 } }))
      assert.same({ "cancelled", "no", 1, paid + 1 }, { err.kind, err.sent, #err.items, (server:paid()) })
      goes_on(run)
    end)

    it("ends reading rows, with a token to go on from", function()
      local run = assert(client:worker "demo/rows":call { count = 25 })
      local pages_read, got, token = 0, 0, nil
      local from = box.client(server, { on_request = function() return pages_read < 2 end,
        on_response = function() pages_read = pages_read + 1 end })
      local err = box.raised(function()
        for _, mark in from:run(run.slug):results { limit = 10 } do got, token = got + 1, mark end
      end)
      check(err, err.run, "on_request")
      assert.equal(run.slug, err.run.slug)
      assert.equal(20, got)
      assert.equal(token, err.token)
      assert.equal(5, #box.collect(run:results { from = err.token, limit = 10 }))
      err = box.raised(box.collect, from:run(run.slug):results { from = err.token, limit = 10 })
      assert.equal(5, #box.collect(run:results { from = err.token, limit = 10 }))
    end)

    it("ends reading ahead: what was acknowledged is handed out, nothing is in flight", function()
      local run = assert(client:worker "demo/rows":call { count = 100 })
      for _, way in ipairs { "false", "raise" } do
        local asked, got = 0, 0
        local from = box.client(server, { on_request = function()
          asked = asked + 1
          if asked < 4 then return end
          if way == "raise" then error("mine", 0) end
          return false
        end })
        local err = box.raised(function()
          for _ in from:run(run.slug):results { limit = 10, ahead = 5 } do got = got + 1 end
        end)
        is_quiet()
        assert.equal(4, asked)
        if way == "raise" then
          assert.equal("mine", err)
        else
          check(err, nil, "on_request")
          assert.equal(30, got)
          assert.equal(70, #box.collect(run:results { from = err.token, limit = 10 }))
        end
      end
    end)

    it("ends a download before it is asked for, and between two tries", function()
      local run = assert(client:worker "demo/rows":call { count = 10 })
      os.remove(path)
      stop_at = "exportWorkerRunResults"
      local same = stopper():run(run.slug)
      local _, err = same:export(path, { format = "csv" })
      check(err, same, "on_request")
      assert.is_nil(io.open(path))
      local n = 0
      same = box.client(server, { retry = { base = 0 }, on_request = function()
        n = n + 1
        return n < 3
      end }):run(run.slug)
      server:fault { origin = "files", status = 503, times = 9 }
      _, err = same:export(path, { format = "csv" })
      check(err, same, "on_request")
      assert.equal(1, err.attempts)
      server:clear_faults()
      assert(run:export(path, { format = "csv" }))
    end)
  end)

  describe("by an error", function()
    local mistake = { "mine" }
    local function fail() error(mistake, 0) end

    local function comes_through(fn, ...)
      assert.equal(mistake, box.raised(fn, ...))
      is_quiet()
    end

    it("that a hook raises: it comes through unchanged, and the next call works", function()
      local run = talker(20)
      comes_through(run.wait, run, { on_update = fail })
      comes_through(box.collect, run:results { follow = true, on_update = fail })
      comes_through(box.collect, run:logs { follow = true, on_update = fail })
      local paid = server:paid()
      comes_through(box.collect, client:map("test/talker", { { lines = 1 }, { lines = 1 } }, { on_start = fail }))
      assert.equal(paid + 1, (server:paid()))
      local failing = box.client(server, { on_request = fail })
      comes_through(failing.account, failing)
      comes_through(function() failing:worker "test/talker":start { lines = 1 } end)
      assert.equal(paid + 1, (server:paid()))
      goes_on(run)
      comes_through(run.export, run, path, { on_progress = fail })
      comes_through(function() failing:run(run.slug):export(path) end)
      assert(run:export(path))
    end)
  end)

  it("happens by leaving a loop, too", function()
    local run = assert(client:worker "demo/rows":start { count = 30, delay = 0.05 })
    local function leave(make)
      for item in make() do
        assert.is_table(item)
        if item then break end
      end
      -- Before Lua 5.4 what was read ahead is ended when its iterator is collected.
      if not _VERSION:find "5.4" then
        collectgarbage()
        collectgarbage()
      end
      is_quiet()
    end
    leave(function() return run:results { follow = true } end)
    leave(function() return run:logs { follow = true } end)
    leave(function() return client:map("demo/rows", { { count = 1 }, { count = 1 } }, { concurrency = 1 }) end)
    goes_on(run)
    leave(function() return run:results { limit = 10 } end)
  end)
end)
