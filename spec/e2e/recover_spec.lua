-- After a crash: the number of paid runs is the number of runs that are known or found; nothing is
-- lost and nothing is started again.

local box = require "spec.support.box"
local support = require "spec.support.journal"

describe("client:recover", function()
  local server, folder, journal, client

  -- One journal for all, which knows all runs but those that are lost.
  setup(function()
    server = box.start { plan = "business" }
    folder = support.folder()
    journal = folder .. "/journal"
  end)
  teardown(function()
    server:stop()
    os.execute("rm -rf " .. folder)
  end)
  before_each(function()
    server:clear_faults()
    client = box.client(server, { journal = journal })
  end)

  local function open(options, here, path)
    return assert(box.client(here or server, { journal = path or journal }):recover(options))
  end

  -- A run that has not begun is not always told from others: through API v1, or on a month's last day.
  local function open_begun(...)
    local items
    for _ = 1, 100 do
      items = open(...)
      if not (items[1] and items[1].state == "several") then break end
      os.execute "sleep 0.05"
    end
    return items
  end

  local function last(list) return list[#list] end

  local function last_paid()
    local count, list = server:paid()
    return count, list[count] and list[count].run_slug
  end

  describe("finds what a process that was killed has started", function()
    local OPERATIONS = {
      start = "runWorker", task = "runWorkerTask", rerun = "rerunWorkerRun", sync = "runWorker", call = "runWorker",
    }
    local env

    before_each(function()
      -- Both are the journal's own: neither can be taken for a lost one.
      local worker = client:worker "demo/rows"
      env = {
        RUN_SLUG = assert(worker:call { count = 1 }).slug,
        TASK = assert(client:create_task { worker = worker, title = "t", input = { count = 1 } }).slug,
      }
    end)

    local function found_one(before, operation)
      local count, slug = last_paid()
      assert.equal(before + 1, count)
      local items = open_begun()
      assert.equal(1, #items)
      assert.equal(operation, items[1].operation)
      assert.equal("found", items[1].state, items[1].message)
      assert.equal(slug, items[1].run.slug)
      local run = assert(items[1]:adopt())
      assert.equal("succeeded", assert(run:wait()).status)
      assert.equal(0, #open())
      assert.equal(count, (server:paid()))
    end

    for call, operation in pairs(OPERATIONS) do
      it("by a " .. call .. ", before anything was written: nothing", function()
        env.CALL, env.POINT = call, "before"
        local before = server:paid()
        support.run(server, journal, env)
        assert.equal(before, (server:paid()))
        assert.equal(0, #open())
      end)

      it("by a " .. call .. ", between the intent and the sending: that there is none", function()
        env.CALL, env.POINT = call, "intent"
        local before = server:paid()
        support.run(server, journal, env)
        assert.equal(before, (server:paid()))
        local items = open()
        assert.equal(1, #items)
        assert.same({ operation, "none" }, { items[1].operation, items[1].state })
        assert.equal(1, #open()) -- until it is settled
        assert.is_true(items[1]:dismiss())
        assert.equal(0, #open())
      end)

      it("by a " .. call .. ", while the answer was on its way", function()
        server:fault { operation = operation, times = 1, delay = 60 }
        env.CALL = call
        local before = server:paid()
        local child = support.child(server, journal, env)
        assert.is_true(support.eventually(function() return server:paid() > before end))
        assert.equal(0, #open()) -- it is being made
        assert.equal("busy", last(open { all = true }).state)
        support.kill(child)
        found_one(before, operation)
      end)

      it("by a " .. call .. ", between the answer and the line about it", function()
        env.CALL, env.POINT = call, "answer"
        local before = server:paid()
        support.run(server, journal, env)
        found_one(before, operation)
      end)
    end

    it("after that line: it is known", function()
      env.POINT = "outcome"
      support.run(server, journal, env)
      assert.equal(0, #open())
      local item = last(open { all = true })
      assert.same({ "started", "order 7" }, { item.state, item.label })
      assert.equal(select(2, last_paid()), item.run.slug)
      assert.matches("^req", item.request_id)
    end)

    it("through API v1", function()
      env.POINT, env.API = "answer", "v1"
      local before = server:paid()
      support.run(server, journal, env)
      open_begun()
      local items
      assert.is_true(support.eventually(function()
        items = assert(box.client(server, { journal = journal, api = "v1" }):recover())
        return items[1].state ~= "several"
      end))
      assert.equal(before + 1, (server:paid()))
      assert.equal("found", items[1].state)
      assert.equal(select(2, last_paid()), assert(items[1]:adopt()).slug)
    end)

    it("but no more than that it does not know, where there is no run to look for", function()
      for call, id in pairs { queue = "queue_ref", create = "slug" } do
        env.CALL, env.POINT = call, "answer"
        support.run(server, journal, env)
        local items = open()
        assert.equal(1, #items)
        assert.equal("unknown", items[1].state)
        assert.matches("look at client:", items[1].message)
        assert.matches("or its id is wanted, got a table", box.raised(function() items[1]:adopt {} end))
        assert.equal("the-one", assert(items[1]:adopt "the-one"))
        assert.equal(0, #open())
        assert.equal("the-one", last(open { all = true })[id])
      end
    end)
  end)

  it("lists each of many processes' calls, whenever they are killed", function()
    local here, path = box.start { plan = "business" }, folder .. "/storm"
    for _ = 1, 4 do
      local children = {}
      for i = 1, 3 do children[i] = support.child(here, path, { COUNT = 1000 }) end
      os.execute("sleep " .. (0.1 + math.random() * 0.5))
      for _, child in ipairs(children) do support.kill(child) end
    end
    local count, list = here:paid()
    local known, all = {}, open({ all = true }, here, path)
    for _, item in ipairs(all) do
      assert.is_not.equal("busy", item.state)
      if item.state == "started" then known[item.run.slug] = true end
      for _, candidate in ipairs(item.candidates) do known[candidate.slug] = true end
    end
    assert.is_true(count > 12 and count <= #all, count .. " runs, " .. #all .. " intents")
    for _, entry in ipairs(list) do assert.is_true(known[entry.run_slug], entry.run_slug) end
    assert.equal(count, (here:paid()))
    here:stop()
  end)

  it("takes one run for none of two intents that may both be its own", function()
    local here, path = box.start(), folder .. "/one"
    support.run(here, path, { POINT = "answer" })
    support.run(here, path, { POINT = "intent" })
    local items = open({ margin = 60 }, here, path)
    assert.same({ 2, "several", "several" }, { #items, items[1].state, items[2].state })
    assert.is_nil(items[1].run or items[2].run)
    assert.matches("1 run of that time and 2 intents", items[1].message)
    assert(items[1]:adopt(items[1].candidates[1]))
    items = open({ margin = 60 }, here, path)
    assert.same({ 1, "none" }, { #items, items[1].state })
    here:stop()
  end)

  it("takes no run for two intents", function()
    local here, path = box.start(), folder .. "/rivals"
    for _ = 1, 2 do support.run(here, path, { POINT = "answer" }) end
    support.run(here, path, { POINT = "intent" })
    local other = box.client(here, { journal = path })
    local items = assert(other:recover { margin = 60 })
    assert.equal(3, #items)
    for _, item in ipairs(items) do
      assert.equal("several", item.state)
      assert.is_nil(item.run)
      assert.equal(2, #item.candidates)
    end
    assert.matches("2 runs of that time and 3 intents", items[1].message)
    local _, paid = here:paid()
    assert(items[1]:adopt(paid[1].run_slug))
    assert(items[2]:adopt(paid[2].run_slug))
    items = assert(other:recover { margin = 60 })
    assert.same({ 1, "none" }, { #items, items[1].state })
    here:stop()
  end)

  it("knows which input an intent was made with", function()
    support.run(server, journal, { POINT = "intent" })
    local item = open()[1]
    assert.is_true(item:matches { count = 1 })
    assert.is_false(item:matches { count = 2 })
    assert.is_false(item:matches({ count = 1 }, { system = { memory = 512 } }))
    assert.equal("order 7", item.label)
    assert(item:dismiss())
  end)

  it("looks after an unknown outcome of a process that lives on", function()
    server:fault { operation = "runWorker", times = 1, close = "after" }
    local run, err = client:worker("demo/rows"):start({ count = 1 })
    assert.is_nil(run)
    assert.equal("unknown_outcome", err.kind)
    local item = open_begun()[1]
    assert.equal(err.intent, item.id)
    assert.equal("network", err.cause.kind)
    assert.equal("found", item.state)
    -- client:reconcile tells the journal what it has found
    local found = assert(client:reconcile(err))
    assert.equal(item.run.slug, found.slug)
    assert.equal(0, #open())
    assert.equal(found.slug, last(open { all = true }).run.slug)
  end)

  it("takes no run that has not begun where nothing tells when it was created", function()
    local here, path = box.start { ready_for = 60 }, folder .. "/waiting"
    local theirs = assert(box.client(here):worker("demo/rows"):start { count = 7 })
    os.execute "sleep 2.1"
    support.run(here, path, { POINT = "intent" })
    local item = open({ margin = 0 }, here, path)[1]
    assert.same({ "several", theirs.slug }, { item.state, item.candidates[1].slug })
    assert.is_nil(item.run)
    assert.matches("1 run has not begun", item.message)
    here:stop()
  end)

  it("finds a run behind hundreds that were started since", function()
    local here, path = box.start(), folder .. "/hundreds"
    support.run(here, path, { POINT = "answer" })
    local _, paid = here:paid()
    os.execute "sleep 1.1"
    local worker = box.client(here):worker "demo/rows"
    for _ = 1, 105 do assert(worker:run_sync { count = 1 }) end
    local item = open({ margin = 0 }, here, path)[1]
    assert.is_true(#item.candidates > 100) -- the call might have been sent until its deadline
    assert.equal(paid[1].run_slug, last(item.candidates).slug)
    here:stop()
  end)

  it("says what kept it from looking, and lists the item all the same", function()
    support.run(server, journal, { POINT = "answer" })
    server:fault { operation = "listWorkerRuns", status = 503, times = 100 }
    local items = open()
    assert.equal("unknown", items[1].state)
    assert.equal("server_error", items[1].err.kind)
    server:clear_faults()
    local item = open()[1]
    assert.is_nil(item.err)
    assert(item:adopt())
  end)

  it("tells a call that was left by an error from one that is being made", function()
    server:fault { operation = "runWorker", times = 1, status = 429, code = 13000 }
    local odd = box.client(server, { journal = journal, retry = function() error "odd" end })
    assert.matches("odd", box.raised(function() odd:worker("demo/rows"):start { count = 1 } end))
    local item = assert(odd:recover())[1]
    assert.equal("none", item.state)
    -- in another coroutine it might be going on
    local elsewhere = coroutine.wrap(function() return #open() end)
    assert.equal(0, elsewhere())
    assert(item:dismiss())
  end)

  it("wants a journal, and takes one that is missing for an empty one", function()
    assert.matches("the client has no journal", box.raised(function() box.client(server):recover() end))
    assert.same({ damaged = {} }, open({}, server, folder .. "/none"))
    local items, err = box.client(server, { journal = folder }):recover()
    assert.is_nil(items)
    assert.equal("file", err.kind)
  end)

  it("leaves out what was meant for another platform", function()
    support.run(server, journal, { POINT = "intent" })
    local items = assert(box.client(server, { journal = journal, base_url = "http://127.0.0.1:1" }):recover())
    assert.equal(0, #items)
    assert(open()[1]:dismiss())
  end)
end)
