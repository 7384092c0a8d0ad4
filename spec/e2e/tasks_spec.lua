-- Saved tasks and their schedules.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("saved tasks", function()
  local server, client

  setup(function()
    server = box.start()
    client = box.client(server)
  end)
  teardown(function() server:stop() end)

  local function create(options)
    local all = { worker = "demo/rows", title = "Rows", input = { count = 3 } }
    for name, value in pairs(options or {}) do all[name] = value end
    return assert(client:create_task(all))
  end

  it("are created, read, changed in part, started and deleted", function()
    local task = create { description = "three", schedule = { daily = "09:30" } }
    assert.equal("Rows", task.title)
    local read = assert(client:task(task.slug):reload())
    assert.equal("Rows", read.title)
    assert.same({ daily = "09:30" }, read.schedule)
    assert.equal("demo~rows", read.worker_id)
    assert(read:update { title = "Three rows" })
    assert(read:reload())
    assert.equal("Three rows", read.title)
    assert.same({ daily = "09:30" }, read.schedule)
    local run = assert(task:start())
    assert.equal("succeeded", assert(run:wait()).status)
    assert.equal(3, #box.collect(run:results()))
    assert(task:delete())
    local gone, err = task:reload()
    assert.is_nil(gone)
    assert.equal("not_found", err.kind)
  end)

  it("are run synchronously", function()
    local res = assert(create():run_sync { limit = 2 })
    assert.equal("succeeded", res.status)
    assert.equal(2, #res.list)
    assert.equal(3, res.count)
  end)

  local schedules = {
    { daily = "00:05" }, { weekly = "monday", at = "09:30" }, { weekly = "sunday", at = "23:59" },
    { monthly = 31, at = "12:00" }, { once = "2031-02-28", at = "08:00" },
  }
  for i, schedule in ipairs(schedules) do
    it("read a schedule back as it was said: " .. i, function()
      assert.same(schedule, assert(create({ schedule = schedule }):reload()).schedule)
    end)
  end

  it("are switched off and on", function()
    local task = create { schedule = { daily = "10:00" } }
    assert(task:update { schedule = false })
    local off = assert(task:reload()).schedule
    assert.is_true(off == false or off.enabled == false)
    assert(task:update { schedule = { weekly = "friday", at = "07:00" } })
    assert.same({ weekly = "friday", at = "07:00" }, assert(task:reload()).schedule)
  end)

  it("keep their input in the full form, with empty lists as lists", function()
    local task = create { worker = "test/echo", input = { rows = coreclaw.array {} } }
    local stored = assert(task:input())
    assert.equal('{"parameters":{"custom":{"rows":[]}}}', coreclaw.json.encode(stored.input))
    assert(task:set_input({ rows = { { a = 1 } } }, { system = { memory = 1024, cpus = 0.25 } }))
    stored = assert(task:input()).input
    assert.equal(1, stored.parameters.custom.rows[1].a)
    assert.equal(1024, stored.parameters.system.memory)
    local run = assert(task:start())
    assert.equal("succeeded", assert(run:wait()).status)
    -- what was read can be written back as it is
    assert(task:set_input(nil, { raw_input = stored }))
    assert.same(stored, assert(task:input()).input)
  end)

  it("keep every digit of their numeric ids", function()
    local raw = assert(create():reload()).raw
    assert.matches("^%d+$", tostring(raw.id))
    assert.is_true(#tostring(raw.id) >= 17)
  end)

  it("are listed as handles, by Worker and by word", function()
    create { title = "a very special one" }
    local found = box.collect(client:tasks { keyword = "very special" })
    assert.equal(1, #found)
    assert.equal("a very special one", found[1].title)
    local all = box.collect(client:tasks { limit = 2 })
    assert.is_true(#all >= 3)
    assert.equal(0, #box.collect(client:tasks { worker = client:worker "demo/page-scraper" }))
  end)

  it("are not created twice when the answer is lost", function()
    local before = #box.collect(client:tasks())
    server:fault { operation = "createWorkerTask", times = 1, close = "after" }
    local task, err = client:create_task { worker = "demo/rows", title = "lost", input = { count = 1 } }
    assert.is_nil(task)
    assert.equal("unknown_outcome", err.kind)
    assert.equal(before + 1, #box.collect(client:tasks()))
  end)

  it("whose delete was lost are gone all the same", function()
    local task = create()
    server:fault { operation = "deleteWorkerTask", times = 1, close = "after" }
    assert.equal(task, assert(task:delete()))
    local _, err = task:delete()
    assert.equal("not_found", err.kind)
  end)

  local misuse = {
    { function() client:create_task { title = "x" } end, "worker is required" },
    { function() client:create_task { worker = "a/b" } end, "title is required" },
    { function() client:create_task { worker = "a/b", title = "x", schedule = { daily = "25:00" } } end, "time of day" },
    { function() client:create_task { worker = "a/b", title = "x", input = { "list" } } end, "got a list" },
    { function() client:task "a/b" end, "the task id must be" },
    { function() client:task("x"):update {} end, "nothing to change" },
    { function() client:task("x"):update { tilte = "y" } end, "did you mean title" },
    { function() client:tasks { worker = 5 } end, "the Worker id must be" },
  }
  for i, case in ipairs(misuse) do
    it("refuse misuse " .. i, function()
      assert.matches(case[2], box.raised(case[1]))
    end)
  end
end)
