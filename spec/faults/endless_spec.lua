-- A platform without an end: pages, runs that never finish, logs, links. Everything comes to an end here all the
-- same: an error that says which ceiling or time it was. And nothing grows meanwhile.
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local play = require "spec.faults.answers.play"

local RUN = "01KZS4D8M2XW7Q5T9BHNVRC3EA"

describe("a platform without an end", function()
  setup(play.open)
  teardown(play.close)

  -- A client for which the platform gives these answers, in turn and for ever.
  local function endless(options, ...)
    local key = play.key()
    for _, data in ipairs { ... } do
      local answer = type(data) == "table" and data or play.data(data)
      answer.ends = "loop"
      play.tell(key, answer)
    end
    local settings = { poll_intervals = { 0.01 }, timeout = 10 }
    for name, value in pairs(options) do settings[name] = value end
    return play.client(key, settings), key
  end

  -- The error with which fn ends, returned or raised, and the seconds it took.
  local function fails(kind, fn, pattern)
    local since = core.now()
    local ok, value, err = pcall(fn)
    if not ok then err = value end
    assert.is_true(coreclaw.is_error(err), tostring(err))
    assert.equal(kind, err.kind, tostring(err))
    if pattern then assert.matches(pattern, err.message) end
    assert.is_true(core.now() - since < 20)
    return err
  end

  local function drain(iterator)
    local n = 0
    for _ in iterator do n = n + 1 end
    return n
  end

  describe("of pages", function()
    local lists = {
      results = { '{"list":[{"__coreclaw_data_id__":"NNNNNNNN","a":1}]}', function(c) return c:run(RUN):results { limit = 1 } end },
      pages = { '{"list":[{"__coreclaw_data_id__":"NNNNNNNN"}]}', function(c) return c:run(RUN):pages { limit = 1 } end },
      runs = { '{"list":[{"slug":"rNNNNNNNN","status":"running"}]}', function(c) return c:runs { limit = 1 } end },
      tasks = { '{"list":[{"slug":"tNNNNNNNN"}]}', function(c) return c:tasks { limit = 1 } end },
      queue = { '{"list":[{"queue_ref":"qNNNNNNNN"}]}', function(c) return c:queue { limit = 1 } end },
      store = { '{"scraper":[{"slug":"sNNNNNNNN"}]}', function(c) return c:store { limit = 1 } end },
      workers = { '{"scraper":[{"slug":"wNNNNNNNN"}]}', function(c) return c:workers { limit = 1 } end },
    }
    for name, case in pairs(lists) do
      it("ends at the ceiling: " .. name, function()
        local client, key = endless({ max_pages = 25 }, case[1])
        local err = fails("too_large", function() drain(case[2](client)) end, "more than 25 pages %(max_pages")
        assert.is_string(err.operation)
        assert.equal(25, play.count(key))
      end)
    end

    it("ends at one ceiling for all months", function()
      local client, key = endless({ max_pages = 25 }, '{"list":[{"slug":"rNNNNNNNN","status":"running"}]}')
      fails("too_large", function() drain(client:runs { from = "2020-01-01", limit = 100 }) end, "max_pages")
      assert.equal(25, play.count(key))
    end)

    local ROW = '{"__coreclaw_data_id__":"x","a":1}'
    local drifts = {
      { "the same page again", '{"list":[' .. ROW .. "]}" },
      { "two pages in turn", '{"list":[' .. ROW .. "]}", '{"list":[{"a":2}]}', max_pages = 50, kind = "too_large" },
      { "rows that are all alike", '{"list":[{"a":1}]}' },
      { "more rows than were asked for", '{"list":[{"a":1},{"a":2},{"a":3}]}' },
      { "page 1 for ever", '{"list":[{"a":"NNNNNNNN"}],"page_index":1}' },
      { "rows behind their number", '{"list":[{"a":"NNNNNNNN"}],"count":1}' },
      { "rows behind a number with a fraction", '{"list":[{"a":"NNNNNNNN"}],"count":1.5}' },
    }
    for _, case in ipairs(drifts) do
      it("notices " .. case[1], function()
        local client = endless({ max_pages = case.max_pages }, case[2], case[3])
        -- The server answers in the order in which it is asked; one at a time, that is the order of the pages.
        fails(case.kind or "page_drift", function() drain(client:run(RUN):results { limit = 1, ahead = 0 }) end)
      end)
    end

    it("notices a page that shrinks in the middle", function()
      local client = endless({}, '{"list":[{"a":1},{"a":2}],"count":99}', '{"list":[{"a":3}],"count":99}')
      fails("page_drift", function() drain(client:run(RUN):results { limit = 2, ahead = 0 }) end, "not full")
    end)

    it("believes no number of rows: empty pages are the end", function()
      local client, key = endless({}, '{"list":[],"count":9007199254740991}')
      assert.equal(0, drain(client:run(RUN):results()))
      assert.equal(1, play.count(key))
    end)
  end)

  describe("of a run", function()
    local function run_of(status) return '{"slug":"r1","status":"' .. status .. '","list":[],"run_slug":"r1"}' end

    local waits = {
      { "a status that never changes", "wait_timeout", run_of "running" },
      { "a word that nobody knows", "wait_timeout", run_of "zombie" },
      { "words in turn", "wait_timeout", run_of "ready", run_of "running", run_of "Succeeded" },
      { "no status", "bad_response", run_of "" },
      { "no data", "bad_response", "null" },
      { "a login page", "bad_response", play.http(200, "<html>") },
      { "not found", "not_found", play.http(404, '{"code":70001,"message":"no"}') },
      { "a bad gateway", "wait_timeout", play.http(502, "<html>") },
    }
    for _, case in ipairs(waits) do
      local timeout = case[2] == "wait_timeout" and 0.1 or 10 -- what is found out must not come second
      for name, wait in pairs {
        wait = function(c) return c:run(RUN):wait { timeout = timeout } end,
        rows = function(c) return drain(c:run(RUN):results { follow = true, timeout = timeout }) end,
        logs = function(c) return drain(c:run(RUN):logs { follow = true, timeout = timeout }) end,
      } do
        it("ends " .. name .. ": " .. case[1], function()
          local client = endless({}, case[3], case[4], case[5])
          local kind = case[2]
          -- An empty list of rows or of a log is no fault: these look at the run as often.
          local err = fails(kind, function() return wait(client) end)
          assert.equal(RUN, err.run.slug)
        end)
      end
    end

    it("takes a run that stays aborting as it is", function()
      local client, key = endless({}, run_of "aborting")
      assert.equal("aborting", assert(client:run(RUN):wait { timeout = 10 }).status)
      assert.is_true(play.count(key) < 20)
    end)

    it("ends call and map in time", function()
      local client = endless({}, run_of "running")
      local err = fails("wait_timeout", function() return client:worker("a/b"):call({}, { timeout = 0.1 }) end)
      assert.equal("r1", err.run.slug)
      local items = 0
      for item in client:map("a/b", { {}, {} }, { timeout = 0.1 }) do
        items = items + 1
        assert.equal("wait_timeout", item.err.kind)
      end
      assert.equal(2, items)
    end)

    local NEW = '{"slug":"r1","status":"%s","list":[{"__coreclaw_data_id__":"NNNNNNNN","content":"NNNNNNNN"}]}'

    it("ends in time though each page of rows is full and new", function()
      local client = endless({}, NEW:format "running")
      local err = fails("wait_timeout", function()
        drain(client:run(RUN):results { follow = true, limit = 1, timeout = 0.1 })
      end)
      assert.is_string(err.token)
    end)

    it("ends at the ceiling though the run has ended long ago", function()
      local client = endless({ max_pages = 25 }, NEW:format "succeeded")
      local run = assert(client:run(RUN):reload())
      local err = fails("too_large", function() drain(run:results { follow = true, limit = 1 }) end, "max_pages")
      assert.is_string(err.token)
    end)

    it("ends in time though the run has ended long ago", function()
      local client = endless({ max_pages = 3000 }, NEW:format "succeeded")
      local run = assert(client:run(RUN):reload())
      local err = fails("wait_timeout", function()
        drain(run:results { follow = true, limit = 1, timeout = 0.1 })
      end, "has ended %(succeeded%).*rows.*0.1 seconds")
      assert.is_string(err.token)
      assert.equal(run, err.run)
    end)

    it("goes on behind the last row that came when a page comes again", function()
      local key = play.key()
      local function page(...) play.tell(key, play.data(('{"list":[{"v":%d},{"v":%d}],"count":4}'):format(...))) end
      play.tell(key, play.data '{"slug":"r1","status":"succeeded","results_count":4}')
      page(1, 2) page(1, 2) -- the second one in place of page 2
      page(1, 2) page(3, 4)
      play.tell(key, play.data '{"list":[]}')
      local run, seen = assert(play.client(key):run(RUN):reload()), {}
      local function read(from)
        for row in run:results { follow = true, limit = 2, from = from } do seen[#seen + 1] = row.v end
      end
      read(fails("page_drift", read, "page 2 is page 1 again").token)
      assert.same({ 1, 2, 3, 4 }, seen)
    end)

    it("ends though the rows of a run that has ended repeat", function()
      local client = endless({}, '{"slug":"r1","status":"succeeded","list":[{"__coreclaw_data_id__":"x"}]}')
      local run = assert(client:run(RUN):reload())
      fails("page_drift", function() drain(run:results { follow = true, limit = 1 }) end)
    end)

    it("ends in time though each look at the log shows new lines", function()
      local client = endless({}, NEW:format "running")
      fails("wait_timeout", function() drain(client:run(RUN):logs { follow = true, timeout = 0.1 }) end)
    end)
  end)

  -- A write whose answer is lost looks whether the item is still in the queue.
  describe("of a queue", function()
    local LOST = { "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", ends = "close" }
    local verbs = {
      activate = function(c) return c:queue_item("q"):activate() end,
      release = function(c) return c:queue_item("q"):release() end,
      activate_all = function(c) return c:activate { "q" } end,
      release_all = function(c) return c:release { "q" } end,
    }
    local function full(name)
      local items = {}
      for i = 1, 100 do items[i] = ('{"queue_ref":"%s"}'):format(name:gsub("#", i)) end
      return '{"list":[' .. table.concat(items, ",") .. "]}"
    end

    -- The requests it takes until the queue cannot be read.
    local function gives_up(verb, page, options)
      local key = play.key()
      play.tell(key, LOST)
      local answer = play.data(page)
      answer.ends = "loop"
      play.tell(key, answer)
      local err = fails("network", function() return verbs[verb](play.client(key, options)) end)
      assert.equal("unknown", err.sent)
      return play.count(key)
    end

    for verb in pairs(verbs) do
      it("ends at the ceiling: " .. verb, function()
        assert.equal(1 + 25, gives_up(verb, full "qNNNNNNNN-#", { max_pages = 25 }))
      end)
    end

    it("ends in time", function()
      assert.is_true(gives_up("activate", full "qNNNNNNNN-#", { timeout = 0.5 }) > 2)
    end)

    it("ends where a page says nothing new", function()
      assert.equal(1 + 2, gives_up("activate", full "q#", {}))
    end)
  end)

  describe("of files", function()
    local function link(path) return '{"download_url":"' .. play.server.url .. path .. '"}' end

    it("ends where links lead in a circle", function()
      fails("redirect", function() return endless({}, link "/loop"):run(RUN):export(play.file) end, "more than 5 times")
    end)

    it("ends where a file has no end", function()
      fails("too_large", function()
        return endless({}, link "/endless"):run(RUN):export(play.file, { max_bytes = 2 ^ 20 })
      end, "1048576 bytes")
    end)

    it("ends where each new link is too old", function()
      local client, key = endless({ retry = { attempts = 2, base = 0.001 } }, link "/status/403")
      fails("forbidden", function() return client:run(RUN):export(play.file) end)
      assert.is_true(play.count(key) < 12)
    end)
  end)

  describe("and memory", function()
    -- Kilobytes of this process in memory, nil where there is no /proc.
    local function resident()
      local file = io.open "/proc/self/status"
      if not file then return nil end
      local text = file:read "*a"
      file:close()
      return tonumber(text:match "VmRSS:%s*(%d+)")
    end

    local function measure()
      collectgarbage()
      collectgarbage()
      return collectgarbage "count", resident()
    end

    -- What so many further calls add to the heap and to the process, in kilobytes.
    local function growth(client, warm, calls)
      for _ = 1, warm do assert.is_nil((client:account())) end
      local heap, process = measure()
      for _ = 1, calls do assert.is_nil((client:account())) end
      local heap_after, process_after = measure()
      return heap_after - heap, process and process_after - process or 0
    end

    it("does not grow with 2,000 small ones", function()
      local answers = {}
      for i, case in ipairs(require("spec.faults.answers.json").broken) do
        answers[i] = play.http(i % 5 == 0 and 502 or 200, case[2])
      end
      local client = endless({}, (rawget(_G, "unpack") or table.unpack)(answers)) -- luacheck: ignore 143
      local heap, process = growth(client, 500, 1500)
      assert.is_true(heap < 500, heap .. " KiB of Lua")
      assert.is_true(process < 8192, process .. " KiB resident")
    end)

    it("does not grow with large ones", function()
      local LARGE = 2 ^ 20
      local client = endless({ max_body = 2 ^ 21 },
        play.http(404, '{"code":50001,"message":"' .. ("m"):rep(LARGE) .. '"}'), play.http(200, ("["):rep(10 ^ 6)),
        play.http(200, '{"code":0,"data":"' .. ("d"):rep(LARGE)), play.http(502, ("\0"):rep(LARGE)),
        { "HTTP/1.1 200 OK\r\n\r\n", { (" "):rep(65536), 50 } })
      local heap, process = growth(client, 5, 20)
      assert.is_true(heap < 500, heap .. " KiB of Lua")
      assert.is_true(process < 24 * 1024, process .. " KiB resident")
    end)
  end)
end)
