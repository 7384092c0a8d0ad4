-- `coreclaw map`: many inputs, of which none loses another.

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local coreclaw = require "coreclaw"

describe("coreclaw map", function()
  local server, maps
  setup(function()
    server = box.start()
    maps = cli.new(server)
  end)
  teardown(function()
    maps:close()
    server:stop()
  end)
  before_each(function() server:clear_faults() end)

  local POLL = " --poll 0.05"

  local function items(result)
    local list = assert(coreclaw.json.decode(result.out))
    table.sort(list, function(a, b) return a.index < b.index end)
    return list
  end

  it("starts a run for each, and tells of each, the failed ones too", function()
    local before = server:paid()
    local path = maps:file("in.jsonl", '{"count": 1, "kind": "flat"}\n{"count": 2, "fail_at": 2}\n\n{"count": 3}\n')
    local result = maps:run("map demo/rows --json --concurrency 2 kind=nested --inputs " .. path .. POLL)
    assert.equal(3, result.code)
    local list = items(result)
    assert.same({ "succeeded", "failed", "succeeded" }, { list[1].status, list[2].status, list[3].status })
    assert.same({ 1, 1, 3, "run_failed" }, { list[1].rows, list[2].rows, list[3].rows, list[2].kind })
    local paid, runs = server:paid()
    assert.equal(before + 3, paid)
    -- A pair is over what the inputs say, as it is in `run`.
    for i = before + 1, paid do assert.equal("nested", runs[i].input.parameters.custom.kind) end
  end)

  it("checks all inputs before the first is paid for", function()
    local before = server:paid()
    local result = maps:run("map demo/rows --inputs -", { stdin = '[{"count": 1}, {"count": "many"}]' })
    assert.equal(2, result.code)
    assert.matches("count must be a whole number.*\ncoreclaw: input 2 of 2\n", result.err)
    for stdin, say in pairs { ["{"] = "stdin, input 1 is not JSON", ["[1]"] = "input 1 is no object",
      [""] = "there is no input in stdin", ["[]"] = "there is no input in stdin" } do
      result = maps:run("map demo/rows --inputs -", { stdin = stdin })
      assert.equal(2, result.code)
      assert.matches(say, result.err)
    end
    assert.equal(11, maps:run("map demo/rows --inputs - --export /nonexistent", { stdin = "{}" }).code)
    assert.equal(2, maps:run("map demo/rows").code)
    result = maps:run("map demo/rows --first 3 --inputs -", { stdin = '[{"count": 1}, {"count": 2}]' })
    assert.equal(2, result.code)
    assert.matches("map %-%-first 3: there are 2 inputs", result.err)
    assert.equal(before, (server:paid()))
  end)

  it("prints the rows of all, or writes them to a folder", function()
    local stdin = '{"count": 2}\n{"count": 3}'
    local out = maps:ok("map demo/rows --results --jsonl --inputs -" .. POLL, { stdin = stdin })
    assert.equal(5, select(2, out:gsub("\n", "")))
    out = maps:ok("map demo/rows --export " .. maps.dir .. " --format jsonl --inputs -" .. POLL, { stdin = stdin })
    assert.matches("^input +status +rows +run\n", out)
    assert.equal(2, select(2, (maps:read "1.jsonl"):gsub('"index"', "")))
    assert.equal(3, select(2, (maps:read "2.jsonl"):gsub('"index"', "")))
  end)

  it("never repeats a start whose outcome is unknown, and ends with its code", function()
    local before = server:paid()
    server:fault { operation = "runWorker", close = "after", nth = 2 }
    local result = maps:run("map demo/rows --json --inputs -" .. POLL, { stdin = '{"count":1}\n{"count":1}\n{"count":1}' })
    assert.equal(10, result.code)
    local list = items(result)
    assert.same({ "succeeded", "not started", "unknown_outcome", "succeeded" },
      { list[1].status, list[2].status, list[2].kind, list[3].status })
    assert.equal(before + 3, (server:paid()))
  end)

  it("says at Ctrl-C what goes on, and where to begin next time", function()
    local before = server:paid()
    local input = maps:file("long.jsonl", ('{"count": 1, "wait": 60}\n'):rep(5))
    local pid = maps:start("long", "map demo/rows --concurrency 2 --inputs " .. input .. POLL)
    for _ = 1, 1200 do
      if server:paid() == before + 2 then break end
      coreclaw.sleep(0.05)
    end
    coreclaw.sleep(0.3)
    cli.shell("kill -INT " .. pid)
    maps:wait_for("long.out", "exit 130\n$")
    local paid, runs = server:paid()
    assert.equal(before + 2, paid)
    local err = maps:read "long.err"
    for i = 1, 2 do
      assert.matches("input " .. i .. " goes on: [^\n]+ wait " .. runs[before + i].run_slug .. "\n", err)
      assert(box.client(server):run(runs[before + i].run_slug):abort())
    end
    assert.matches("To go on with the other inputs: %-%-first 3\n$", err)
    local short = maps:file("short.jsonl", ('{"count": 1}\n'):rep(5))
    local list = items { out = (maps:ok("map demo/rows --json --first 4 --inputs " .. short .. POLL)) }
    assert.same({ 4, 5 }, { list[1].index, list[2].index })
    assert.is_nil(list[3])
  end)
end)
