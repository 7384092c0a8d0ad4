-- The main job, over a real socket: start a Worker, wait, walk its rows.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("the main job", function()
  local server, client

  setup(function()
    server = box.start { ready_for = 0.05 }
    client = box.client(server)
  end)
  teardown(function() server:stop() end)

  it("reads the account", function()
    local account = assert(client:account())
    assert.is_string(account.balance)
    assert.is_truthy(tonumber(account.balance))
    assert.equal("number", type(account.balance_expiration_at))
  end)

  it("reads a Worker's detail and input schema, whichever way it is spelled", function()
    for _, id in ipairs { "demo/rows", "demo~rows", "demo%2Frows" } do
      local worker = client:worker(id)
      assert.equal("demo~rows", worker.id)
      local info = assert(worker:detail())
      assert.equal("rows", info.name)
      assert.equal("demo", info.username)
      assert.matches("^v%d", info.version)
      local schema = assert(worker:input_schema())
      assert.equal("count", schema.properties[1].name)
    end
  end)

  it("starts, waits with updates, and walks the rows in order", function()
    local updates = {}
    local run = assert(client:worker("demo/rows"):start { count = 25, delay = 0.04 })
    assert.matches("^%w+$", run.slug)
    assert.equal("ready", run.status)
    assert.is_string(run.request_id)
    assert.equal(run, assert(run:wait {
      timeout = 30,
      on_update = function(r) updates[#updates + 1] = r.status end,
    }))
    assert.equal("succeeded", run.status)
    assert.is_true(run:is_final())
    assert.equal(25, run.results_count)
    assert.equal("succeeded", updates[#updates])
    assert.is_true(#updates > 1)
    assert.is_true(run.started_at > 1e9 and run.finished_at >= run.started_at)
    assert.equal("string", type(run.usage))
    local rows = box.collect(run:results { limit = 10 })
    assert.equal(25, #rows)
    for i, row in ipairs(rows) do assert.equal(i, row.index) end
  end)

  it("scrapes the sandbox's site with a Worker that does real work", function()
    local run = assert(client:worker("demo/page-scraper"):call {
      start_urls = { server.site_url }, follow_links = true, max_pages = 4,
    })
    local rows = box.collect(run:results())
    assert.equal(4, #rows)
    assert.equal(server.site_url, rows[1].url)
    assert.is_true(#rows[1].title > 0)
    assert.is_true(#rows[1].links > 0)
  end)

  it("hands out pages with headers, count and number", function()
    local run = assert(client:worker("demo/rows"):call { count = 45 })
    local page = assert(run:results_page { page = 2, limit = 20 })
    assert.equal(20, #page.list)
    assert.equal(21, page.list[1].index)
    assert.equal(45, page.count)
    assert.equal(2, page.page)
    assert.equal(20, page.limit)
    assert.is_string(page.headers[1].key)
    assert.same({ 20, 20, 5 }, (function()
      local sizes = {}
      for p in run:pages { limit = 20 } do sizes[#sizes + 1] = #p.list end
      return sizes
    end)())
    assert.same({}, assert(run:results_page { page = 9 }).list)
    assert.equal(5, #box.collect(run:results { page = 3, limit = 20 }))
  end)

  it("ends on a full last page too", function()
    local run = assert(client:worker("demo/rows"):call { count = 40 })
    assert.equal(40, #box.collect(run:results { limit = 20 }))
    local empty = assert(client:worker("demo/rows"):call { count = 0 })
    assert.same({}, box.collect(empty:results()))
    assert.equal(0, empty.results_count)
  end)

  it("leaves the platform's own row id out, unless it is wanted", function()
    local run = assert(client:worker("demo/rows"):call { count = 2 })
    for row in run:results() do assert.is_nil(row.__coreclaw_data_id__) end
    local seen = 0
    for row in run:results { skip_internal = false } do
      if row.__coreclaw_data_id__ then seen = seen + 1 end
    end
    assert.equal(2, seen)
  end)

  it("reads the log", function()
    local run = assert(client:worker("demo/rows"):call { count = 1 })
    local log = assert(run:log())
    assert.is_true(#log.entries > 0)
    for _, entry in ipairs(log.entries) do
      assert.is_string(entry.text)
      assert.is_string(entry.level)
      assert.is_true(entry.time > 1e9 and entry.time < 1e11)
    end
  end)

  it("tells why a run failed", function()
    local run, err = client:worker("demo/rows"):call {
      count = 3, fail_at = 3, fail_message = "the shop is closed",
    }
    assert.is_nil(run)
    assert.equal("run_failed", err.kind)
    assert.matches("the shop is closed", tostring(err))
    assert.equal("failed", err.run.status)
    assert.equal(2, #box.collect(err.run:results()))
  end)

  it("returns a failed run from wait without an error", function()
    local run = assert(client:worker("demo/rows"):start { count = 1, fail_at = 1 })
    assert.equal(run, assert(run:wait()))
    assert.equal("failed", run.status)
  end)

  it("reruns: a new run with the same input", function()
    local run = assert(client:worker("demo/rows"):call { count = 7 })
    local again = assert(run:rerun())
    assert.not_equal(run.slug, again.slug)
    assert.equal("succeeded", assert(again:wait()).status)
    assert.equal(7, again.results_count)
  end)

  it("aborts, and says so", function()
    local run = assert(client:worker("demo/rows"):start { count = 1000, delay = 0.05 })
    assert.equal(run, assert(run:abort()))
    assert(run:wait { timeout = 20 })
    assert.is_true(run.status == "failed" or run.status == "aborting" or run.status == "aborted")
    local ok, err = assert(client:worker("demo/rows"):call { count = 1 }):abort()
    assert.is_nil(ok)
    assert.equal("run_conflict", err.kind)
    assert.equal(70002, err.code)
  end)

  it("picks a run up by its slug", function()
    local slug = assert(client:worker("demo/rows"):call { count = 3 }).slug
    local run = client:run(slug)
    assert.equal("coreclaw.Run " .. slug .. " (not read yet, 0 rows)", tostring(run))
    assert.equal("succeeded", assert(run:reload()).status)
    assert.equal(3, #box.collect(client:run(slug):results()))
    assert.equal(slug, assert(client:run(slug):wait()).slug)
  end)

  it("runs synchronously and shows a window", function()
    local res = assert(client:worker("demo/rows"):run_sync({ count = 12 }, { limit = 5, page = 2 }))
    assert.equal("succeeded", res.status)
    assert.is_true(res.finished)
    assert.equal(12, res.count)
    assert.equal(5, #res.list)
    assert.equal(6, res.list[1].index)
    assert.equal(12, #box.collect(res.run:results()))
    local nothing, err = client:worker("demo/rows"):run_sync { count = 1, fail_at = 1 }
    assert.is_nil(nothing)
    assert.equal("run_failed", err.kind)
    assert.equal("failed", err.result.status)
  end)

  it("lists the store's Workers as handles, page by page", function()
    local ids = {}
    for worker in client:store { limit = 1 } do
      ids[worker.id] = worker.title
    end
    assert.is_string(ids["demo~rows"])
    assert.is_string(ids["demo~page-scraper"])
    local found = box.collect(client:store { keyword = "page-scraper" })
    assert.equal(1, #found)
    assert.is_table(assert(found[1]:detail()))
  end)

  it("lists proxy regions", function()
    local regions = assert(client:proxy_regions "de")
    assert.is_true(#regions > 100)
    assert.matches("^%u%u$", regions[1].code)
  end)

  it("does three operations without a key", function()
    local public = coreclaw.new { base_url = server.url }
    assert.is_true(#assert(public:proxy_regions()) > 0)
    assert.is_true(#box.collect(public:store()) > 0)
    assert.is_table(assert(public:worker("demo/rows"):input_schema()).properties)
  end)

  it("waits until a run that is already final without asking again", function()
    local run = assert(client:worker("demo/rows"):call { count = 1 })
    server:reset_requests()
    assert(run:wait())
    assert.same({}, server:requests())
  end)

  it("gives up waiting in time, with the run in the error, which goes on", function()
    local run = assert(client:worker("demo/rows"):start { count = 200, delay = 0.05 })
    local ok, err = run:wait { timeout = 0.4 }
    assert.is_nil(ok)
    assert.equal("wait_timeout", err.kind)
    assert.equal(run, err.run)
    assert.is_true(err.retryable)
    assert(run:reload())
    assert.equal("running", run.status)
    assert(run:abort())
  end)
end)
