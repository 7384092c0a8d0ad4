-- What is luv's own: its loop ends by itself, callbacks, and other drivers in the same program.
local process = require "spec.hosts.process"
local sandbox = require "coreclaw.sandbox"

local PRELUDE = [[
local uv = require "luv"
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local box = require "coreclaw.sandbox".attach { url = os.getenv "BOX_URL", secret = os.getenv "BOX_SECRET" }
box:clear_faults()
local client = coreclaw.new {
  api_key = os.getenv "BOX_KEY", base_url = os.getenv "BOX_URL", poll_intervals = { 0.05 }, timeout = 30,
}
local function balance() return assert(client:account()).balance end
-- Runs fn in a callback of the loop.
local function in_callback(fn)
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    fn()
  end)
end
]]

if pcall(require, "luv") then
  describe("in luv, coreclaw", function()
    local box

    setup(function() box = assert(sandbox.start {}) end)
    teardown(function() box:stop() end)

    -- A program that must end by itself; it prints what is to be seen.
    local function prints(want, program)
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(PRELUDE, program)
      file:close()
      local lines, ok = process.lines(("BOX_URL=%s BOX_KEY=%s BOX_SECRET=%s timeout -s KILL 60 env %s %s %s")
        :format(box.url, box.key, box.secret, process.paths(process.lua()), process.lua(), path))
      os.remove(path)
      local output = table.concat(lines, "\n")
      assert.is_true(ok, output)
      assert.equal(want, output)
    end

    it("lets the loop end after a task, a call outside of one, and a wait without uv.run", function()
      prints("string string ran", [[
        local one = coreclaw.spawn(balance)
        local value = balance()
        uv.run()
        io.write(type(one:join()), " ", type(value), " ")
        uv.run()
        print "ran"
      ]])
    end)

    it("lets the loop end after the last transfer was cancelled", function()
      prints("cancelled", [[
        box:fault { operation = "getAccount", stall_after = 0, times = 1 }
        local task = coreclaw.spawn(function() return client:account() end)
        in_callback(function() task:cancel() end)
        uv.run()
        print(select(2, task:join()).kind)
      ]])
    end)

    it("lets the loop end after a loop with read-ahead was left early", function()
      prints("3", [[
        local run = assert(client:worker "demo/rows":call { count = 300 })
        local seen
        coreclaw.spawn(function()
          for row in run:results { ahead = 8, limit = 20 } do
            seen = row.index
            if seen == 3 then break end
          end
        end)
        collectgarbage()
        collectgarbage()
        uv.run()
        print(seen)
      ]])
    end)

    it("blocks in a callback, sleeps there too, and the loop ends", function()
      prints("string true ended", [[
        in_callback(function()
          io.write(type(balance()), " ")
          local before = core.now()
          coreclaw.sleep(0.05)
          io.write(tostring(core.now() - before >= 0.049), " ")
        end)
        uv.run()
        print "ended"
      ]])
    end)

    it("refuses to wait for a task in a callback, where that would never end", function()
      prints("refused string", [[
        local task = coreclaw.spawn(balance)
        in_callback(function()
          local ok, err = pcall(task.join, task)
          io.write(not ok and err:find "inside a callback" and "refused " or tostring(err))
        end)
        uv.run()
        print(type(task:join()))
      ]])
    end)

    it("says when a wait would never end", function()
      prints("never", [[
        local task
        task = coreclaw.spawn(function()
          require "coreclaw.driver".current().wait(require "coreclaw.driver.pool".signal())
        end)
        local ok, err = pcall(task.join, task)
        print(not ok and err:match "never" or err)
      ]])
    end)

    it("ends every transfer when a wait is interrupted", function()
      prints("interrupted! 0", [[
        coreclaw.connections(1)
        box:fault { operation = "runWorker", status = 503, delay = 1, times = 1 }
        local before = box:paid()
        coreclaw.spawn(function() client:worker "demo/rows":start {} end)
        coreclaw.spawn(function() client:worker "demo/rows":start {} end)
        local jit, at = rawget(_G, "jit"), core.now() + 0.3
        if jit then jit.off() end
        local function tick() end
        debug.sethook(function()
          -- what is raised in a callback of its own ends the program: that is luv's way
          if core.now() < at or debug.getinfo(2, "f").func == tick then return end
          debug.sethook()
          error("interrupted!", 0)
        end, "", 10)
        local ticker = uv.new_timer() -- the loop turns, so that Lua runs between its turns
        ticker:start(10, 10, tick)
        local ok, err = pcall(coreclaw.sleep, 20)
        debug.sethook()
        ticker:close()
        io.write(tostring(err), " ")
        coreclaw.sleep(1.2)
        uv.run()
        print((box:paid()) - before)
      ]])
    end)

    it("and a plain program's tasks, and cqueues, share a client", function()
      prints("60 nil string string string", [[
        package.loaded.luv = nil
        local run = assert(client:worker "demo/rows":call { count = 60 }) -- in a plain program
        local rows = run:results { limit = 10, ahead = 2 }
        local n = 0
        local function take(upto) while n < upto do n = rows().index end end
        take(15)
        local plain = coreclaw.spawn(balance)
        package.loaded.luv = uv
        local mixed = coreclaw.spawn(function() take(35) return plain:join() end)
        local has, cqueues = pcall(require, "cqueues")
        local queued
        if has then
          local loop = cqueues.new()
          loop:wrap(function()
            mixed:join() -- one at a time reads from an iterator
            take(50)
            queued = coreclaw.spawn(balance)
            queued:join()
          end)
          assert(loop:loop())
        end
        take(60)
        io.write(n, " ", tostring(rows()), " ", type(mixed:join()), " ", type(plain:join()), " ")
        print(queued and type(queued:join()) or "string")
      ]])
    end)
  end)
end
