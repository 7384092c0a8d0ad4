-- What is Neovim's own: the editor stays alive meanwhile, and refuses, cancels and quits as it does.
local process = require "spec.hosts.process"
local sandbox = require "coreclaw.sandbox"

local PRELUDE = [[
local uv = vim.uv or vim.loop
local out = io.stdout
local function say(...)
  out:write(table.concat({ ... }, " "), "\n")
  out:flush()
end
local function quit() vim.cmd "qa!" end
-- No program of ours may leave the editor standing.
local function guarded(fn)
  return function(...)
    local ok, err = xpcall(fn, debug.traceback, ...)
    if not ok then say("failed: " .. tostring(err)) quit() end
  end
end
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local box = require "coreclaw.sandbox".attach { url = os.getenv "BOX_URL", secret = os.getenv "BOX_SECRET" }
box:clear_faults()
local function new(url)
  return coreclaw.new { api_key = os.getenv "BOX_KEY", base_url = url or os.getenv "BOX_URL", timeout = 60,
    poll_intervals = { 0.05 }, ca_file = url and os.getenv "BOX_CA" }
end
local client = new()
local function balance() return assert(client:account()).balance end
-- How many ticks of a 5 ms timer arrived while fn ran, and the longest time without one.
local function probe(name, fn)
  local ticks, timer, before, cpu = 0, uv.new_timer(), core.now(), os.clock()
  local last, gap = before, 0
  timer:start(5, 5, function()
    ticks, gap, last = ticks + 1, math.max(gap, core.now() - last), core.now()
  end)
  fn()
  timer:close()
  say(("%s: %d ticks of 5 ms in %.2f s, %.3f s without one, %.3f s of the processor"):format(name, ticks,
    core.now() - before, gap, os.clock() - cpu))
end
]]

if rawget(_G, "jit") then
  describe("in Neovim, coreclaw", function()
    local box

    setup(function() box = assert(sandbox.start { tls = true }) end)
    teardown(function() box:stop() end)

    local function run(program, env)
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(PRELUDE, "guarded(function()\n", program, "\nend)()\n")
      file:close()
      local lines, ok = process.lines(("BOX_URL=%s BOX_KEY=%s BOX_SECRET=%s BOX_TLS=%s BOX_CA=%s " ..
        "timeout -s KILL 90 env %s %s nvim --headless -u NONE -i NONE -c 'luafile %s'")
        :format(box.url, box.key, box.secret, box.tls_url, box.ca_file, process.paths "luajit", env or "", path))
      os.remove(path)
      local output = table.concat(lines, "\n")
      assert.is_true(ok, output)
      return output
    end

    -- A program that says these words, and quits well.
    local function says(want, program, env)
      local output = run(program, env)
      assert.is_truthy(output:find(want, 1, true), "wanted: " .. want .. "\ngot: " .. output)
      assert.is_nil(output:find("failed: ", 1, true), output)
      return output
    end

    -- The machine may be busy with other things, so that there is no telling how many are due; a host
    -- that blocks lets none through at all.
    local function stays_alive(body)
      local output = run(([[
        local run = function(fn) %s end
        local program = function()
          probe("nothing", function() coreclaw.sleep(1) end)
          box:fault { operation = "getAccount", delay = 1, times = 1 }
          probe("a slow request", balance)
          coreclaw.connections(0)
          box:fault { operation = "getAccount", delay = 0.5, times = 200 }
          probe("200 requests", function()
            local list = {}
            for i = 1, 200 do list[i] = balance end
            coreclaw.all(list)
          end)
          box:fault { operation = "getAccount", delay = 0.3, times = 40 }
          probe("40 new TLS connections", function()
            local list = {}
            for i = 1, 40 do
              list[i] = function() return assert(new(os.getenv "BOX_TLS"):account()) end
            end
            coreclaw.all(list)
          end)
          say "all done"
          quit()
        end
        run(guarded(program))
      ]]):format(body))
      assert.is_truthy(output:find("all done", 1, true), output)
      local idle, n
      for line, ticks in output:gmatch "([^\n]*: (%d+) ticks of[^\n]*)" do
        print("    " .. line)
        ticks = tonumber(ticks)
        if not idle then
          idle, n = ticks, 0
        else
          n = n + 1
          assert.is_true(ticks >= 8 and (n > 1 or ticks > idle / 5), output)
        end
      end
      assert.equal(3, n, output)
    end

    it("keeps the editor alive in a task", function() stays_alive "coreclaw.spawn(fn)" end)

    it("keeps the editor alive outside of tasks", function() stays_alive "fn()" end)

    it("refuses to wait in a fast event, and says what to do", function()
      local output = says("done", [[
        local timer = uv.new_timer()
        timer:start(1, 0, function()
          timer:close()
          for _, fn in ipairs { balance, function() coreclaw.sleep(0.1) end } do
            local ok, err = pcall(fn)
            say(tostring(ok), tostring(err))
          end
          vim.schedule(function() say(type(balance())) say "done" quit() end)
        end)
      ]])
      local _, n = output:gsub("false [^\n]*cannot wait inside a callback of the event loop; do it in coreclaw.spawn", "")
      assert.equal(2, n, output)
      assert.matches("\nstring", output)
    end)

    it("starts a task from a fast event where the editor's API may be used", function()
      says("buffer: string, string", [[
        local timer = uv.new_timer()
        timer:start(1, 0, function()
          timer:close()
          coreclaw.spawn(guarded(function()
            vim.api.nvim_buf_set_lines(0, 0, -1, false, { type(vim.fn.getcwd()) })
            vim.api.nvim_buf_set_lines(0, 1, -1, false, { type(balance()) })
            say("buffer: " .. table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), ", "))
            quit()
          end))
        end)
      ]])
    end)

    it("cancels a task when its buffer goes", function()
      says("cancelled false", [[
        box:fault { operation = "getAccount", stall_after = 0, times = 9 }
        local buffer = vim.api.nvim_create_buf(true, false)
        local task = coreclaw.spawn(function()
          local account, err = client:account()
          say(err.kind, tostring(vim.api.nvim_buf_is_valid(buffer)))
          quit()
        end)
        vim.api.nvim_create_autocmd("BufWipeout", { buffer = buffer, callback = function() task:cancel() end })
        vim.defer_fn(function() vim.cmd("bwipeout! " .. buffer) end, 100)
      ]])
    end)

    it("ends a wait outside of tasks at Ctrl-C; what is in line does not leave", function()
      local before = box:paid()
      says("interrupted after", [[
        coreclaw.connections(1)
        box:fault { operation = "runWorker", status = 503, delay = 2, times = 1 }
        coreclaw.spawn(function() client:worker "demo/rows":start {} end)
        local timer, before = uv.new_timer(), core.now()
        timer:start(300, 0, function()
          timer:close()
          vim.api.nvim_input "<C-c>"
        end)
        local ok, err = pcall(function() return client:worker "demo/rows":start {} end)
        say(not ok and err:match "interrupted" or "no", "after", tostring(core.now() - before))
        vim.defer_fn(quit, 2500)
      ]])
      assert.equal(before, (box:paid()))
    end)

    it("works without lua-cjson, by the editor's own JSON", function()
      local build = os.getenv "BUILD" or "build"
      local only = ("LUA_PATH='./lua/?.lua;./lua/?/init.lua' LUA_CPATH='./%s/luajit/?.so'"):format(build)
      says("false string [] true 9007199254740993 null", [[
        package.loaded.cjson = nil
        local json = coreclaw.json
        local value = json.decode '{"list": [], "big": 9007199254740993, "none": null}'
        say(tostring((pcall(require, "cjson"))), type(balance()), json.encode(value.list),
          tostring(value.none == coreclaw.null and vim.NIL ~= nil and vim.json.decode "[]" ~= nil),
          tostring(value.big), json.encode(vim.NIL))
        quit()
      ]], only)
    end)

    it("takes vim.NIL for null and leaves the editor's JSON as it is", function()
      says("null vim.NIL true", [[
        local before = pcall(vim.json.decode, "[NaN]")
        say(coreclaw.json.encode(vim.NIL), tostring(vim.json.decode "[null]"[1]),
          tostring(before == pcall(vim.json.decode, "[NaN]")))
        quit()
      ]])
    end)

    it("quits while requests are in flight, in tasks and outside", function()
      local output = run [[
        box:fault { operation = "getAccount", stall_after = 0, times = 9 }
        for _ = 1, 3 do coreclaw.spawn(balance) end
        vim.defer_fn(function() say "leaving" quit() end, 200)
      ]]
      assert.matches("^leaving", output)
      output = run [[
        box:fault { operation = "getAccount", stall_after = 0, times = 9 }
        vim.defer_fn(function() say "leaving" quit() end, 200)
        client:account()
      ]]
      assert.matches("^leaving", output)
    end)

    it("tells of a task that failed and that nobody joined, and of no other", function()
      local output = says("done", [[
        vim.notify = function(text, level) say("notified", level, (text:gsub("\n.*", ""))) end
        coreclaw.spawn(function() error "lost" end)
        local task = coreclaw.spawn(function() error "joined" end)
        pcall(task.join, task)
        local seen = coreclaw.spawn(function() coreclaw.sleep(0.05) error "waited for" end)
        coreclaw.spawn(function() pcall(seen.join, seen) end)
        coreclaw.spawn(function() coreclaw.sleep(60) end):cancel()
        vim.defer_fn(function() say "done" quit() end, 1500)
      ]])
      local _, n = output:gsub("notified", "")
      assert.equal(1, n, output)
      assert.matches("notified 4 coreclaw.spawn: .*: lost\n", output)
    end)

    it("needs vim.uv or vim.loop, whichever there is", function()
      says("string", [[
        vim.uv = vim.uv or vim.loop
        rawset(vim, "loop", nil)
        setmetatable(vim, nil)
        vim.loop = nil
        coreclaw.spawn(function() say(type(balance())) quit() end)
      ]])
    end)
  end)
end
