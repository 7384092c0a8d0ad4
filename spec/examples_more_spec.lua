-- The examples of one task each, run as a person runs them.
local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local example = require "spec.support.example"

local ROWS = "demo/rows"

local function decoded(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(coreclaw.json.decode(line)) end
  return list
end

local function attribute(span, name)
  for _, entry in ipairs(span.attributes) do
    if entry.key == name then return entry.value.stringValue or entry.value.intValue end
  end
end

describe("examples/", function()
  local server, folder
  setup(function()
    server = box.start { ready_for = 0.01 }
    folder = example.shell "mktemp -d"
  end)
  before_each(function() server:reset_requests() end)
  after_each(function() server:clear_faults() end)
  teardown(function()
    server:stop()
    example.shell("rm -rf " .. folder)
  end)

  local function run(...) return example.run(server, ...) end

  describe("follow.lua", function()
    local function follow(...)
      return run("follow.lua", { ... }, { env = { FOLLOW_STATE = folder .. "/state" } })
    end

    it("prints the rows of a run that is going on", function()
      local out, code, err = follow(ROWS, '{"count": 5, "delay": 0.1}')
      assert.equal(0, code, err)
      local rows = decoded(out)
      assert.equal(5, #rows)
      assert.equal("Row 5", rows[5].title)
      assert.equal("succeeded\n", err)
    end)

    it("goes on behind the last row when it was killed, and pays once", function()
      local before = server:paid()
      local out = folder .. "/rows"
      example.shell(("{ env %s > %s & echo $! > %s; } 2> /dev/null"):format(example.command(server, "follow.lua",
        { ROWS, '{"count": 20, "delay": 0.1}' }, { FOLLOW_STATE = folder .. "/state" }), out, folder .. "/pid"))
      example.eventually(function() return #decoded(example.read(out)) >= 3 end, "three rows")
      example.shell("kill -9 " .. example.read(folder .. "/pid"))
      local first = decoded(example.read(out):match "^.*\n")
      local rest, code, err = follow "--resume"
      assert.equal(0, code, err)
      local seen = {}
      for _, list in ipairs { first, decoded(rest) } do
        for _, row in ipairs(list) do seen[row.index] = true end
      end
      assert.equal(20, #seen)
      assert.equal(1, server:paid() - before)
    end)

    it("says by its exit code how the run ended", function()
      local out, code, err = follow(ROWS, '{"count": 5, "fail_at": 3}')
      assert.same({ 2, 1, "failed\n" }, { #decoded(out), code, err })
    end)
  end)

  describe("many.lua", function()
    local function many(words, ...)
      example.write(folder .. "/words", words)
      return run("many.lua", { ... }, { input = folder .. "/words", env = { JOURNAL = folder .. "/journal" } })
    end

    it("runs them all, no more than so many at once", function()
      server:reset_requests()
      local before = server:paid()
      local out, code, err = many("tea\ncoffee\ncake\nbread\nmilk\n", "coreclaw/google-maps-scraper", "2")
      assert.equal(0, code, err)
      assert.is_true(#decoded(out) >= 5)
      assert.equal(5, server:paid() - before)
      assert.matches("tea +started %w+\n", err)
      assert.matches("milk +%d+ rows\n", err)
      local starts = 0 -- since the runs were looked at: an end is known by that only
      for _, request in ipairs(server:requests()) do
        starts = request.operation == "runWorker" and starts + 1 or 0
        assert.is_true(starts <= 2, err)
      end
    end)

    for _, limit in ipairs { 1, 2, 10 } do
      it("names each item by its word, with at most " .. limit .. " at once", function()
        local words = {}
        for i = 1, 9 do words[i] = "word" .. i end
        local out, code, err = many(table.concat(words, "\n") .. "\n", "coreclaw/google-maps-scraper", tostring(limit))
        assert.equal(0, code, err)
        assert.is_true(#decoded(out) >= 9)
        for _, word in ipairs(words) do
          assert.equal(1, select(2, err:gsub("%f[%w]" .. word .. " +started %w+\n", "")), err)
          assert.equal(1, select(2, err:gsub("%f[%w]" .. word .. " +%d+ rows\n", "")), err)
        end
      end)
    end

    it("goes on when one fails, and says so", function()
      server:fault { operation = "runWorker", nth = 2, status = 500, body = "oops" }
      local before = server:paid()
      local out, code, err = many("tea\ncoffee\ncake\n", "coreclaw/google-maps-scraper", "1")
      assert.equal(1, code)
      assert.matches("coffee +coreclaw: unknown_outcome", err)
      assert.matches("cake +%d+ rows", err)
      assert.is_true(#decoded(out) > 0)
      assert.is_true(server:paid() - before <= 3)
    end)
  end)

  it("export.lua writes the file, and goes on after a break", function()
    local finished = assert(box.client(server):worker(ROWS):call { count = 300, size = 200 })
    local path = folder .. "/rows.csv"
    server:fault { origin = "files", times = 1, truncate_after = 20000 }
    local out, code, err = run("export.lua", { finished.slug, path, "title", "padding" })
    assert.equal(0, code, err)
    assert.matches("rows%.csv: %d+ bytes in %d requests", out)
    assert.matches("MB of %d", err)
    local _, lines = example.read(path):gsub("\n", "")
    assert.equal(301, lines)
    assert.matches("^[^\n]*title", example.read(path))
    _, code, err = run("export.lua", { "01KZS4D8M2XW7Q5T9BHNVRC3EA", path .. 2 })
    assert.equal(1, code)
    assert.matches("coreclaw: not_found", err)
  end)

  it("export.lua goes on behind what it has when it was killed", function()
    local finished = assert(box.client(server):worker(ROWS):call { count = 300, size = 200 })
    local path, whole = folder .. "/killed.csv", folder .. "/whole.csv"
    assert(box.client(server):run(finished.slug):export(whole, { fields = { "title", "padding" } }))
    server:fault { origin = "files", times = 1, stall_after = 20000, stall_for = 600 }
    local words = { finished.slug, path, "title", "padding" }
    example.shell(("{ env %s > /dev/null 2> /dev/null & echo $! > %s; }"):format(
      example.command(server, "export.lua", words), folder .. "/pid"))
    example.eventually(function()
      return #example.read(path .. ".part") >= 20000 and #example.read(path .. ".part.state") > 0
    end, "the first bytes")
    example.shell("kill -9 " .. example.read(folder .. "/pid"))
    assert.equal("", example.read(path))
    assert.equal(20000, #example.read(path .. ".part"))
    -- A mark in what is kept: a file that was fetched from its beginning would not have it.
    example.write(path .. ".part", "MARK" .. example.read(path .. ".part"):sub(5))
    local _, code, err = run("export.lua", words)
    assert.equal(0, code, err)
    assert.is_true("MARK" .. example.read(whole):sub(5) == example.read(path))
    assert.equal("", example.read(path .. ".part"))
  end)

  it("schedule.lua saves a task, once, and runs it", function()
    local words = { "coreclaw/google-maps-scraper", '{"keywords": ["bakery"]}', "Bakeries, mondays" }
    local out, code, err = run("schedule.lua", words)
    assert.equal(0, code, err)
    local slug = out:match "^created (%w+)\n"
    assert.matches("\n%w+\tsucceeded\t%d+ rows\n", out)
    words[2] = '{"keywords": ["pastry"]}'
    out, code, err = run("schedule.lua", words)
    assert.equal(0, code, err)
    assert.equal(slug, out:match "^changed (%w+)\n")
    local client = box.client(server)
    assert.equal(1, #box.collect(client:tasks()))
    local task = assert(client:task(slug):reload())
    assert.same({ weekly = "monday", at = "09:30" }, { weekly = task.schedule.weekly, at = task.schedule.at })
    assert.equal("pastry", assert(task:input()).input.parameters.custom.keywords[1])
    words[2] = '{"max_results": "many"}'
    out, code, err = run("schedule.lua", words)
    assert.same({ 2, "" }, { code, out })
    assert.matches("max_results", err)
  end)

  describe("logging.lua", function()
    it("writes a line for each request", function()
      server:fault { operation = "getWorkerRun", times = 1, status = 503, body = "no" }
      local lines = {}
      local options = dofile "examples/logging.lua" (function(line) lines[#lines + 1] = line end)
      options.retry = { base = 0.01 }
      assert(box.client(server, options):worker(ROWS):call { count = 1 })
      assert.matches("^POST /api/v2/workers/{workerId}/runs 200 %d%.%d+ s %d+ bytes $", lines[1])
      assert.matches("^GET /api/v2/worker%-runs/{runId} 503 %d%.%d+ s 2 bytes server_error$", lines[2])
      assert.matches("^GET /api/v2/worker%-runs/{runId} again in 0%.%d+ s$", lines[3])
      assert.matches("^GET /api/v2/worker%-runs/{runId} 200 ", lines[4])
    end)

    it("has one name for all of client:request", function()
      local lines = {}
      local client = box.client(server, dofile "examples/logging.lua" (function(line) lines[#lines + 1] = line end))
      assert(client:request { path = "/api/v2/users/account" })
      client:request { path = "/api/v2/worker-runs/01KZS4D8M2XW7Q5T9BHNVRC3EA" }
      assert.matches("^GET client:request 200 ", lines[1])
      assert.matches("^GET client:request 404 ", lines[2])
    end)

    it("shows no address of a file", function()
      local lines = {}
      local client = box.client(server, dofile "examples/logging.lua" (function(line) lines[#lines + 1] = line end))
      local finished = assert(client:worker(ROWS):call { count = 1 })
      assert(finished:export(folder .. "/one.csv"))
      assert.matches("^exportWorkerRunResults 200 ", lines[#lines])
      assert.is_nil(table.concat(lines):find("http", 1, true))
    end)
  end)

  it("tracing.lua writes spans as OpenTelemetry reads them", function()
    server:fault { operation = "getAccount", times = 1, status = 503, body = "no" }
    local lines, before = {}, os.time()
    local options = dofile "examples/tracing.lua" ("shop", function(line) lines[#lines + 1] = line end)
    options.retry = { base = 0.01 }
    local client = box.client(server, options)
    assert(client:account())
    assert(client:worker(ROWS):detail())
    local spans = {}
    for i, line in ipairs(lines) do
      local all = assert(coreclaw.json.decode(line))
      local resource = all.resourceSpans[1]
      assert.equal("service.name", resource.resource.attributes[1].key)
      assert.equal("shop", resource.resource.attributes[1].value.stringValue)
      local span = resource.scopeSpans[1].spans[1]
      assert.matches("^%x+$", span.traceId)
      assert.same({ 32, 16, 3 }, { #span.traceId, #span.spanId, span.kind })
      local from, to = tonumber(span.startTimeUnixNano) / 1e9, tonumber(span.endTimeUnixNano) / 1e9
      assert.is_true(from >= before and to >= from and to < os.time() + 2)
      spans[i] = span
    end
    assert.equal(3, #spans)
    assert.same({ "GET /api/v2/users/account", "GET /api/v2/users/account", "GET /api/v2/workers/{workerId}" },
      { spans[1].name, spans[2].name, spans[3].name })
    assert.equal(spans[1].traceId, spans[2].traceId)
    assert.not_equal(spans[2].traceId, spans[3].traceId)
    assert.not_equal(spans[1].spanId, spans[2].spanId)
    assert.same({ 2, nil }, { spans[1].status.code, spans[2].status })
    assert.equal("server_error", attribute(spans[1], "error.type"))
    assert.equal(503, attribute(spans[1], "http.response.status_code"))
    assert.equal(1, attribute(spans[2], "http.request.resend_count"))
    assert.equal("getWorker", attribute(spans[3], "coreclaw.operation"))

    assert(client:request { path = "/api/v2/users/account" })
    local raw = coreclaw.json.decode(lines[4]).resourceSpans[1].scopeSpans[1].spans[1]
    assert.same({ "GET client:request", "client:request" }, { raw.name, attribute(raw, "coreclaw.operation") })

    local own = box.client(server, dofile "examples/tracing.lua" ("shop", function(line) lines[4] = line end,
      function() return ("ab"):rep(16), ("cd"):rep(8) end))
    assert(own:account())
    local span = coreclaw.json.decode(lines[4]).resourceSpans[1].scopeSpans[1].spans[1]
    assert.same({ ("ab"):rep(16), ("cd"):rep(8) }, { span.traceId, span.parentSpanId })
  end)

  for name, module in pairs { ["luv.lua"] = "luv", ["cqueues.lua"] = "cqueues" } do
    if example.has(module) then
      it(name .. " runs all inputs at once, and its loop goes on", function()
        local input = '{"count": 2, "wait": 1.2}'
        local started = os.time()
        local out, code, err = run(name, { ROWS, input, input, '{"count": 3, "fail_at": 1}' })
        assert.equal(0, code, err)
        assert.is_true(os.time() - started < 60)
        assert.equal(2, select(2, out:gsub("2 rows", "")), out)
        assert.matches("%.", err) -- it ticked
        assert.matches("run_failed", out .. err)
        if module == "luv" then assert.matches("together\t4 rows", out) end
      end)
    end
  end

  it("testing/ is a spec that passes", function()
    local path = os.getenv "LUA_PATH" or package.path
    local out = example.shell(("cd examples/testing && LUA_PATH=%s LUA_CPATH=%s %s /usr/bin/busted -o TAP nightly_spec.lua 2>&1")
      :format(example.quoted((path:gsub("%./", example.shell "pwd" .. "/")) .. ";./?.lua"),
        example.quoted((os.getenv "LUA_CPATH" or package.cpath):gsub("%./build", example.shell "pwd" .. "/build")),
        example.lua()))
    assert.equal(4, select(2, ("\n" .. out):gsub("\nok %d", "")), out)
    assert.is_nil(out:find "not ok", out)
  end)
end)
