-- How the program ends: each code is shown once, and README and --help tell the same.

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local exit = require "coreclaw.cli.exit"

describe("the exit code", function()
  local server, coreclaw
  setup(function()
    server = box.start { abort_ends = "aborted", plan = "free" }
    coreclaw = cli.new(server)
  end)
  teardown(function()
    coreclaw:close()
    server:stop()
  end)
  before_each(function() server:clear_faults() end)

  local shown = {}

  local function ends(code, words, options, say)
    local result = coreclaw:run(words, options)
    assert.equal(code, result.code, words .. "\n" .. result.out .. result.err)
    if say then assert.matches(say, result.err) end
    assert.not_matches("stack traceback", result.err)
    shown[code] = true
    return result
  end

  local POLL = " --poll 0.05"

  it("is 0 when all is well", function()
    ends(0, "account")
    ends(0, "run demo/rows count=0 --wait" .. POLL)
  end)

  it("is 1 for trouble without a code of its own", function()
    server:fault { operation = "getAccount", code = 99999, times = 9 }
    ends(1, "account --attempts 1", nil, "coreclaw: api_error: ")
  end)

  it("is 2 for wrong use, and nothing is sent", function()
    server:reset_requests()
    ends(2, "")
    ends(2, "rnu demo/rows", nil, "Did you mean 'run'")
    ends(2, "account --jsno", nil, "unknown option '%-%-jsno'")
    ends(2, "runs --max none", nil, "'none' is not a whole number")
    ends(2, "runs --json --jsonl", nil, "can not be used together")
    ends(2, "runs --from 2026-02-30", nil, "from must be")
    ends(2, "wait a/b", nil, "run")
    ends(2, "account --base-url http://example.com", nil, "plain http")
    assert.same({}, server:requests())
  end)

  it("is 3 for a run that failed, with what its log says, or that brought no data", function()
    ends(3, "run demo/rows count=3 fail_at=2 'fail_message=the shop is closed' --wait" .. POLL, nil,
      "run_failed: .*the shop is closed")
    ends(3, "run demo/rows count=0 --require-data" .. POLL, nil, "run_failed")
  end)

  it("is 4 for a run that was aborted", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 1, wait = 30 })
    coreclaw:ok("abort --wait " .. run.slug .. POLL)
    ends(4, "wait " .. run.slug .. POLL, nil, "run_aborted")
  end)

  it("is 5 when the time is up", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 1, wait = 30 })
    ends(5, "wait --timeout 0.1 " .. run.slug .. POLL, nil, "wait_timeout")
    assert(run:abort())
  end)

  it("is 6 for what the platform refuses", function()
    ends(6, "worker nobody/nothing", nil, "not_found")
    ends(6, "runs 01KZS4D8M2XW7Q5T9BHNVRC3EA", nil, "not_found")
  end)

  it("is 7 without a key, or with a wrong one", function()
    ends(7, "account", { env = { CORECLAW_API_KEY = "not-the-key-at-all" } }, "authentication.*\n.*doctor")
    ends(7, "account", { env = { CORECLAW_API_KEY = false } }, "authentication")
  end)

  it("is 8 for what may go later", function()
    server:fault { operation = "runWorker", code = 30003, times = 9 }
    ends(8, "run demo/rows count=1", nil, "plan_limit.*\n.*runs %-%-status running")
    server:fault { operation = "getAccount", status = 429, code = 13000, times = 9 }
    ends(8, "account --attempts 1", nil, "rate_limited")
  end)

  it("is 9 where no answer came", function()
    ends(9, "account --attempts 1 --base-url " .. server.refused_url, nil, "network")
  end)

  it("is 10 for an unknown outcome, which is not repeated", function()
    local paid = server:paid()
    server:fault { operation = "runWorker", close = "after" }
    ends(10, "run demo/rows count=1", nil, "unknown_outcome.*Look before you repeat it")
    assert.equal(paid + 1, (server:paid()))
  end)

  it("is 11 for files, and for an output that is full", function()
    local run = assert(box.client(server):worker "demo/rows":call { count = 2 })
    ends(11, "export " .. run.slug .. " /nonexistent/rows.csv", nil, "file: ")
    ends(11, "results " .. run.slug, { stdout = "/dev/full" }, "the output cannot be written: No space left")
    ends(11, "run demo/rows --input /nonexistent")
  end)

  it("is 130 after Ctrl-C, which stops the waiting but not the run", function()
    local paid = server:paid()
    local pid = coreclaw:start("waits", "run demo/rows count=2 wait=30 --wait --export rows.csv" .. POLL)
    local slug
    for _ = 1, 1200 do
      local _, list = server:paid()
      slug = list[paid + 1] and list[paid + 1].run_slug
      local requests = server:requests()
      if slug and requests[#requests].operation == "getWorkerRun" then break end
      require("coreclaw").sleep(0.02)
    end
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("waits.out", "exit 130\n$")
    local err = coreclaw:read "waits.err"
    assert.matches("^stopped waiting; run " .. slug .. " was not aborted and goes on", err)
    assert.matches("\n  [^\n]* wait " .. slug .. " %-%-export rows.csv\n$", err)
    local run = assert(box.client(server):run(slug):reload())
    assert.equal("running", run.status)
    assert(run:abort())
    assert.equal(paid + 1, (server:paid()))
    shown[130] = true
  end)

  it("is one of the list, and each was shown above", function()
    for _, entry in ipairs(exit.list) do assert.is_true(shown[entry.code], entry.name) end
  end)
end)

describe("an interrupted start", function()
  local server, coreclaw
  setup(function()
    server = box.start()
    coreclaw = cli.new(server)
  end)
  teardown(function()
    coreclaw:close()
    server:stop()
  end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function wait_for_start(operation)
    for _ = 1, 1200 do
      for _, request in ipairs(server:requests()) do
        if request.operation == (operation or "runWorker") then return end
      end
      require("coreclaw").sleep(0.02)
    end
    error "it was never started"
  end

  it("waits for its answer, so that the run is known", function()
    server:fault { operation = "runWorker", delay = 1 }
    local pid = coreclaw:start("one", "run demo/rows count=1 wait=30 --wait --no-check")
    wait_for_start()
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("one.out", "exit 130\n$")
    local _, list = server:paid()
    assert.matches("stopped waiting; run " .. list[#list].run_slug, coreclaw:read "one.err")
    assert.equal(1, #list)
  end)

  it("is not repeated when the platform had refused it, and nothing was started", function()
    local paid = server:paid()
    server:fault { operation = "runWorker", status = 429, code = 13000, headers = { ["Retry-After"] = "50" }, times = 9 }
    local pid = coreclaw:start("three", "run demo/rows count=1 --no-check")
    wait_for_start()
    require("coreclaw").sleep(0.3)
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("three.out", "exit 130\n$")
    assert.matches("interrupted while starting a run of demo~rows: nothing was started\n$", coreclaw:read "three.err")
    assert.equal(paid, (server:paid()))
  end)

  it("is given up by a second Ctrl-C, which says that it may have been done", function()
    local paid = server:paid()
    server:fault { operation = "runWorker", delay = 30 }
    local pid = coreclaw:start("two", "run demo/rows count=1 --no-check")
    wait_for_start()
    cli.shell("kill -INT " .. pid)
    require("coreclaw").sleep(0.3)
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("two.out", "exit 10\n$")
    assert.matches("interrupted while starting a run of demo~rows: it may have been, once", coreclaw:read "two.err")
    assert.is_true(server:paid() <= paid + 1)
  end)

  local ACTIVATE = "activateRunQueueItems"

  local function queued()
    return assert(box.client(server):worker "demo/rows":queue { count = 1 }).queue_ref
  end

  it("of a queued run waits for its answer as well, and is given up by a second Ctrl-C", function()
    server:fault { operation = ACTIVATE, delay = 0.7 }
    local pid = coreclaw:start("q1", "queue activate --json " .. queued())
    wait_for_start(ACTIVATE)
    cli.shell("kill -INT " .. pid)
    assert.matches('"success":true.*exit 0\n$', coreclaw:wait_for("q1.out", "exit %d+\n$"))
    server:clear_faults()
    server:reset_requests()
    server:fault { operation = ACTIVATE, delay = 30 }
    pid = coreclaw:start("q2", "queue activate " .. queued())
    wait_for_start(ACTIVATE)
    cli.shell("kill -INT " .. pid)
    require("coreclaw").sleep(0.3)
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("q2.out", "exit 10\n$")
    assert.matches("interrupted while activating queued runs: it may have been.*\n  [^\n]* queue list",
      coreclaw:read "q2.err")
  end)

  it("of a queued run says after a lost answer that it may have been done", function()
    server:fault { operation = ACTIVATE, close = "before" }
    server:fault { operation = ACTIVATE, status = 429, code = 13000, headers = { ["Retry-After"] = "50" } }
    local pid = coreclaw:start("q3", "queue activate " .. queued())
    for _ = 1, 1200 do
      if server:faults()[2].hits > 0 then break end
      require("coreclaw").sleep(0.02)
    end
    require("coreclaw").sleep(0.3)
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("q3.out", "exit 10\n$")
    assert.matches("it may have been, once", coreclaw:read "q3.err")
  end)

  it("of a queued run that was refused after a lost answer may have been done", function()
    local item = queued()
    server:fault { operation = ACTIVATE, close = "before" }
    server:fault { operation = ACTIVATE, status = 200, content_type = "application/json", body =
      '{"code":0,"message":"","data":{"results":[{"queue_ref":"' .. item .. '","success":false,"error":"busy"}]}}' }
    local result = coreclaw:run("queue activate --json " .. item)
    assert.equal(10, result.code, result.out .. result.err)
    assert.matches("^An answer was lost: it may have been done[^\n]+\n  [^\n]* queue list\n$", result.err)
  end)

  it("of queued runs whose answers are all lost ends with 10, whatever the kind", function()
    for _, fault in ipairs { { close = "before" }, { status = 502, body = "no" } } do
      fault.operation, fault.times = ACTIVATE, 9
      server:clear_faults()
      server:fault(fault)
      for _, items in ipairs { queued(), queued() .. " " .. queued() } do
        local result = coreclaw:run("queue activate " .. items)
        assert.equal(10, result.code, result.err)
        assert.matches("It may have been done, and paid for. Look before you repeat it:\n  [^\n]* queue list",
          result.err)
      end
    end
  end)
end)

describe("the table of exit codes", function()
  local function table_rows()
    local file = assert(io.open "README.md")
    local text = file:read "*a"
    file:close()
    local rows = {}
    for code, meaning in text:match("\n| exit code | when |\n(.-)\n\n"):gmatch "\n| (%d+) | ([^|\n]+) |" do
      rows[#rows + 1] = { code = tonumber(code), meaning = meaning }
    end
    return rows, text
  end

  it("is the same in README.md, in --help, and in the code", function()
    local rows = table_rows()
    local help = cli.new():ok "--help"
    for i, entry in ipairs(exit.list) do
      assert.same({ code = entry.code, meaning = entry.meaning }, rows[i])
      assert.is_truthy(help:gsub("%s+", " "):find(("%d %s"):format(entry.code, entry.meaning:gsub("[*`]", "")), 1, true),
        entry.meaning)
    end
    assert.equal(#exit.list, #rows)
  end)

  it("has a place for every kind of error", function()
    local kinds = {}
    for _, entry in ipairs(exit.list) do
      for _, kind in ipairs(entry.kinds) do
        assert.is_nil(kinds[kind])
        kinds[kind] = true
      end
    end
    assert.same(require("coreclaw").errors.kinds, kinds)
  end)

  it("names commands in README.md that there are, and no others", function()
    local _, text = table_rows()
    local section = text:match "\n## Command line\n(.-)\n## "
    local named, there = {}, {}
    for name in section:gmatch "\n| `coreclaw (%l+)" do named[name] = true end
    for _, definition in ipairs(require "coreclaw.cli.commands") do there[definition.name] = true end
    assert.same(there, named)
  end)
end)
