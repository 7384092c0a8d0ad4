-- Did a run bring usable data?

local box = require "spec.support.box"

describe("run:verdict", function()
  local server, client, worker

  setup(function()
    server = box.start { ready_for = 0.02 }
    client = box.client(server)
    worker = client:worker "demo/rows"
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  it("PASS: names the fields, in the order of the headers", function()
    local run = assert(worker:call { count = 7 })
    server:reset_requests()
    local v = assert(run:verdict())
    assert.equal("PASS", v.verdict)
    assert.equal("succeeded", v.status)
    assert.equal(7, v.count)
    assert.equal(4, v.fields_count)
    assert.equal(4, #v.fields)
    assert.is_nil(v.reason)
    local list = server:requests()
    assert.equal(1, #list)
    assert.equal("listWorkerRunResults", list[1].operation)
    assert.matches("limit=5", list[1].query)
  end)

  it("NO_DATA: a run that succeeded without a row", function()
    local v = assert(assert(worker:call { count = 0 }):verdict())
    assert.equal("NO_DATA", v.verdict)
    assert.equal(0, v.count)
    assert.is_string(v.reason)
  end)

  it("ERROR_RECORD: diagnostic rows only", function()
    local v = assert(assert(worker:call { count = 3, kind = "diagnostic" }):verdict())
    assert.equal("ERROR_RECORD", v.verdict)
    assert.equal(3, v.count)
    assert.same({ "url" }, v.fields)
    assert.matches("Forbidden", v.reason)
  end)

  it("ERROR_RECORD: rows that cannot be read", function()
    local run = assert(worker:call { count = 3 })
    server:fault { operation = "listWorkerRunResults", status = 403, body = "no" }
    local v = assert(run:verdict())
    assert.equal("ERROR_RECORD", v.verdict)
    assert.matches("cannot be read.*403", v.reason)
  end)

  it("FAILED: with what the log says", function()
    local run = assert(worker:start { count = 3, fail_at = 2, fail_message = "Error: the shop is closed" })
    assert(run:wait())
    local v = assert(run:verdict())
    assert.equal("FAILED", v.verdict)
    assert.equal("failed", v.status)
    assert.equal(1, v.count)
    assert.matches("the shop is closed", v.reason)
    assert.matches("the shop is closed", table.concat(v.lines, "\n"))
  end)

  it("never shows the key, wherever the Worker may have written it", function()
    local run = assert(worker:start { count = 1, fail_at = 1, fail_message = "Error: refused " .. server.key })
    assert(run:wait())
    local v = assert(run:verdict())
    assert.matches("refused %*%*%*", v.reason)
    assert.is_nil(table.concat(v.lines, "\n"):find(server.key, 1, true))
  end)

  it("FAILED: also when the log cannot be read", function()
    local run = assert(worker:start { count = 3, fail_at = 2 })
    assert(run:wait())
    server:fault { operation = "getWorkerRunLog", status = 403, body = "no" }
    local v = assert(run:verdict())
    assert.equal("FAILED", v.verdict)
    assert.same({}, v.lines)
  end)

  it("RUNNING: reads the state of a run that is not known to have ended", function()
    local run = assert(worker:start { count = 1000, delay = 0.05 })
    local v = assert(client:run(run.slug):verdict())
    assert.equal("RUNNING", v.verdict)
    assert.is_true(v.status == "ready" or v.status == "running")
    assert(run:abort())
    run = assert(worker:call { count = 1 })
    assert.equal("PASS", assert(client:run(run.slug):verdict()).verdict)
  end)

  it("is an error when the state cannot be read", function()
    local v, err = client:run("01KZS4D8M2XW7Q5T9BHNVRC3EA"):verdict()
    assert.is_nil(v)
    assert.equal("not_found", err.kind)
  end)

  it("decides for worker:call { require = \"data\" }", function()
    assert(worker:call({ count = 1 }, { require = "data" }))
    for _, input in ipairs { { count = 0 }, { count = 2, kind = "diagnostic" } } do
      local run, err = worker:call(input, { require = "data" })
      assert.is_nil(run)
      assert.equal("run_failed", err.kind)
      assert.equal("succeeded", err.run.status)
      assert.is_truthy(tostring(err):find "NO_DATA" or tostring(err):find "ERROR_RECORD")
    end
  end)

  it("checks its options", function()
    local run = client:run "01KZS4D8M2XW7Q5T9BHNVRC3EA"
    assert.matches("limit must be", box.raised(run.verdict, run, { limit = 21 }))
  end)
end)
