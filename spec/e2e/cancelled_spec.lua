-- A task that is cancelled while it pauses: the error tells what had been sent, and paid, before.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("a task that is cancelled in a pause", function()
  local server, client
  setup(function() server = box.start {} end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    client = box.client(server, { poll_intervals = { 20 } })
  end)

  -- Runs fn in a task until `ready`, cancels it, and returns what fn returned; nothing may be raised.
  local function cancelled(fn, ready)
    local task = coreclaw.spawn(fn)
    for _ = 1, 400 do
      coreclaw.sleep(0.02)
      if ready() then break end
    end
    task:cancel()
    return task:join()
  end

  local function paid_since()
    local before = server:paid()
    return function() return (server:paid()) - before end
  end

  it("keeps the run of worker:call, and says that it was started", function()
    local paid = paid_since()
    local started = false
    local watched = box.client(server, { poll_intervals = { 20 }, on_response = function(event)
      started = started or event.operation == "runWorker"
    end })
    local ok, err = cancelled(function()
      return watched:worker "demo/rows":call { count = 1 }
    end, function() return started end)
    assert.is_nil(ok)
    assert.same({ "cancelled", "yes" }, { err.kind, err.sent })
    assert.equal("succeeded", assert(client:run(err.run.slug):wait { poll_intervals = { 0.05 } }).status)
    assert.equal(1, paid())
  end)

  it("ends run:wait, whose run goes on", function()
    local run = assert(client:worker "demo/rows":start { count = 1 })
    local begun = false
    local ok, err = cancelled(function()
      begun = true
      return run:wait()
    end, function() return begun end)
    assert.same({ nil, "cancelled", run }, { ok, err.kind, err.run })
  end)

  -- PUC Lua 5.1 suspends nothing in the iterator of a loop: nobody can cancel there.
  local in_loops = (_VERSION ~= "Lua 5.1" or rawget(_G, "jit")) and it or function() end

  in_loops("keeps the runs of client:map", function()
    local started = 0
    local options = { on_start = function() started = started + 1 end }
    local err = cancelled(function()
      local _, why = pcall(function()
        box.collect(client:map("demo/rows", { { count = 1 }, { count = 2 } }, options))
      end)
      return why
    end, function() return started == 2 end)
    assert.same({ "cancelled", "yes", 2 }, { err.kind, err.sent, #err.items })
    for _, item in ipairs(err.items) do assert.is_string(item.run.slug) end
  end)

  in_loops("keeps the token of rows that are followed, and of lines", function()
    local run = assert(client:worker "demo/rows":start { count = 3, delay = 30 })
    for _, name in ipairs { "results", "logs" } do
      server:reset_requests()
      local err = cancelled(function()
        local _, why = pcall(function()
          for _ in run[name](run, { follow = true }) do end
        end)
        return why
      end, function() return #server:requests() > 1 end)
      assert.same({ "cancelled", run }, { err.kind, err.run })
      if name == "results" then assert.is_string(err.token) end
    end
    assert(run:abort())
  end)

  it("does not know what an earlier try of a write has done", function()
    local slow = box.client(server, { retry = { base = 30, cap = 30, random = function() return 1 end } })
    local saved = assert(slow:create_task { worker = "demo/rows", title = "t", input = { count = 1 } })
    server:fault { operation = "deleteWorkerTask", close = "after", times = 1 }
    server:reset_requests()
    local ok, err = cancelled(function() return saved:delete { timeout = 500 } end,
      function() return #server:requests() > 0 end)
    assert.is_nil(ok)
    assert.same({ "cancelled", "unknown", true }, { err.kind, err.sent, err.unsure })
  end)

  it("leaves no intent in the journal for what it did not send", function()
    local path = os.tmpname()
    os.remove(path)
    local careful = box.client(server, { journal = path })
    local paid = paid_since()
    local task
    task = coreclaw.spawn(function()
      assert(client:account()) -- so that spawn has returned
      task:cancel()
      return careful:worker "demo/rows":start { count = 1 }
    end)
    local ok, err = task:join()
    assert.same({ nil, "cancelled", "no" }, { ok, err.kind, err.sent })
    assert.equal(0, paid())
    assert.is_nil(assert(box.client(server, { journal = path }):recover { all = true })[1])
    os.remove(path)
  end)
end)
