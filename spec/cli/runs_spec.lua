-- `coreclaw run`, `wait`, `runs`, `results`, `export`, `logs`, `abort`, `rerun`: through pipes, as a child process.

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local coreclaw = require "coreclaw"

describe("coreclaw", function()
  local server, it_runs, decode = nil, nil, coreclaw.json.decode
  setup(function()
    server = box.start()
    it_runs = cli.new(server)
  end)
  teardown(function()
    -- Whatever was printed in all of these: the key was not in it.
    for _, text in ipairs(it_runs.all) do assert.is_nil(text:find(server.key, 1, true)) end
    it_runs:close()
    server:stop()
  end)
  before_each(function() server:clear_faults() end)

  local POLL = " --poll 0.05"

  -- The input of the newest run that was paid for.
  local function paid_input()
    local _, list = server:paid()
    return list[#list].input.parameters
  end

  local function lines(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
    return list
  end

  -- A run that is there to be looked at.
  local function finished(input)
    return assert(box.client(server):worker "demo/rows":call(input or { count = 3 }))
  end

  describe("run", function()
    it("starts a run with fields of the types that the schema says, and prints its id", function()
      local out, err = it_runs:ok "run demo/rows count=3 kind=nested delay=0.01 fail_message=17"
      assert.matches("^run%s+%w+\n", out)
      assert.matches("worker%s+demo~rows", out)
      assert.equal("", err)
      local custom = paid_input().custom
      assert.same({ 3, "nested", 0.01, "17" }, { custom.count, custom.kind, custom.delay, custom.fail_message })
    end)

    it("prints nothing but the id with --quiet, for a script", function()
      local slug = it_runs:ok("run demo/rows count=1 --quiet"):match "^(%w+)\n$"
      assert.equal(slug, (it_runs:ok("wait -q " .. slug .. POLL):match "^(%w+)\n$"))
    end)

    it("waits for its end, and is quiet in a pipe", function()
      local out, err = it_runs:ok("run demo/rows count=4 --wait --json" .. POLL)
      local run = decode(out)
      assert.same({ "succeeded", 4 }, { run.status, run.results_count })
      assert.equal("", err)
    end)

    it("takes files, stdin, pairs and JSON, the later over the earlier", function()
      local path = it_runs:file("input.json", '{"count": 1, "kind": "big", "wait": 0}')
      it_runs:ok("run demo/rows --input " .. path .. " --input - count=2 kind:='\"nulls\"'", { stdin = '{"size": 9}' })
      local custom = paid_input().custom
      assert.same({ 2, "nulls", 9, 0 }, { custom.count, custom.kind, custom.size, custom.wait })
      it_runs:ok "run demo/rows --input count=5"
      assert.equal(5, paid_input().custom.count)
    end)

    it("makes lists of what is said several times, and keeps a list that was given whole", function()
      it_runs:ok "run coreclaw/google-maps-scraper keywords=tea keywords='green, tea' max_results=2 --system memory=512"
      assert.same({ "tea", "green, tea" }, paid_input().custom.keywords)
      assert.equal(512, paid_input().system.memory)
      it_runs:ok [[run coreclaw/google-maps-scraper 'keywords=["a","b"]']]
      assert.same({ "a", "b" }, paid_input().custom.keywords)
    end)

    it("refuses what does not fit the schema, before anything is paid for", function()
      local before = server:paid()
      local big = it_runs:file("big.json", '{"count": 1, "s": "\\"1234567890123456789012", "x": 98765432109876543210}')
      for words, say in pairs {
        ["count=many"] = 'count must be a whole number, got the string "many"',
        ["cuont=3"] = "this Worker has no field cuont; did you mean count?",
        ["kind=flatt count=1"] = 'kind must be one of .*flat',
        ["count=3 --system memory=500"] = "system.memory must be one of 512",
        ["--input /nonexistent/x"] = "/nonexistent/x: No such file",
        ["--input lua/"] = "coreclaw: lua/: Is a directory",
        ["--input -"] = "stdin is not JSON",
        ["count:=[1"] = "is not JSON",
        ["--input " .. big] = "big.json holds the integer 98765432109876543210, which this Lua cannot hold exactly",
      } do
        local result = it_runs:run("run demo/rows " .. words, { stdin = "oops" })
        assert.equal((words:find "nonexistent" or words:find "lua/") and 11 or 2, result.code, words)
        assert.matches(say, result.err)
        assert.equal("", result.out)
      end
      assert.equal(before, (server:paid()))
    end)

    it("notices before anything is paid for that the rows would have nowhere to go", function()
      local before = server:paid()
      for words, say in pairs {
        ["--export /nonexistent/x.csv"] = "there is no folder /nonexistent; nothing was started",
        ["--export " .. it_runs.dir] = "this is a folder; nothing was started",
        ["--export x.csv --format cvs"] = "must be one of 'csv', 'json'",
        ["--results --fields ,"] = "at least one key",
        ["--export -"] = "%-%-export wants a file; on stdout: %-%-results.*nothing was started",
      } do
        local result = it_runs:run("run demo/rows count=1 " .. words)
        assert.is_true(result.code == 11 or result.code == 2)
        assert.matches(say, result.err)
      end
      assert.equal(before, (server:paid()))
    end)

    it("says how to go on when it was paid for and its rows could not be fetched", function()
      server:fault { operation = "exportWorkerRunResults", code = 16000, times = 9 }
      local result = it_runs:run("run demo/rows count=1 --export " .. it_runs.dir .. "/late.csv" .. POLL)
      assert.equal(6, result.code)
      local again = result.err:match "has ended as succeeded. To take it up again:\n  [^\n]- (wait [^\n]+)\n"
      server:clear_faults()
      local paid = server:paid()
      it_runs:ok(again)
      assert.matches("Row 1", it_runs:read "late.csv")
      assert.equal(paid, (server:paid()))
    end)

    it("shows what it would send, and sends nothing", function()
      local before = server:paid()
      local out = it_runs:ok "run demo/rows count=3 --dry-run"
      local payload = decode(out)
      assert.same({ 3, "flat" }, { payload.parameters.custom.count, payload.parameters.custom.kind })
      assert.equal(before, (server:paid()))
    end)

    it("sends the whole input as it is, and a version", function()
      local path = it_runs:file("raw.json", '{"parameters": {"custom": {"count": 1, "odd": true}}}')
      it_runs:ok("run demo/rows --raw-input " .. path .. " --worker-version v1.1.0")
      assert.is_true(paid_input().custom.odd)
      local result = it_runs:run("run demo/rows count=1 --raw-input " .. path)
      assert.equal(2, result.code)
    end)

    it("exports, prints rows, and shows the log while it waits", function()
      local file = it_runs.dir .. "/rows.csv"
      it_runs:ok("run demo/rows count=3 --export " .. file .. " --fields index,title" .. POLL)
      assert.matches("^[^\n]*index[^\n]*title\r?\n1,Row 1\r?\n2,Row 2", it_runs:read("rows.csv"):gsub('"', ""))
      local out = it_runs:ok("run demo/rows count=3 --results --jsonl" .. POLL)
      assert.equal(3, #lines(out))
      assert.same({ 2, "Row 2" }, { decode(lines(out)[2]).index, decode(lines(out)[2]).title })
      local _, err = it_runs:ok("run test/talker lines=12 delay=0.01 --follow-log" .. POLL)
      assert.matches("%d%d:%d%d:%d%d info  line 1\n", err)
      assert.matches("warn  line 10\n", err)
      assert.matches("line 12\n", err)
    end)

    it("notes the start in a journal, of which recover tells", function()
      local path = it_runs.dir .. "/journal"
      server:fault { operation = "runWorker", close = "after" }
      local result = it_runs:run("run demo/rows count=1 --label order-7 --journal " .. path)
      assert.equal(10, result.code)
      assert.matches("coreclaw: unknown_outcome: ", result.err)
      assert.matches("Look before you repeat it:\n  .* runs %-%-worker demo~rows", result.err)
      assert.matches("recover %-%-journal " .. path:gsub("%p", "%%%0"), result.err)
      result = it_runs:run("recover --json --journal " .. path)
      assert.equal(10, result.code)
      local item = decode(result.out)[1]
      assert.same({ "runWorker", "order-7" }, { item.operation, item.label })
      result = it_runs:run("recover --dismiss " .. item.id .. " --journal " .. path)
      assert.same({ 0, "" }, { result.code, result.err })
      assert.equal("[]\n", (it_runs:ok("recover --json --journal " .. path)))
    end)

    it("after an unknown outcome names the run that was started after all", function()
      local paid = server:paid()
      server:fault { operation = "runWorker", close = "after" }
      local result = it_runs:run "run test/echo 'rows=[{}]'"
      assert.equal(10, result.code)
      assert.equal(paid + 1, (server:paid()))
      local _, list = server:paid()
      assert.matches("unless another program started it:\n  [^\n]* wait " .. list[#list].run_slug .. "\n", result.err)
      server:fault { operation = "runWorker", close = "before" }
      result = it_runs:run "run demo/page-scraper"
      assert.matches("0 runs of that time are to be seen now", result.err)
    end)
  end)

  describe("wait", function()
    it("prints the run for machines, however it ends", function()
      local result = it_runs:run("run demo/rows count=3 fail_at=3 --wait --json" .. POLL)
      assert.equal(3, result.code)
      assert.same({ "failed", 2 }, { decode(result.out).status, decode(result.out).results_count })
    end)

    it("goes on where another process has left", function()
      local run = assert(box.client(server):worker "demo/rows":start { count = 3, wait = 0.3 })
      local out = it_runs:ok("wait " .. run.slug .. " --results --jsonl" .. POLL)
      assert.equal(3, #lines(out))
    end)

    it("gives up after a while, and says how to go on", function()
      local run = assert(box.client(server):worker "demo/rows":start { count = 1, wait = 30 })
      local result = it_runs:run("wait " .. run.slug .. " --timeout 0.2 --export x.csv --base-url " .. server.url .. POLL)
      assert.equal(5, result.code)
      assert.matches("wait_timeout", result.err)
      assert.matches("\n  " .. cli.program():gsub("%p", "%%%0") .. " wait " .. run.slug .. " %-%-export x.csv %-%-base%-url http",
        result.err)
      assert(run:abort())
    end)
  end)

  describe("runs", function()
    it("lists as a table, as JSON and as lines; shows one", function()
      local run = finished()
      local out = it_runs:ok "runs --max 2"
      assert.matches("^run +status +rows", out)
      assert.equal(3, #lines(out))
      out = it_runs:ok "runs --status succeeded --json"
      local list = decode(out)
      assert.is_true(#list > 1)
      assert.equal("succeeded", list[1].status)
      out = it_runs:ok("runs --jsonl --worker demo/rows --max 1")
      assert.equal(1, #lines(out))
      assert.matches('^{"slug":', out)
      out = it_runs:ok("runs --json " .. run.slug)
      assert.same({ run.slug, 3 }, { decode(out).slug, decode(out).results_count })
    end)

    it("prints an empty list as one", function()
      assert.equal("[]\n", (it_runs:ok "runs --status aborting --json"))
      assert.equal("", (it_runs:ok "runs --status aborting"))
    end)
  end)

  describe("results", function()
    it("prints a table that is safe for a terminal", function()
      local run = assert(box.client(server):worker "test/echo":call {
        rows = { { name = "a\27[2Jb\nc", city = "東京" }, { name = coreclaw.null, city = "x" } },
      })
      local out = it_runs:ok("results " .. run.slug)
      assert.is_nil(out:find("\27", 1, true))
      assert.equal(3, #lines(out))
      assert.matches("a %[2Jb c", out)
    end)

    it("prints every row with every digit, and only the columns wanted", function()
      local run = finished { count = 250, kind = "big" }
      local out = it_runs:ok("results " .. run.slug .. " --jsonl")
      assert.equal(250, #lines(out))
      assert.matches("11287654321098765432", lines(out)[1])
      local list = decode((it_runs:ok("results " .. run.slug .. " --json --fields title --max 120")))
      assert.equal(120, #list)
      assert.same({ title = "Row 120" }, list[120])
    end)

    it("follows a run, and goes on from a token", function()
      local run = assert(box.client(server):worker "demo/rows":start { count = 6, delay = 0.05 })
      local out, err = it_runs:ok("results " .. run.slug .. " --follow --token --jsonl" .. POLL)
      assert.equal(6, #lines(out))
      local token = err:match "token: (%S+)"
      assert.equal("", (it_runs:ok("results " .. run.slug .. " --jsonl --from '" .. token .. "'")))
    end)

    it("knows the newest run by the name of last", function()
      local run = finished()
      assert.equal(run.slug, decode((it_runs:ok "runs last --json")).slug)
      for _, quiet in ipairs { "", " -q" } do
        local out, err = it_runs:ok("results last --jsonl" .. quiet)
        assert.same({ 3, "" }, { #lines(out), err })
      end
    end)
  end)

  it("exports to a file, to stdout, and as a link", function()
    local run = finished()
    local path = it_runs.dir .. "/out.json"
    local out, err = it_runs:ok("export " .. run.slug .. " " .. path)
    assert.same({ "", "" }, { out, err })
    assert.equal(3, #decode(it_runs:read "out.json"))
    out = it_runs:ok("export " .. run.slug .. " - --format jsonl")
    assert.equal(3, #lines(out))
    assert.matches("^http://127", (it_runs:ok("export " .. run.slug .. " --url")))
    assert.equal(path, decode((it_runs:ok("export --json " .. run.slug .. " " .. path))).path)
    local url = decode((it_runs:ok("export --json --url " .. run.slug))).url
    assert.matches("^http://127", url)
    server:reset_requests()
    for words, say in pairs {
      ["export last"] = "a file is wanted", ["export last - --json"] = "prints the file itself",
      ["export last x.csv --url"] = "either a file is wanted, or",
    } do
      local result = it_runs:run(words)
      assert.equal(2, result.code, words)
      assert.matches(say, result.err)
    end
    assert.same({}, server:requests())
  end)

  it("says at Ctrl-C from which row on to follow", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 3, wait = 60 })
    local pid = it_runs:start("rows", "results --follow --jsonl " .. run.slug .. POLL)
    coreclaw.sleep(0.5)
    cli.shell("kill -INT " .. pid)
    local out = it_runs:wait_for("rows.out", "exit 130\n$")
    assert.equal(3, select(2, out:gsub('"index"', "")))
    local again = it_runs:read("rows.err"):match " (results %S+ %-%-follow %-%-from %S+)\n"
    assert(run:abort())
    assert.equal("", (it_runs:ok(again .. " --jsonl" .. POLL)))
  end)

  it("says a whole command at Ctrl-C before the first row, too", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 1, delay = 60 })
    server:fault { operation = "listWorkerRunResults", delay = 30 }
    local pid = it_runs:start("norow", "results --follow --jsonl " .. run.slug .. POLL)
    coreclaw.sleep(0.5)
    cli.shell("kill -INT " .. pid)
    it_runs:wait_for("norow.out", "exit 130\n$")
    assert.matches(" results " .. run.slug .. " %-%-follow\n$", it_runs:read "norow.err")
    assert(run:abort())
  end)

  it("says of a run that is not there nothing but that", function()
    for _, words in ipairs { "wait nope --json", "logs nope --follow", "results nope --follow" } do
      local result = it_runs:run(words)
      assert.equal(6, result.code, words)
      assert.matches("^coreclaw: not_found[^\n]+\n$", result.err)
      assert.equal("", result.out)
    end
  end)

  it("stops at Ctrl-C to wait for the end of an abort, and says how to go on", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 1, wait = 30 })
    server:fault { operation = "getWorkerRun", delay = 30, times = 2 }
    local pid = it_runs:start("abort", "abort --wait " .. run.slug .. POLL)
    for _ = 1, 1200 do
      local requests = server:requests()
      if requests[#requests].operation == "getWorkerRun" then break end
      coreclaw.sleep(0.02)
    end
    cli.shell("kill -INT " .. pid)
    it_runs:wait_for("abort.out", "exit 130\n$")
    assert.matches("^stopped waiting; run " .. run.slug .. " will be aborted[^\n]*\n  [^\n]* wait " .. run.slug .. "\n$",
      it_runs:read "abort.err")
  end)

  it("prints logs: all, some, those to come, as JSON, into a file", function()
    local run = assert(box.client(server):worker "test/talker":start { lines = 12, delay = 0.01 })
    assert.matches("line 12\n", (it_runs:ok("logs --follow " .. run.slug .. POLL)))
    local out = it_runs:ok("logs --level warn --jsonl " .. run.slug)
    assert.same({ "warn", "line 10" }, { decode(lines(out)[1]).level, decode(lines(out)[1]).text })
    out = it_runs:ok("logs --match 'LINE 3$' --ignore-case --context 1 " .. run.slug)
    assert.matches("line 2\n.*line 3\n.*line 4\n", out)
    assert.equal("", (it_runs:ok("logs --download " .. it_runs.dir .. "/log.txt " .. run.slug)))
    assert.matches("line 7", it_runs:read "log.txt")
    out = it_runs:ok("logs --json --download " .. it_runs.dir .. "/log.txt " .. run.slug)
    assert.equal(it_runs.dir .. "/log.txt", decode(out).path)
  end)

  it("aborts, and runs again", function()
    local run = assert(box.client(server):worker "demo/rows":start { count = 1, wait = 30 })
    local out = it_runs:ok("abort --wait --json " .. run.slug .. POLL)
    assert.equal("failed", decode(out).status)
    local before, paid = finished(), server:paid()
    out = it_runs:ok("rerun --wait --json " .. before.slug .. POLL)
    assert.equal("succeeded", decode(out).status)
    assert.not_equal(before.slug, decode(out).slug)
    assert.equal(paid + 1, (server:paid()))
  end)
end)
