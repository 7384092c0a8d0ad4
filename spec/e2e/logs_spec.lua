-- The log of a run: all of it or what matters, once or as it is written, each line once.

local box = require "spec.support.box"

for _, format in ipairs { "objects", "strings" } do
  describe("run:logs, entries as " .. format, function()
    local server, client, talker

    setup(function()
      server = box.start { ready_for = 0.03, log_format = format }
      client = box.client(server, { poll_intervals = { 0.03 } })
      talker = client:worker "test/talker"
    end)
    teardown(function() server:stop() end)
    before_each(function() server:clear_faults() end)

    local function texts(iterator)
      local list = {}
      for entry in iterator do
        local line = entry.text:match "^line (%d+)"
        if line then list[#list + 1] = tonumber(line) end
      end
      return list
    end

    local function upto(n)
      local list = {}
      for i = 1, n do list[i] = i end
      return list
    end

    it("reads what there is, once", function()
      local run = assert(talker:call { lines = 12 })
      server:reset_requests()
      assert.same(upto(12), texts(run:logs()))
      assert.equal(1, #server:requests())
    end)

    it("follows the run to its end: each line once, in order", function()
      local run = assert(talker:start { lines = 60, delay = 0.006 })
      local live, list = 0, {}
      for entry in run:logs { follow = true } do
        local line = entry.text:match "^line (%d+)"
        if line then list[#list + 1] = tonumber(line) end
        if not run:is_final() then live = live + 1 end
      end
      assert.same(upto(60), list)
      assert.is_true(live > 0, "only " .. live .. " lines came while the run was going on")
      assert.equal("succeeded", run.status)
    end)

    it("follows an excerpt that slides: more lines than it shows", function()
      local run = assert(talker:start { lines = 150, delay = 0.01 })
      assert.same(upto(150), texts(run:logs { follow = true }))
    end)

    it("goes on through failures that pass", function()
      local patient = box.client(server, { retry = false, poll_intervals = { 0.03 } })
      local run = patient:run(assert(talker:start { lines = 60, delay = 0.006 }).slug)
      server:fault { operation = "getWorkerRunLog", probability = 0.3, seed = 3, status = 503, body = "<html>" }
      server:fault { operation = "getWorkerRun", probability = 0.3, seed = 4, close = "before" }
      assert.same(upto(60), texts(run:logs { follow = true }))
    end)

    it("ends with the last words of a run that fails", function()
      local run = assert(talker:start { lines = 3, delay = 0.02, fail = 1 })
      local last
      for entry in run:logs { follow = true } do last = entry end
      assert.matches("the end is bad", last.text)
      assert.equal("failed", run.status)
    end)

    it("raises what will not pass, and wait_timeout when the time is up", function()
      local run = assert(talker:start { lines = 1000, delay = 0.05 })
      local err = box.raised(box.collect, run:logs { follow = true, timeout = 0.3 })
      assert.equal("wait_timeout", err.kind)
      assert.equal(run, err.run)
      server:fault { operation = "getWorkerRunLog", status = 403, body = "no" }
      err = box.raised(box.collect, run:logs { follow = true })
      assert.equal("forbidden", err.kind)
      assert.equal(run, err.run)
      assert(run:abort())
    end)

    it("finds a pattern, in either case if wanted", function()
      local run = assert(talker:call { lines = 30 })
      assert.same({ 3, 13, 23, 30 }, texts(run:logs { match = "^line %d*3%d*$" }))
      assert.same({}, texts(run:logs { match = "^LINE" }))
      assert.same(upto(30), texts(run:logs { match = "^LINE", ignore_case = true }))
      assert.same({ 25 }, texts(run:logs { match = "traceback", ignore_case = true, follow = true }))
    end)

    it("shows entries around those that match, each once, and says which match", function()
      local run = assert(talker:call { lines = 30 })
      local seen = {}
      for entry, hit in run:logs { match = "^line 1[024]$", context = 1 } do
        seen[#seen + 1] = entry.text .. (hit and "!" or "")
      end
      assert.same({
        "line 9", "line 10!", "line 11", "line 12!", "line 13", "line 14!", "line 15",
      }, seen)
    end)

    it("keeps to a level, and shows what has none", function()
      local run = assert(talker:call { lines = 50 })
      local warnings = texts(run:logs { level = "warn" })
      local errors = texts(run:logs { level = "error" })
      if format == "objects" then
        assert.same({ 10, 20, 25, 30, 40, 50 }, warnings)
        assert.same({ 25, 50 }, errors)
      else
        assert.same(upto(50), warnings)
      end
    end)
  end)
end

describe("run:logs", function()
  local server, run

  setup(function()
    server = box.start { ready_for = 0.02 }
    run = assert(box.client(server):worker "test/talker":call { lines = 5 })
  end)
  teardown(function() server:stop() end)

  it("has a time in seconds, a level and a group", function()
    for entry in run:logs() do
      assert.is_true(entry.time > 1e9 and entry.time < 1e11)
      assert.is_string(entry.level)
      assert.matches("^%d+$", entry.group)
    end
  end)

  it("asks nothing of the state of a run that has ended", function()
    server:reset_requests()
    assert.equal(7, #box.collect(run:logs { follow = true }))
    assert.equal(1, #server:requests())
  end)

  it("checks its options", function()
    for _, case in ipairs {
      { { level = "fatal" }, "level must be one of debug, info, warn, error" },
      { { match = "(" }, "match must be a Lua pattern" },
      { { match = 5 }, "match must be a string" },
      { { ignore_case = true }, "belongs to match" },
      { { context = -1 }, "context must be" },
      { { poll_intervals = { 1 } }, "belongs to follow" },
      { { mach = "x" }, "did you mean match" },
    } do
      assert.matches(case[2], box.raised(run.logs, run, case[1]))
    end
  end)
end)
