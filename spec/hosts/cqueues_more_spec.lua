-- What is cqueues' own: several controllers, who watches for all, what is thrown away.
local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"

local has, cqueues = pcall(require, "cqueues")

if has then
  describe("in cqueues, coreclaw", function()
    local server, client

    setup(function()
      server = box.start()
      client = box.client(server)
    end)
    teardown(function() server:stop() end)
    before_each(function() server:clear_faults() end)

    local function balance() return assert(client:account()).balance end

    it("works in several controllers at a time, of which one runs the other", function()
      server:fault { operation = "getAccount", delay = 0.2, times = 9 }
      local outer, inner, n = cqueues.new(), cqueues.new(), 0
      local function call() if balance() then n = n + 1 end end
      for _ = 1, 4 do inner:wrap(call) outer:wrap(call) end
      outer:wrap(function()
        while not inner:empty() do
          assert(inner:step(0))
          cqueues.poll(inner, 0.1)
        end
      end)
      assert(outer:loop(30))
      assert(inner:loop(30))
      assert.equal(8, n)
    end)

    it("finds another to watch when the controller of who did is run no more", function()
      server:fault { operation = "getAccount", delay = 0.5, times = 2 }
      local dead, alive, got = cqueues.new(), cqueues.new(), nil
      dead:wrap(balance)
      assert(dead:step(0)) -- it watches now, and is never run again
      alive:wrap(function() got = balance() end)
      local before = core.now()
      assert(alive:loop(30))
      assert.is_string(got)
      assert.is_true(core.now() - before < 15)
      assert(dead:loop(30)) -- and if it is run after all, it goes on
    end)

    it("finds another to watch when the controller of who did is thrown away", function()
      server:fault { operation = "getAccount", delay = 0.5, times = 2 }
      local alive, got = cqueues.new(), nil
      do
        local dead = cqueues.new()
        dead:wrap(balance)
        assert(dead:step(0))
        dead:close()
      end
      collectgarbage()
      alive:wrap(function() got = balance() end)
      assert(alive:loop(30))
      assert.is_string(got)
    end)

    it("lets many wait for one task, in tasks and in coroutines of its own", function()
      local loop, woken = cqueues.new(), 0
      local slow
      loop:wrap(function()
        slow = coreclaw.spawn(function() coreclaw.sleep(0.1) return balance() end)
        for _ = 1, 3 do
          loop:wrap(function() if slow:join() then woken = woken + 1 end end)
          coreclaw.spawn(function() if slow:join() then woken = woken + 1 end end)
        end
      end)
      local before = core.now()
      assert(loop:loop(30))
      assert.equal(6, woken)
      assert.is_true(core.now() - before < 10)
    end)

    it("refuses to wait outside for a task that goes on inside alone", function()
      local loop, task = cqueues.new(), nil
      loop:wrap(function() task = coreclaw.spawn(function() coreclaw.sleep(0.05) return "done" end) end)
      assert(loop:step(0))
      assert.matches("never end", box.raised(task.join, task))
      assert.is_false(task:wait(0.01))
      assert(loop:loop(30))
      assert.equal("done", task:join())
    end)

    it("shares a client, a loop over rows and tasks with a plain program", function()
      local run = assert(client:worker "demo/rows":call { count = 60 })
      local rows, n = run:results { limit = 10, ahead = 2 }, 0
      local function take(upto) while n < upto do n = rows().index end end
      take(15)
      local plain, queued = coreclaw.spawn(balance), nil
      local loop = cqueues.new()
      loop:wrap(function()
        take(40)
        queued = coreclaw.spawn(function() take(50) return balance() end)
        assert.is_string(plain:join())
      end)
      assert(loop:loop(30))
      take(60)
      assert.is_nil(rows())
      assert.is_string(queued:join())
    end)

    it("takes a new limit of connections while it runs", function()
      local loop, n = cqueues.new(), 0
      loop:wrap(function()
        balance()
        coreclaw.connections(1) -- a new engine, whose descriptor may have the old one's number
        for _ = 1, 3 do coreclaw.spawn(function() if balance() then n = n + 1 end end) end
        balance()
      end)
      assert(loop:loop(30))
      coreclaw.connections(16)
      assert.equal(3, n)
    end)

    it("cancels what a task waits for", function()
      server:fault { operation = "getAccount", stall_after = 0, times = 1 }
      local loop, kind, slept = cqueues.new(), nil, nil
      loop:wrap(function()
        local task = coreclaw.spawn(function() return client:account() end)
        local sleeper = coreclaw.spawn(function() coreclaw.sleep(60) end)
        cqueues.sleep(0.1)
        task:cancel()
        sleeper:cancel()
        kind = select(2, task:join()).kind
        slept = box.raised(sleeper.wait, sleeper, "x") and sleeper:wait(20) and sleeper.err.kind
      end)
      assert(loop:loop(30))
      assert.equal("cancelled", kind)
      assert.equal("cancelled", slept)
    end)
  end)
end
