-- Testing a script of one's own: against the sandbox, which plays the whole platform on this machine, with a clock
-- that can be set forward. Run by busted, in this folder: `busted nightly_spec.lua`
--
-- Nothing is mocked: real HTTP, real errors. A run of an hour takes milliseconds, since the client's clock and the
-- platform's are one, and sleeping sets it forward.

local coreclaw = require "coreclaw"
local sandbox = require "coreclaw.sandbox"
local nightly = require "nightly"

describe("nightly", function()
  local box, client, said, path

  before_each(function()
    box = assert(sandbox.start { clock = "virtual" })
    client = coreclaw.new {
      api_key = box.key, base_url = box.url,
      clock = { now = function() return box:time() end, sleep = function(seconds) box:advance(seconds) end },
    }
    said, path = {}, os.tmpname()
  end)

  after_each(function()
    box:stop()
    os.remove(path)
  end)

  local function run(input)
    return nightly(client, {
      worker = "demo/rows", input = input, path = path, say = function(line) said[#said + 1] = line end,
    })
  end

  it("exports the rows of a run that takes an hour", function()
    local before = box:time()
    assert.is_true(run { count = 60, delay = 60 })
    assert.is_true(box:time() - before >= 3600)
    assert.matches("^exported %d+ bytes$", said[#said])
    assert.equal(1, (box:paid())) -- how many runs were really started
  end)

  it("starts one run, and no second one, whatever the network does", function()
    box:fault { operation = "runWorker", close = "after" } -- the answer to the start is lost
    assert.is_false(run { count = 1 })
    assert.same({ "failed: unknown_outcome" }, said)
    assert.equal(1, (box:paid()))
  end)

  it("does not mind an outage of a minute", function()
    box:fault { operation = "getWorkerRun", status = 503, times = 4 }
    assert.is_true(run { count = 3, delay = 30 })
  end)

  it("aborts what takes longer than a night", function()
    assert.is_false(run { count = 1, wait = 24 * 3600 })
    assert.equal("failed: wait_timeout", said[#said])
    local aborted
    for _, request in ipairs(box:requests()) do aborted = aborted or request.operation == "abortWorkerRun" end
    assert.is_true(aborted)
  end)
end)
