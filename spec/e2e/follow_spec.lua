-- Rows of a run that is still going on, over a real socket, with a platform that misbehaves.

local box = require "spec.support.box"
local map = require "coreclaw.map"

describe("following a run", function()
  local server, client, worker

  setup(function()
    server = box.start { ready_for = 0.05 }
    client = box.client(server, { poll_intervals = { 0.03 } })
    worker = client:worker "demo/rows"
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function start(input)
    local run = assert(worker:start(input))
    server:reset_requests()
    return run
  end

  -- Follows to the end; every row must come once, in order.
  local function expect_rows(run, total, options)
    options = options or {}
    options.follow = true
    local n, token = 0, nil
    for row, behind in run:results(options) do
      n, token = n + 1, behind
      assert.equal(n, row.index)
      assert.is_nil(row.__coreclaw_data_id__)
    end
    assert.equal(total, n)
    return token
  end

  local function count(operation)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.operation == operation then n = n + 1 end
    end
    return n
  end

  it("yields rows before the run has ended, each once, and ends with it", function()
    local run = start { count = 120, delay = 0.005 }
    local n, live = 0, 0
    for row in run:results { follow = true, limit = 25 } do
      n = n + 1
      assert.equal(n, row.index)
      if run.status ~= "succeeded" then live = live + 1 end
    end
    assert.equal(120, n)
    assert.is_true(live > 0, "only " .. live .. " rows came while the run was going on")
    assert.equal("succeeded", run.status)
  end)

  it("costs one read of the state and about one of the rows for each round", function()
    local run = start { count = 60, delay = 0.01 }
    expect_rows(run, 60)
    assert.is_true(count "listWorkerRunResults" <= count "getWorkerRun" + 2)
  end)

  it("reads a run that has ended without asking for its state", function()
    local run = assert(worker:call { count = 30 })
    server:reset_requests()
    expect_rows(run, 30, { limit = 20 })
    assert.equal(0, count "getWorkerRun")
    assert.equal(2, count "listWorkerRunResults")
  end)

  it("follows a run known by its slug only, and one without rows", function()
    expect_rows(client:run(start({ count = 15, delay = 0.01 }).slug), 15)
    expect_rows(start { count = 0 }, 0)
  end)

  it("ends with the rows of a run that fails half-way, or is aborted", function()
    local run = start { count = 30, delay = 0.01, fail_at = 13 }
    expect_rows(run, 12)
    assert.equal("failed", run.status)
    run = start { count = 1000, delay = 0.01 }
    local n = 0
    for row in run:results { follow = true } do
      n = n + 1
      assert.equal(n, row.index)
      if n == 5 then assert(run:abort()) end
    end
    assert.is_true(run:is_final())
    assert.equal(run.results_count, n)
  end)

  it("is not misled by rows that come late or twice", function()
    for seed = 1, 4 do
      local run = start { count = 90, delay = 0.004 }
      server:fault { operation = "listWorkerRunResults", probability = 0.4, seed = seed, late_rows = 7 }
      server:fault { operation = "listWorkerRunResults", probability = 0.4, seed = seed + 100, repeat_rows = 6 }
      local seen, n = {}, 0
      for row in run:results { follow = true, limit = 20 } do
        assert.is_nil(seen[row.index])
        seen[row.index], n = true, n + 1
      end
      assert.equal(90, n)
      server:clear_faults()
    end
  end)

  it("goes on through failures that pass", function()
    local patient = box.client(server, { retry = false, poll_intervals = { 0.03 } })
    local run = patient:run(start({ count = 60, delay = 0.008 }).slug)
    server:fault { operation = "listWorkerRunResults", probability = 0.3, seed = 3, status = 503, body = "<html>" }
    server:fault { operation = "getWorkerRun", probability = 0.3, seed = 4, close = "before" }
    expect_rows(run, 60, { limit = 20 })
  end)

  it("raises what will not pass, and goes on from its token", function()
    local run = start { count = 80, delay = 0.01 }
    server:fault { operation = "listWorkerRunResults", nth = 3, status = 403, body = "no" }
    local n, err = 0, nil
    local ok = pcall(function()
      local next_row = run:results { follow = true }
      while true do
        local fine, row = pcall(next_row)
        if not fine then
          err = row
          error(row, 0)
        end
        if not row then break end
        n = n + 1
      end
    end)
    assert.is_false(ok)
    assert.equal("forbidden", err.kind)
    assert.equal(run, err.run)
    for row in run:results { follow = true, from = err.token } do
      n = n + 1
      assert.equal(n, row.index)
    end
    assert.equal(80, n)
  end)

  it("raises wait_timeout when the time is up; the run goes on", function()
    local run = start { count = 1000, delay = 0.05 }
    local err = box.raised(box.collect, run:results { follow = true, timeout = 0.4 })
    assert.equal("wait_timeout", err.kind)
    assert.equal(run, err.run)
    assert.is_string(err.token)
    assert.equal("running", assert(run:reload()).status)
    assert(run:abort())
  end)

  it("resumes after any row, in another process", function()
    local run = start { count = 45, delay = 0.004 }
    local tokens, n = {}, 0
    for _, token in run:results { follow = true, limit = 20 } do
      n = n + 1
      tokens[n] = token
    end
    assert.equal(45, n)
    for _, at in ipairs { 1, 19, 20, 21, 44, 45 } do
      for _, options in ipairs { { follow = true }, { limit = 7 }, { limit = 20 }, {} } do
        options.from = tokens[at]
        local rows = box.collect(client:run(run.slug):results(options))
        assert.equal(45 - at, #rows)
        if at < 45 then assert.equal(at + 1, rows[1].index) end
      end
    end
  end)

  it("hands out tokens without follow too, and behind pages", function()
    local run = assert(worker:call { count = 45 })
    local last
    for page, token in run:pages { limit = 20 } do
      if page.page == 2 then last = token end
    end
    local sizes = {}
    for page in run:pages { from = last, limit = 3 } do sizes[#sizes + 1] = #page.list end
    -- Forty rows were read: page 14 of three has two new ones.
    assert.same({ 2, 3 }, sizes)
    local n, row_token = 0, nil
    for _, token in run:results() do
      n = n + 1
      if n == 7 then row_token = token end
    end
    assert.equal(8, run:results { from = row_token }().index)
    assert.is_true(#row_token < 80)
  end)

  it("follows pages: each with its new rows only", function()
    local run = start { count = 70, delay = 0.004 }
    local n = 0
    for page, token in run:pages { follow = true, limit = 20 } do
      assert.is_true(#page.list > 0 and #page.list <= 20)
      assert.is_table(page.headers)
      assert.is_string(token)
      for _, row in ipairs(page.list) do
        n = n + 1
        assert.equal(n, row.index)
      end
    end
    assert.equal(70, n)
  end)

  it("keeps the row ids where they are wanted", function()
    for row in start({ count = 3 }):results { follow = true, skip_internal = false } do
      assert.is_string(row.__coreclaw_data_id__)
    end
  end)

  it("refuses a token of rows that are not there, and wrong options", function()
    local run = assert(worker:call { count = 5 })
    local _, token = run:results()()
    local err = box.raised(box.collect, run:results { from = (token:gsub(";1;", ";2;")) })
    assert.equal("page_drift", err.kind)
    err = box.raised(box.collect, run:results { from = (token:gsub(";1;", ";99;")), follow = true })
    assert.equal("page_drift", err.kind)
    local other = assert(worker:call { count = 5 })
    assert.matches("token of another run", box.raised(other.results, other, { from = token }))
    assert.matches("must be a token", box.raised(run.results, run, { from = token:sub(1, 9) }))
    assert.matches("either from or page", box.raised(run.results, run, { from = token, page = 2 }))
    assert.matches("belongs to follow", box.raised(run.results, run, { poll_intervals = { 1 } }))
    assert.matches("did you mean follow", box.raised(run.pages, run, { folow = true }))
  end)
end)

describe("following a run that stays aborting for ever", function()
  local server, client

  setup(function()
    server = box.start { ready_for = 0.02, abort_ends = "never" }
    client = box.client(server, { poll_intervals = { 0.02 } })
  end)
  teardown(function() server:stop() end)

  it("ends after a number of reads, with all rows and log entries", function()
    local run = assert(client:worker "demo/rows":start { count = 1000, delay = 0.01 })
    local n = 0
    for _ in run:results { follow = true, timeout = 30 } do
      n = n + 1
      if n == 5 then assert(run:abort()) end
    end
    assert.equal("aborting", run.status)
    assert.equal(run.results_count, n)
    assert.is_true(#box.collect(run:logs { follow = true, timeout = 30 }) > 1)
    assert.equal("RUNNING", assert(run:verdict()).verdict)
  end)

  it("ends in client:map as well", function()
    local items = box.collect(map.new(client, "demo/rows", { { count = 1000, delay = 0.01 }, { count = 1 } }, {
      timeout = 30,
      on_start = function(item)
        if item.index == 1 then assert(item.run:abort()) end
      end,
    }))
    assert.equal(2, #items)
    assert.equal(1, items[2].index)
    assert.equal("run_aborted", items[2].err.kind)
    assert.equal("aborting", items[2].run.status)
  end)
end)

describe("through API v1", function()
  local server, client

  setup(function()
    server = box.start { ready_for = 0.02 }
    client = box.client(server, { api = "v1", poll_intervals = { 0.03 } })
  end)
  teardown(function() server:stop() end)

  it("runs are followed, judged and mapped the same way", function()
    local run = assert(client:worker "demo/rows":start { count = 45, delay = 0.005 })
    local n, last = 0, nil
    for row, token in run:results { follow = true, limit = 20 } do
      n, last = n + 1, n == 21 and token or last
      assert.equal(n, row.index)
    end
    assert.equal(45, n)
    assert.equal(23, run:results { from = last }().index)
    assert.equal(3, #box.collect(run:logs { follow = true }))
    assert.equal("PASS", assert(run:verdict()).verdict)
    local items = box.collect(map.new(client, "demo/rows", { { count = 1 }, { count = 2 }, { count = 3, fail_at = 1 } }))
    assert.equal(3, #items)
    for _, item in ipairs(items) do assert.equal(item.index == 3, item.err ~= nil) end
  end)
end)
