-- The list of runs, the newest run, handles as text.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("runs", function()
  local server, client, worker, slugs

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
    slugs = {}
    for i = 1, 7 do slugs[i] = assert(worker:call { count = i }).slug end
    assert(worker:start { count = 1, fail_at = 1 }):wait()
  end)
  teardown(function() server:stop() end)

  it("are listed as handles, each once, over pages", function()
    local seen, n = {}, 0
    for run in client:runs { limit = 3 } do
      assert.is_nil(seen[run.slug])
      seen[run.slug], n = run, n + 1
      assert.is_string(run.status)
    end
    assert.equal(8, n)
    for i, slug in ipairs(slugs) do assert.equal(i, seen[slug].results_count) end
  end)

  it("are listed by status and Worker", function()
    assert.equal(7, #box.collect(client:runs { status = "succeeded" }))
    assert.equal(1, #box.collect(client:runs { status = "failed", worker = worker }))
    assert.equal(0, #box.collect(client:runs { worker = "demo/page-scraper" }))
  end)

  it("are listed across months, in requests of one month each", function()
    server:reset_requests()
    local now = os.time()
    assert.equal(8, #box.collect(client:runs { from = now - 100 * 86400, to = now + 60 }))
    local requests = server:requests()
    assert.is_true(#requests >= 4)
    for _, request in ipairs(requests) do
      assert.matches("start_time=%d+", request.query)
      assert.matches("end_time=%d+", request.query)
    end
    assert.equal(0, #box.collect(client:runs { from = "2024-01-31", to = "2024-03-01" }))
  end)

  it("that are the newest are pinned to what they are", function()
    local last = assert(client:last_run())
    local of_worker = assert(worker:last_run())
    assert.equal(last.slug, of_worker.slug)
    assert.equal("failed", last.status)
    assert(worker:call { count = 1 })
    assert.equal("failed", assert(last:reload()).status)
    local none, err = client:worker("demo/page-scraper"):last_run()
    assert.is_nil(none)
    assert.equal("not_found", err.kind)
  end)

  it("travel as text", function()
    local run = client:run(slugs[3])
    assert(run:reload())
    local text = run:serialize()
    assert.is_nil(text:find(server.key, 1, true))
    local back = client:run(text)
    assert.equal(run.slug, back.slug)
    assert.equal("succeeded", back.status)
    assert.equal(3, #box.collect(back:results()))
    assert.equal(run.slug, client:run(run).slug)
    assert.matches("run id", box.raised(function() client:run "coreclaw-run:{}" end))
  end)

  it("tell the versions of a Worker that are known", function()
    assert(worker:call({ count = 1 }, { version = "v1.1.0" }))
    local versions = assert(worker:versions())
    assert.equal("v1.2.0", versions[1])
    assert.equal("v1.1.0", versions[2])
    assert.equal(2, #versions)
  end)

  it("refuse ranges that make no sense", function()
    assert.is_string(box.raised(function() client:runs { from = 20, to = 10 } end))
    assert.is_string(box.raised(function() client:runs { from = "yesterday" } end))
    assert.matches("status must be one of", box.raised(function() client:runs { status = "aborted" } end))
  end)

  it("give the answer behind every call", function()
    local account, err, response = client:account()
    assert.is_table(account)
    assert.is_nil(err)
    assert.equal(200, response.status)
    assert.equal(0, response.envelope.code)
    assert.is_string(response.envelope.request_id)
    assert.matches("application/json", response:header "content-type")
    assert.is_nil(response:header "x-not-there")
    assert.equal(1, response.attempts)
    assert.equal("coreclaw.Response 200", tostring(response))
    assert.is_false(coreclaw.is_error(response))
  end)
end)
