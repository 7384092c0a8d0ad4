-- Waits at the same time: few requests for all of them, and none depends on the others.

local box = require "spec.support.box"
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"

local NOTHING = '{"code":0,"message":"success","data":{"count":0,"list":[]},"request_id":"req-1"}'

describe("run:wait of many runs at a time", function()
  local server, client

  setup(function()
    server = box.start { ready_for = 0.02 }
    client = box.client(server, { poll_intervals = { 0.2 } })
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    client.list_rests = nil
  end)

  local function started(n, seconds, by)
    local runs = {}
    for i = 1, n do runs[i] = assert((by or client):worker "demo/rows":start { count = i % 3, wait = seconds }) end
    server:reset_requests()
    return runs
  end

  -- Waits for all of them, each in a task of its own.
  local function wait_for(runs, options)
    local fns = {}
    for i, run in ipairs(runs) do
      fns[i] = function()
        local ok, err = run:wait(options and options(i))
        return ok or err
      end
    end
    return coreclaw.all(fns)
  end

  -- operation → how many of it came.
  local function requests()
    local counts = { getWorkerRun = 0, listWorkerRuns = 0 }
    for _, request in ipairs(server:requests()) do
      counts[request.operation] = (counts[request.operation] or 0) + 1
    end
    return counts
  end

  local function check_ended(runs)
    for i, run in ipairs(runs) do
      assert.equal("succeeded", run.status)
      assert.equal(i % 3, run.results_count)
      assert.equal(run.slug, run.raw.slug)
    end
  end

  it("asks for all of them at once, and tells each of its own", function()
    local runs, updates = started(40, 1), {}
    wait_for(runs, function(i)
      updates[i] = 0
      return { on_update = function(run)
        assert.equal(runs[i], run)
        updates[i] = updates[i] + 1
      end }
    end)
    check_ended(runs)
    local counts, reads = requests(), 0
    for i = 1, 40 do
      assert.is_true(updates[i] >= 2, "run " .. i)
      reads = reads + updates[i]
    end
    assert.is_true(counts.getWorkerRun + counts.listWorkerRuns <= reads / 4)
  end)

  it("asks for each of a few by itself", function()
    local runs = started(3, 0.5)
    wait_for(runs)
    check_ended(runs)
    local counts = requests()
    assert.equal(0, counts.listWorkerRuns)
    assert.is_true(counts.getWorkerRun >= 6)
  end)

  it("goes on by itself where the list cannot be had, and leaves that alone for a while", function()
    local own = box.client(server, { poll_intervals = { 0.2 }, retry = false })
    local runs = started(8, 1, own)
    server:fault { operation = "listWorkerRuns", status = 500, times = 1000 }
    wait_for(runs)
    check_ended(runs)
    local counts = requests()
    assert.equal(1, counts.listWorkerRuns)
    assert.is_true(counts.getWorkerRun >= 8)
  end)

  it("goes on by itself with runs that the list does not show, and does not ask it for them again and again", function()
    local runs = started(8, 2)
    server:fault { operation = "listWorkerRuns", status = 200, body = NOTHING, times = 1000 }
    wait_for(runs)
    check_ended(runs)
    local counts = requests()
    assert.is_true(counts.listWorkerRuns >= 1)
    assert.is_true(counts.getWorkerRun >= 8)
    -- four at least at a time, each twice at most
    assert.is_true(counts.listWorkerRuns <= 4, counts.listWorkerRuns)
  end)

  it("tells two handles of one run", function()
    local runs = started(4, 0.6)
    for i = 1, 4 do runs[4 + i] = client:run(runs[i].slug) end
    wait_for(runs)
    for i = 1, 4 do
      assert.equal("succeeded", runs[4 + i].status)
      assert.equal(runs[i].results_count, runs[4 + i].results_count)
    end
    assert.is_true(requests().listWorkerRuns >= 1)
  end)

  it("ends a wait at its own time", function()
    local runs = started(8, 1.5)
    local ends = wait_for(runs, function(i) return { timeout = i <= 4 and 0.5 or 20 } end)
    for i = 1, 4 do
      assert.equal("wait_timeout", ends[i].kind)
      assert.equal(runs[i], ends[i].run)
    end
    for i = 5, 8 do assert.equal("succeeded", ends[i].status) end
  end)

  it("ends the others though the task that looks for all is cancelled", function()
    local runs, tasks = started(8, 0.5), {}
    server:fault { operation = "listWorkerRuns", delay = 1, times = 1 }
    for i, run in ipairs(runs) do tasks[i] = coreclaw.spawn(function() return run:wait() end) end
    local limit = core.now() + 10
    while requests().listWorkerRuns == 0 and core.now() < limit do coreclaw.sleep(0.02) end
    local asking
    for _, task in ipairs(tasks) do -- who waits for an answer
      if task.waiting and task.waiting.id then asking = task end
    end
    assert(asking, "nobody asks for all"):cancel()
    local ended, since = 0, core.now()
    for _, task in ipairs(tasks) do
      local run, err = task:join()
      if task == asking then assert.equal("cancelled", err.kind) else ended = ended + (run.status == "succeeded" and 1 or 0) end
    end
    assert.equal(7, ended)
    assert.is_true(core.now() - since < 15) -- nobody waits for an answer that will not come
  end)

  it("lets a hook stop the wait that asks, and no other", function()
    local stopped = 0
    local own
    own = box.client(server, { poll_intervals = { 0.2 }, on_request = function(event)
      if event.operation == "listWorkerRuns" and stopped == 0 then
        stopped = 1
        return false
      end
    end })
    local runs = started(8, 0.8, own)
    local kinds = { cancelled = 0, succeeded = 0 }
    for _, value in ipairs(wait_for(runs)) do
      local what = value.kind or value.status
      kinds[what] = kinds[what] + 1
    end
    assert.same({ cancelled = 1, succeeded = 7 }, kinds)
  end)

  it("keeps to itself with a clock of the caller's own", function()
    local own = box.client(server, { poll_intervals = { 0.1 }, clock = { now = core.now, sleep = coreclaw.sleep } })
    local runs = started(6, 0.4, own)
    wait_for(runs)
    check_ended(runs)
    assert.equal(0, requests().listWorkerRuns)
  end)
end)
