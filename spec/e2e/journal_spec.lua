-- `journal = path`: what is on the disk, when, and what happens when it cannot get there.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local support = require "spec.support.journal"

describe("the journal", function()
  local server, folder, journal, warnings

  setup(function() server = box.start { plan = "business" } end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    folder = support.folder()
    journal, warnings = folder .. "/journal", {}
  end)
  after_each(function() os.execute("chmod -R u+w " .. folder .. "; rm -rf " .. folder) end)

  local function client(options)
    options = options or {}
    options.journal = options.journal or journal
    options.on_warning = function(message) warnings[#warnings + 1] = message end
    return box.client(server, options)
  end

  local function last_two()
    local lines = support.lines(journal)
    return lines[#lines - 1], lines[#lines]
  end

  it("has every paid call in it, and nothing else", function()
    local api = client()
    local worker = api:worker "demo/rows"
    local function noted(operation, fn, name)
      local result, err = fn()
      assert(result, err)
      local intent, done = last_two()
      assert.same({ "intent", operation, "done" }, { intent.event, intent.operation, done.event })
      assert.equal(intent.id, done.id)
      local handle = result.run or result
      if name then assert.equal(handle.slug or handle.queue_ref, done[name]) end
      return handle
    end
    local run = noted("runWorker", function() return worker:start { count = 1 } end, "run_slug")
    noted("runWorker", function() return worker:call { count = 1 } end, "run_slug")
    noted("runWorker", function() return worker:run_sync { count = 1 } end, "run_slug")
    noted("rerunWorkerRun", function() return run:rerun() end, "run_slug")
    noted("queuedRunWorker", function() return worker:queue { count = 1 } end, "queue_ref")
    local task = noted("createWorkerTask", function()
      return api:create_task { worker = worker, title = "t", input = { count = 1 } }
    end, "slug")
    noted("runWorkerTask", function() return task:start() end, "run_slug")
    noted("runWorkerTask", function() return task:run_sync() end, "run_slug")
    noted("rerunLastWorkerRun", function() return api:operation "rerunLastWorkerRun" end)
    noted("runWorker", function() return api:operation("runWorker", { workerId = "demo/rows", input = {
      parameters = { custom = { count = 1 } } } }) end)
    noted("POST /api/v2/workers/demo~rows/runs", function()
      return api:request { method = "POST", path = "/api/v2/workers/demo~rows/runs", body = {
        input = { parameters = { custom = { count = 1 } } } } }
    end)
    noted("runWorker", function()
      return client { api = "v1" }:worker("demo/rows"):start { count = 1 }
    end, "run_slug")
    local size = #support.read(journal)
    assert(run:wait())
    assert(run:results())
    assert(api:account())
    assert(task:delete())
    assert.equal(size, #support.read(journal))
  end)

  it("gives each start of client:map a label of its own", function()
    for item in client():map("demo/rows", { { count = 1 }, { count = 2 } }, { label = "batch" }) do
      assert.is_nil(item.err)
    end
    local labels = {}
    for _, record in ipairs((support.lines(journal))) do labels[#labels + 1] = record.label end
    table.sort(labels)
    assert.same({ "batch#1", "batch#2" }, labels)
  end)

  it("is read by people: the call, when, for whom; not the input, not the key", function()
    local api = client()
    assert(api:worker("demo/rows"):start({ count = 1, note = "pass-word" }, { label = "the " .. server.key }))
    local text = support.read(journal)
    assert.is_nil(text:find(server.key, 1, true))
    assert.is_nil(text:find("pass-word", 1, true))
    assert.matches('^{"event":"intent","at":"%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ","id":"[%d%x%-]+",'
      .. '"operation":"runWorker","label":"the %*%*%*","worker":"demo~rows",', text)
    assert.equal("-rw-------", support.shell("umask 0; ls -l " .. journal):sub(1, 10))
  end)

  it("tells what was refused, what was not sent, and what nobody knows", function()
    local function fails(kind, event, api, fault)
      server:clear_faults()
      if fault then server:fault(fault) end
      local run, err = api:worker("demo/rows"):start { count = 1 }
      assert.is_nil(run)
      assert.equal(kind, err.kind)
      local _, outcome = last_two()
      assert.equal(event, outcome.event)
      return outcome, err
    end
    local outcome = fails("plan_limit", "refused", client(), { operation = "runWorker", status = 400, code = 30003 })
    assert.equal(30003, outcome.code)
    outcome = fails("network", "refused", client { base_url = server.refused_url or "http://127.0.0.1:1" })
    assert.equal("network", outcome.kind)
    local err
    outcome, err = fails("unknown_outcome", "unknown", client(), { operation = "runWorker", close = "before" })
    assert.equal(outcome.id, err.intent)
    outcome, err = fails("unknown_outcome", "unknown", client(),
      { operation = "runWorker", body = '{"code":0,"message":"success","data":{}}' })
    assert.equal(outcome.id, err.intent)
  end)

  it("holds one intent for a start that is tried again", function()
    server:fault { operation = "runWorker", status = 429, code = 13000, times = 2 }
    assert(client():worker("demo/rows"):start { count = 1 })
    assert.equal("intent done", support.events(journal))
  end)

  -- Shell text that loads a library of spec/support in front of a program.
  local function shim(name)
    local path = folder .. "/" .. name .. ".so"
    os.execute("gcc -shared -fPIC -o " .. path .. " spec/support/" .. name .. ".c")
    return "export LD_PRELOAD='" .. (os.getenv "LD_PRELOAD" or "") .. " " .. path .. "';"
  end

  describe("that cannot be written", function()
    local function refused(options, path)
      local before = server:paid()
      server:reset_requests()
      local run, err = client(options):worker("demo/rows"):start { count = 1 }
      assert.is_nil(run)
      assert.same({ "file", "no", "runWorker" }, { err.kind, err.sent, err.operation })
      assert.is_truthy(err.message:find(path, 1, true), err.message)
      assert.same({}, server:requests())
      assert.equal(before, (server:paid()))
      return err
    end

    it("refuses the call: no such folder, a folder, a link, a device, a place that takes none", function()
      refused({ journal = folder .. "/none/journal" }, folder .. "/none/journal: No such file or directory")
      refused({ journal = folder }, folder .. ": it is no regular file")
      os.execute("ln -s elsewhere " .. folder .. "/link")
      refused({ journal = folder .. "/link" }, "/link: it is a symbolic link")
      refused({ journal = "/dev/full" }, "/dev/full: it is no regular file")
      refused({ journal = "/proc/version" }, "/proc/version: ")
      os.execute("mkfifo " .. folder .. "/pipe")
      refused({ journal = folder .. "/pipe" }, "/pipe: it is no regular file")
      assert.matches("journal must be a string", box.raised(coreclaw.new, { journal = 7, api_key = "k" }))
    end)

    it("refuses the call: its user may not", function()
      if support.shell("id -u"):match "%d+" == "0" and support.shell("command -v setpriv") == "" then
        return pending "root may write everywhere, and there is no setpriv"
      end
      support.append(journal, "")
      os.execute("chmod 0444 " .. journal .. "; chmod 0555 " .. folder)
      local drop = support.shell("id -u"):match "%d+" == "0" and "setpriv --reuid 65534 --clear-groups" or ""
      local said = support.shell(drop .. " sh -c 'echo x >> " .. journal .. "' 2>&1")
      assert.matches("denied", said) -- so is anybody else
      local before = server:paid()
      said = support.run(server, journal, {}, "", drop)
      assert.matches("failed\tfile\tno\t.*journal: Permission denied", said)
      assert.equal(before, (server:paid()))
    end)

    -- How many bytes an intent of the child takes.
    local function intent_size()
      support.run(server, folder .. "/measured", {})
      return #support.read(folder .. "/measured"):match "^[^\n]*\n"
    end

    -- A journal that leaves room for so many bytes below a limit of 8 blocks.
    local function fill(room)
      local block = tonumber(support.shell("trap '' XFSZ; ulimit -f 1; head -c 4000 /dev/zero 2>/dev/null > "
        .. folder .. "/probe; wc -c < " .. folder .. "/probe"):match "%d+")
      local line = '{"event":"note","at":"2026-01-01T00:00:00.000Z","id":"x","text":"%s"}\n'
      support.append(journal, line:format(("x"):rep(8 * block - room - #line + 2)))
      assert.equal(8 * block - room, #support.read(journal))
    end

    for name, trap in pairs { ["by a signal"] = "", ["by an error"] = "trap '' XFSZ;" } do
      it("refuses the call: the disk is full, told " .. name, function()
        for _, room in ipairs { 0, 1, 100 } do
          os.remove(journal)
          fill(room)
          local before = server:paid()
          local said = support.run(server, journal, { COUNT = 2 }, trap .. "ulimit -f 8;")
          assert.matches("failed\tfile\tno\t[^\n]*\nfailed\tfile\tno\t", said)
          assert.equal(before, (server:paid()))
          -- there is room again: what was cut short costs no later record
          assert(client():worker("demo/rows"):start { count = 1 })
          local lines, damaged = support.lines(journal)
          assert.equal("done", lines[#lines].event)
          assert.is_true(damaged <= 2)
          assert.equal(0, #assert(client():recover()))
        end
      end)

      it("gives the run all the same when the disk is full afterwards, and warns, told " .. name, function()
        fill(intent_size() + 40)
        local before = server:paid()
        local said = support.run(server, journal, {}, trap .. "ulimit -f 8;")
        assert.matches("\nok\t%w+\n", "\n" .. said)
        assert.matches("coreclaw: the journal cannot be written: .*runWorker, intent", said)
        assert.equal(before + 1, (server:paid()))
        local item = assert(client():recover())[1]
        assert.equal("runWorker", item.operation)
        assert.is_true(item.state == "found" or item.state == "several")
      end)
    end

    it("refuses the call when the disk does not confirm it: neither file nor folder", function()
      local preload = shim "failing_fsync"
      local before = server:paid()
      for _, fail in ipairs { "file", "folder" } do
        local said = support.run(server, journal .. fail, { FAIL = fail }, preload)
        assert.matches("failed\tfile\tno\t.*Input/output error", said)
        assert.equal(0, #assert(client { journal = journal .. fail }:recover()))
      end
      assert.equal(before, (server:paid()))
      assert.matches("ok", support.run(server, journal .. "good", {}, preload))
    end)
  end)

  it("may be shared by processes: no line is lost, none is damaged", function()
    local before, children = server:paid(), {}
    for i = 1, 3 do children[i] = support.child(server, journal, { COUNT = 70 }) end
    local slugs = {}
    for _, child in ipairs(children) do
      for slug in support.finish(child):gmatch "ok\t(%w+)" do slugs[slug] = true end
    end
    local count, list = server:paid()
    assert.equal(before + 210, count)
    local lines, damaged = support.lines(journal)
    local owned, open = {}, {}
    for _, line in ipairs(lines) do
      open[line.id] = line.event == "intent" or nil
      if line.run_slug then owned[line.run_slug] = true end
    end
    assert.equal(0, damaged)
    assert.is_nil(next(open))
    for i = before + 1, count do assert.is_true(owned[list[i].run_slug] and slugs[list[i].run_slug]) end
    assert.equal(0, #assert(client():recover()))
  end)

  it("that was cut short anywhere costs no later record", function()
    assert(client():worker("demo/rows"):start { count = 1 })
    local whole = support.read(journal)
    local first = whole:match "^[^\n]*\n"
    for cut = 1, #first - 2, 41 do
      os.remove(journal)
      support.append(journal, whole .. first:sub(1, cut))
      assert.same({}, assert(client():recover()).damaged) -- it may be being written
      assert(client():worker("demo/rows"):start { count = 1 })
      local lines, damaged = support.lines(journal)
      assert.same({ 4, 1 }, { #lines, damaged })
    end
  end)

  it("that somebody is cut short in at this very moment costs no record either", function()
    assert(client():worker("demo/rows"):start { count = 1 })
    assert.matches("ok", support.run(server, journal, { TORN = journal }, shim "torn_between"))
    local lines, damaged = support.lines(journal)
    assert.same({ 4, 1 }, { #lines, damaged })
    assert.equal("intent done intent done", support.events(journal))
    assert.equal(lines[3].id, lines[4].id)
    assert.equal(0, #assert(client():recover()))
  end)

  it("with damaged lines says which, and gives the others", function()
    support.run(server, journal, { POINT = "intent" })
    local good = support.read(journal)
    os.remove(journal)
    support.append(journal, '{"event":"intent","id":\n\0\0\0ab\0\n' .. good
      .. '[]\n7\n{"event":"done"}\n{"event":"intent","at":"yesterday","id":"1"}\n{"event":"later","at":'
      .. '"2026-01-01T00:00:00Z","id":"2"}\n')
    local list = assert(client():recover())
    assert.same({ 1, 2, 4, 5, 6, 7 }, list.damaged)
    assert.equal(1, #list)
    assert.matches("has 6 lines that cannot be read, the first is line 1", warnings[1])
  end)

  it("of 100,000 lines is read soon, and in little memory", function()
    local file = assert(io.open(journal, "wb"))
    support.run(server, folder .. "/one", { POINT = "outcome" })
    local intent, done = support.read(folder .. "/one"):match "^([^\n]*\n)([^\n]*\n)"
    local id = intent:match '"id":"([^"]+)"':gsub("%-", "%%-")
    local slug = done:match '"run_slug":"([^"]+)"'
    for i = 1, 50000 do
      file:write((intent:gsub(id, "n" .. i, 1)), (done:gsub(id, "n" .. i, 1):gsub(slug, slug .. i, 1)))
    end
    file:write((intent:gsub(id, "the-open-one", 1)))
    file:close()
    collectgarbage()
    local before, started = collectgarbage "count", os.clock()
    local list = assert(client():recover())
    assert.same({ 1, "the-open-one" }, { #list, list[1].id })
    assert.is_true(os.clock() - started < 60)
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 20000)
    if os.getenv "VERBOSE" then print("100,001 lines:", os.clock() - started) end
  end)
end)
