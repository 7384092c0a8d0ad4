-- Tasks in a plain program: many calls at a time in one thread.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local plain = require "coreclaw.driver.plain"

-- PUC Lua 5.1 blocks inside pcall, where all others suspend.
local suspends_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit")

describe("tasks", function()
  local server, client

  setup(function()
    server = box.start()
    client = box.client(server)
  end)
  teardown(function() server:stop() end)
  before_each(function() server:clear_faults() end)

  local function balance() return assert(client:account()).balance end

  it("a thousand wait at a time in one thread", function()
    coreclaw.connections(0)
    server:fault { operation = "getAccount", delay = 1, times = 1000 }
    local list, left = {}, 0
    for i = 1, 1000 do
      list[i] = coreclaw.spawn(function()
        left = left + 1
        local value = balance()
        return value
      end)
    end
    assert.equal(1000, left) -- all of them wait now
    local before = core.now()
    for _, task in ipairs(list) do assert.is_string(task:join()) end
    coreclaw.connections(16)
    assert.is_true(core.now() - before < 500) -- one after the other: 1000
  end)

  -- What an answer's reader once needed of a task's stack the task keeps.
  it("take a few kB each, also when they have read answers", function()
    local run = assert(client:worker("demo/rows"):call { count = 1 })
    local round, there, most = 1, 0, 0
    local function heap()
      collectgarbage()
      return collectgarbage "count"
    end
    local function three_times()
      for i = 1, 3 do
        assert(run:reload())
        there = there + 1
        while round <= i do coreclaw.sleep(0.01) end
      end
    end
    local before = heap()
    coreclaw.run(function()
      for _ = 1, 100 do coreclaw.spawn(three_times) end
      for i = 1, 3 do
        while there < 100 * i do coreclaw.sleep(0.01) end
        most = math.max(most, (heap() - before) / 100)
        round = round + 1
      end
    end)
    assert.is_true(most < 8, most .. " kB each")
  end)

  describe("an error", function()
    it("reaches who joins it with its traceback, and nobody else", function()
      local function culprit() error "on purpose" end
      local bad = coreclaw.spawn(function()
        coreclaw.sleep(0.01)
        culprit()
        return 1
      end)
      local good = coreclaw.spawn(function()
        coreclaw.sleep(0.03)
        return "fine"
      end)
      assert.equal("fine", good:join())
      assert.equal("failed", bad.status)
      local err = box.raised(bad.join, bad)
      assert.matches("^spec/coreclaw/spawn_spec%.lua:%d+: on purpose\nin a task: ", err)
      assert.matches("spawn_spec%.lua:%d+: in .*culprit", err)
      assert.equal(err, box.raised(bad.join, bad)) -- twice the same
    end)

    it("that is an object is raised as it is", function()
      local thing = setmetatable({}, { __tostring = function() return "thing" end })
      local task = coreclaw.spawn(function() error(thing) end)
      assert.equal(thing, box.raised(task.join, task))
      assert.equal(thing, task.err)
      assert.matches("traceback", task.traceback)
    end)

    it("may be nil, and is an error all the same", function()
      local task = coreclaw.spawn(function() error() end)
      assert.equal("failed", task.status)
      assert.is_false(pcall(task.join, task))
    end)
  end)

  describe("joining", function()
    it("gives all results, nils among them, as often as it is asked", function()
      local task = coreclaw.spawn(function(...)
        coreclaw.sleep(0.01)
        return nil, select("#", ...), nil
      end, nil, 1, nil)
      for _ = 1, 2 do
        assert.equal(3, select("#", task:join()))
        assert.equal(3, (select(2, task:join())))
      end
      assert.equal("done", task.status)
      assert.equal("coreclaw.Spawned (done)", tostring(task))
    end)

    it("of oneself is refused", function()
      local task
      task = coreclaw.spawn(function()
        coreclaw.sleep(0)
        task:join()
      end)
      assert.matches("a task cannot wait for itself", tostring(box.raised(task.join, task)))
    end)

    it("in a circle is an error, not a hang", function()
      local one, two
      one = coreclaw.spawn(function() coreclaw.sleep(0) two:join() end)
      two = coreclaw.spawn(function() coreclaw.sleep(0) one:join() end)
      assert.matches("never end", box.raised(one.join, one))
      one:cancel()
      assert.equal("cancelled", box.raised(two.join, two).kind)
    end)

    it("by several tasks wakes all of them", function()
      local slow = coreclaw.spawn(function() coreclaw.sleep(0.05) return "late" end)
      local joiners = {}
      for i = 1, 5 do joiners[i] = coreclaw.spawn(function() return slow:join() end) end
      for i = 1, 5 do assert.equal("late", joiners[i]:join()) end
    end)

    it("with a limit tells whether it has ended", function()
      local task = coreclaw.spawn(function() coreclaw.sleep(0.3) error "not raised by wait" end)
      assert.is_false(task:wait(0.01))
      assert.is_true(task:wait(20))
      assert.matches("seconds", box.raised(task.wait, task, "x"))
    end)

    it("what nobody can end is an error", function()
      local never = coreclaw.spawn(function()
        local signal = require("coreclaw.driver.pool").signal()
        plain.wait(signal)
      end)
      assert.matches("this wait would never end", box.raised(never.join, never))
      never:cancel()
      assert.equal("cancelled", box.raised(never.join, never).kind)
    end)
  end)

  describe("all", function()
    it("gives first results in order, of functions and of tasks", function()
      local task = coreclaw.spawn(function() coreclaw.sleep(0.05) return "a", "unseen" end)
      local results = coreclaw.all { task, balance, function() end, function() return false end }
      assert.equal("a", results[1])
      assert.is_string(results[2])
      assert.is_nil(results[3])
      assert.is_false(results[4])
      assert.equal(4, results.n)
      assert.same({ n = 0 }, coreclaw.all {})
    end)

    it("raises the first failure in order after all have ended", function()
      local ended = 0
      local err = box.raised(coreclaw.all, {
        function() coreclaw.sleep(0.05) error "first" end,
        function() error "second" end,
        function() coreclaw.sleep(0.1) ended = ended + 1 end,
      })
      assert.matches("first", err)
      assert.equal(1, ended)
    end)

    it("starts nothing when one of the list is no function", function()
      local started = false
      assert.matches("item 2: a function is wanted", box.raised(coreclaw.all, { function() started = true end, 7 }))
      assert.matches("a list of functions or tasks", box.raised(coreclaw.all, balance))
      assert.is_false(started)
    end)
  end)

  describe("run", function()
    it("returns what the function returned when every task has ended", function()
      local ended = 0
      local one, two = coreclaw.run(function(x)
        for _ = 1, 3 do coreclaw.spawn(function() coreclaw.sleep(0.05) ended = ended + 1 end) end
        return x, 2
      end, 1)
      assert.equal(1, one)
      assert.equal(2, two)
      assert.equal(3, ended)
    end)

    it("inside a task waits for the function alone", function()
      local ended, seen = false, nil
      coreclaw.run(function()
        coreclaw.spawn(function() coreclaw.sleep(0.2) ended = true end)
        coreclaw.run(function() coreclaw.sleep(0.01) end)
        seen = ended
      end)
      assert.is_false(seen)
      assert.is_true(ended)
    end)

    it("raises what the function raised; the others end all the same", function()
      local ended = false
      local err = box.raised(coreclaw.run, function()
        coreclaw.spawn(function() coreclaw.sleep(0.05) ended = true end)
        error "mine"
      end)
      assert.matches("mine", err)
      assert.is_true(ended)
    end)

    it("wants a function", function()
      assert.matches("coreclaw.run: a function is wanted", box.raised(coreclaw.run, 1))
      assert.matches("coreclaw.spawn: a function is wanted", box.raised(coreclaw.spawn, {}))
      assert.equal(7, coreclaw.spawn(setmetatable({}, { __call = function(_, x) return x end }), 7):join())
    end)
  end)

  describe("coroutines of one's own", function()
    it("a task's own yield lets the others go first, and returns nothing", function()
      local order = {}
      local one = coreclaw.spawn(function()
        for i = 1, 3 do
          order[#order + 1] = "a" .. i
          assert.equal(0, select("#", coroutine.yield "x"))
        end
      end)
      local two = coreclaw.spawn(function()
        for i = 1, 3 do
          order[#order + 1] = "b" .. i
          coroutine.yield()
        end
      end)
      one:join()
      two:join()
      assert.equal("a1 b1 a2 b2 a3 b3", table.concat(order, " "))
    end)

    it("block inside a task, give their values to their owner, and others go on", function()
      local ticks, over = 0, false
      coreclaw.spawn(function()
        while not over do
          ticks = ticks + 1
          coreclaw.sleep(0.01)
        end
      end)
      server:fault { operation = "getAccount", delay = 0.5, times = 2 }
      local task = coreclaw.spawn(function()
        local values = {}
        for value in coroutine.wrap(function()
          coroutine.yield(balance())
          coroutine.yield(balance())
        end) do values[#values + 1] = value end
        return values
      end)
      local values = task:join()
      over = true
      assert.equal(2, #values)
      assert.is_string(values[1])
      assert.is_true(ticks > 5, ticks)
    end)

    it("many of them at a time block inside each other and end", function()
      server:fault { operation = "getAccount", delay = 0.1, times = 60 }
      local list = {}
      for i = 1, 60 do list[i] = coroutine.wrap(balance) end
      for i = 1, 60 do
        local fetch = list[i]
        list[i] = function() return fetch() end
      end
      local results = coreclaw.all(list)
      for i = 1, 60 do assert.is_string(results[i]) end
    end)

    it("waiting for each other too deep is an error, not a crash", function()
      local first = coreclaw.spawn(function() coreclaw.sleep(0.3) return "ground" end)
      local last = first
      for _ = 1, 60 do
        local before = last
        last = coreclaw.spawn(function()
          coreclaw.sleep(0)
          return coroutine.wrap(function() return before:join() end)()
        end)
      end
      local ok, result = pcall(last.join, last)
      if not ok then assert.matches("too many tasks wait inside each other", tostring(result)) end
      assert.equal("ground", first:join())
      assert.is_string(balance())
    end)

    it("tasks started by tasks by tasks are no matter of the C stack", function()
      local deepest = 0
      local function dig(n)
        deepest = math.max(deepest, n)
        if n < 500 then return coreclaw.spawn(dig, n + 1):join() end
        return "ground"
      end
      assert.equal("ground", coreclaw.run(dig, 1))
      assert.equal(500, deepest)
    end)

    it("a wait in pcall, in an iterator or in a metamethod never fails to yield", function()
      local ticks, over = 0, false
      coreclaw.spawn(function()
        while not over do
          ticks = ticks + 1
          coreclaw.sleep(0.01)
        end
      end)
      server:fault { operation = "getAccount", delay = 0.2, times = 4 }
      local task = coreclaw.spawn(function()
        local got = {}
        local ok, value = pcall(balance)
        assert(ok, value)
        got[1] = value
        for each in function(_, last) return not last and balance() or nil end do got[2] = each end
        got[3] = setmetatable({}, { __index = function() return balance() end }).field
        table.sort({ 2, 1 }, function(a, b)
          got[4] = got[4] or balance()
          return a < b
        end)
        return got
      end)
      local got = task:join()
      over = true
      for i = 1, 4 do assert.is_string(got[i]) end
      assert.is_true(ticks > 5, ticks)
    end)
  end)

  it("that were woken for nothing go on waiting", function()
    local since = core.now()
    local sleeper = coreclaw.spawn(function() coreclaw.sleep(0.1) end)
    local caller = coreclaw.spawn(function() return balance() end)
    for _, task in ipairs { sleeper, caller } do task.wake() end -- as one that an error has left behind may do
    assert.is_string(caller:join())
    sleeper:join()
    assert.is_true(core.now() - since >= 0.1)
  end)

  describe("cancel", function()
    it("of what has ended changes nothing", function()
      local done = coreclaw.spawn(function() return 1 end)
      done:cancel()
      assert.equal(1, done:join())
      local failed = coreclaw.spawn(function() error "x" end)
      failed:cancel()
      assert.matches("x", box.raised(failed.join, failed))
    end)

    it("ends a sleep, a join and whatever is begun afterwards", function()
      local slow = coreclaw.spawn(function() coreclaw.sleep(0.2) return "slow" end)
      local sleeper = coreclaw.spawn(function() coreclaw.sleep(60) end)
      local joiner = coreclaw.spawn(function() return slow:join() end)
      local later = {}
      local stubborn = coreclaw.spawn(function()
        coroutine.yield()
        for i = 1, 2 do
          local _, err = client:account()
          later[i] = err.kind
        end
      end)
      local deaf = coreclaw.spawn(function()
        coroutine.yield()
        while true do client:account() end
      end)
      for _, task in ipairs { sleeper, joiner, stubborn, deaf } do
        task:cancel()
        task:cancel()
      end
      assert.equal("cancelled", box.raised(sleeper.join, sleeper).kind)
      assert.equal("cancelled", box.raised(joiner.join, joiner).kind)
      stubborn:join()
      assert.equal("cancelled", box.raised(deaf.join, deaf).kind)
      assert.same({ "cancelled", "cancelled" }, later)
      assert.equal("slow", slow:join()) -- who is joined is not cancelled with the joiner
    end)

    it("ends a request that is on its way, one in the queue, and a retry's pause", function()
      coreclaw.connections(1)
      server:fault { operation = "getAccount", stall_after = 0, times = 1 }
      local way = coreclaw.spawn(function() return client:account() end)
      local queued = coreclaw.spawn(function() return client:account() end)
      coreclaw.sleep(0.2)
      queued:cancel()
      local _, err = queued:join()
      assert.equal("cancelled", err.kind)
      assert.equal("no", err.sent)
      assert.equal("running", way.status)
      way:cancel()
      assert.equal("cancelled", select(2, way:join()).kind)
      coreclaw.connections(16)
      server:clear_faults()
      server:fault { operation = "getAccount", status = 503, times = 9 }
      local patient = box.client(server, { retry = { base = 60 } })
      local again = coreclaw.spawn(function() return patient:account { timeout = 500 } end)
      coreclaw.sleep(0.3)
      again:cancel()
      local ok, raised, second = pcall(again.join, again)
      assert.equal("cancelled", (ok and second or raised).kind)
    end)

    it("of oneself is felt at the next wait", function()
      local task
      task = coreclaw.spawn(function()
        coroutine.yield()
        task:cancel()
        local n = 1 + 1
        coreclaw.sleep(0)
        return n
      end)
      assert.equal("cancelled", box.raised(task.join, task).kind)
    end)

    it("of a start that has not left pays nothing", function()
      coreclaw.connections(1)
      server:fault { operation = "runWorker", status = 503, delay = 2, times = 1 }
      local before = server:paid()
      local way = coreclaw.spawn(function() return client:worker "demo/rows":start {} end)
      local start = coreclaw.spawn(function() return client:worker "demo/rows":start { count = 1 } end)
      coreclaw.sleep(0.2)
      start:cancel()
      local run, err = start:join()
      assert.is_nil(run)
      assert.equal("no", err.sent)
      way:cancel()
      way:join()
      coreclaw.connections(16)
      balance()
      assert.equal(before, (server:paid()))
    end)
  end)

  it("that always have something to do keep no other wait from ending", function()
    local over = false
    local busy = coreclaw.spawn(function() while not over do coroutine.yield() end end)
    coreclaw.sleep(0.02)
    assert.is_false(busy:wait(0.02))
    assert.is_string(coreclaw.spawn(balance):join())
    over = true
    busy:join()
  end)

  it("calls outside of tasks go on while there are tasks, and tasks during them", function()
    local ticks, over = 0, false
    local ticker = coreclaw.spawn(function()
      while not over do
        ticks = ticks + 1
        coreclaw.sleep(0.01)
      end
    end)
    server:fault { operation = "getAccount", delay = 0.4, times = 1 }
    assert.is_string(balance())
    assert.is_true(ticks > 5, ticks)
    local run = assert(client:worker "demo/rows":call { count = 30 })
    assert.equal(30, #box.collect(run:results { limit = 10 }))
    over = true
    ticker:join()
  end)

  describe("interrupted (Ctrl-C)", function()
    -- As the lua program does it: an error from a debug hook, in whatever runs.
    local function interrupted_after(seconds, fn)
      local at = core.now() + seconds
      local function hook()
        if core.now() < at then return end
        at = math.huge
        error "interrupted!"
      end
      local create, jit = coroutine.create, rawget(_G, "jit")
      if jit then -- what is compiled looks for no hooks
        jit.off()
        jit.flush()
      end
      coroutine.create = function(body) -- luacheck: ignore 122
        local co = create(body)
        if not jit then debug.sethook(co, hook, "", 100) end
        return co
      end
      debug.sethook(hook, "", 100)
      local ok, err = pcall(fn)
      debug.sethook()
      coroutine.create = create -- luacheck: ignore 122
      if jit then jit.on() end
      return ok, err
    end

    -- The start stands in line behind one that is being answered: it has certainly not left.
    local function start_in_line()
      coreclaw.connections(1)
      server:fault { operation = "runWorker", status = 503, delay = 5, times = 1 }
      coreclaw.spawn(function() return client:worker "demo/rows":start {} end)
      local start = coreclaw.spawn(function() return client:worker "demo/rows":start { count = 1 } end)
      return start
    end

    local function proves_nothing_leaves(before, start)
      coreclaw.connections(16)
      local _, failure = start:join()
      assert.is_true(failure.kind == "cancelled" or failure.kind == "unknown_outcome", tostring(failure))
      balance()
      coreclaw.sleep(0.3)
      assert.equal(before, (server:paid()))
    end

    it("while the program waits ends every transfer, and is raised", function()
      local before, start = server:paid(), start_in_line()
      local ok, err = interrupted_after(0.3, function() coreclaw.sleep(20) end)
      assert.is_false(ok)
      assert.matches("interrupted!", err)
      proves_nothing_leaves(before, start)
    end)

    it("while a task runs ends every transfer, and is raised in the program", function()
      local before, start, over = server:paid(), start_in_line(), false
      local ok, err = interrupted_after(0.3, function()
        coreclaw.spawn(function()
          coreclaw.sleep(0.05)
          while not over do coroutine.yield() end
        end)
        coreclaw.sleep(20)
      end)
      assert.is_false(ok)
      assert.matches("interrupted!", err)
      over = true
      proves_nothing_leaves(before, start)
    end)

    it("while a task begins ends every transfer, and is raised in the program", function()
      local before, start = server:paid(), start_in_line()
      local ok, err = pcall(coreclaw.spawn, function() error "interrupted!" end)
      assert.is_false(ok)
      assert.matches("interrupted!", err)
      proves_nothing_leaves(before, start)
    end)
  end)

  it("come and go without anything left of them", function()
    local function many(n)
      for _ = 1, n / 100 do
        local list = {}
        for i = 1, 100 do list[i] = function() coreclaw.sleep(0) return i end end
        coreclaw.all(list)
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local first = many(2000)
    local last = many(tonumber(os.getenv "TASKS") or 10000)
    -- A task that stays is more than a KiB: ten thousand of them would show.
    assert.is_true(last - first < 1500, ("%.0f KiB grew to %.0f"):format(first, last))
  end)

  it("in PUC Lua 5.1 suspend where they may", function()
    local order = {}
    local task = coreclaw.spawn(function()
      order[#order + 1] = "begin"
      balance()
      order[#order + 1] = "end"
    end)
    order[#order + 1] = "main"
    task:join()
    assert.equal("begin main end", table.concat(order, " "))
    local inside = coreclaw.spawn(function()
      pcall(balance)
      order[#order + 1] = "inside"
    end)
    order[#order + 1] = "after"
    inside:join()
    assert.equal(suspends_in_pcall and "after" or "inside", order[4])
  end)
end)
