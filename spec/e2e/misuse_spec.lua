-- Wrong use raises, names the field, blames the caller's line, and sends nothing.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("misuse", function()
  local server, client, worker, run

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "demo/rows"
    run = assert(worker:call { count = 1 })
    server:reset_requests()
  end)
  teardown(function()
    local list = server:requests()
    server:stop()
    assert.same({}, list)
  end)

  local cases = {
    { "limit 0", function() run:results { limit = 0 } end, "run:results: limit must be .* from 1 to 100, got 0" },
    { "limit 101", function() run:results { limit = 101 } end, "from 1 to 100, got 101" },
    { "limit 1.5", function() run:results_page { limit = 1.5 } end, "whole number" },
    { "limit in a string", function() run:results_page { limit = "10" } end, 'got the string "10"' },
    { "page 0", function() run:results_page { page = 0 } end, "page must be a whole number, 1 or more, got 0" },
    { "limit of a sync run", function() worker:run_sync({}, { limit = 1000 }) end, "limit must be" },
    { "unknown option", function() worker:start({}, { calback_url = "http://x" }) end, "did you mean callback_url" },
    { "unknown option of wait", function() run:wait { timeuot = 3 } end, "did you mean timeout" },
    { "options no table", function() run:wait(300) end, "options must be a table, got 300" },
    { "negative timeout", function() run:wait { timeout = -1 } end, "timeout must be a number of seconds" },
    { "on_update no function", function() run:wait { on_update = "x" } end, "on_update must be a function" },
    { "input no table", function() worker:start "coffee" end, "input must be a table" },
    { "input a list", function() worker:start { "coffee" } end, "got a list" },
    { "input with a function", function() worker:start { a = { b = print } } end, "input%.a%.b" },
    { "input with NaN", function() worker:start { a = 0 / 0 } end, "input%.a" },
    { "input with a hole", function() worker:start { a = { 1, nil, 3 } } end, "input%.a" },
    { "input not UTF-8", function() worker:start { a = "\255\254" } end, "input%.a" },
    { "raw and plain input", function() worker:start({ a = 1 }, { raw_input = {} }) end, "raw_input" },
    { "callback no URL", function() worker:start({}, { callback_url = "example.com" }) end, "callback_url must be" },
    { "callback with a newline", function()
      worker:start({}, { callback_url = "http://x/\r\nX-Evil: 1" })
    end, "callback_url must be" },
    { "callback with the key", function()
      worker:start({}, { callback_url = "http://x/?k=" .. server.key })
    end, "must not contain the API key" },
    { "empty version", function() worker:start({}, { version = "" }) end, "version must be" },
    { "empty Worker id", function() client:worker "" end, "client:worker: the Worker id .* empty" },
    { "two slashes", function() client:worker "a/b/c" end, "the Worker id must be" },
    { "dots", function() client:worker "../x" end, "holds '%.%.'" },
    { "newline in a Worker id", function() client:worker "a/b\n" end, "newline" },
    { "control character", function() client:worker "a\0b" end, "control character" },
    { "Worker id a number", function() client:worker(42) end, "got 42" },
    { "a run where a Worker belongs", function() client:worker(run) end, "run handle came" },
    { "a Worker where a run belongs", function() client:run(worker) end, "got a coreclaw.Worker" },
    { "empty run id", function() client:run "" end, "the run id .* empty" },
    { "run id with a slash", function() client:run "a/b" end, "the run id must be" },
    { "run id last", function() client:run "last" end, "the run id must be" },
    { "no run id", function() client:run() end, "got nil" },
    { "keyword empty", function() client:store { keyword = "" } end, "keyword must be" },
    { "sleep backwards", function() coreclaw.sleep(-1) end, "seconds must be" },
    { "unknown setting", function() coreclaw.new { apikey = "k" } end, "did you mean api_key" },
  }
  for _, case in ipairs(cases) do
    it("refuses: " .. case[1], function()
      local err = box.raised(case[2])
      assert.is_string(err)
      assert.matches(case[3], err)
      assert.matches("misuse_spec%.lua:%d+: ", err)
      assert.is_nil(err:find(server.key, 1, true))
    end)
  end

  it("refuses to call without a key what needs one", function()
    local keyless = coreclaw.new { base_url = server.url }
    for _, fn in ipairs {
      function() keyless:account() end,
      function() keyless:worker("demo/rows"):start {} end,
      function() keyless:run("x"):results()() end,
    } do
      assert.matches("needs an API key: pass api_key to coreclaw.new or set CORECLAW_API_KEY",
        box.raised(fn))
    end
  end)

  it("refuses after close", function()
    local closed = box.client(server)
    closed:close()
    assert.matches("was not sent: the client is closed", box.raised(function() closed:account() end))
  end)
end)
