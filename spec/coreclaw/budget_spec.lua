local box = require "spec.support.box"
local budget = require "coreclaw.budget"
local coreclaw = require "coreclaw"

local NETWORK, TIMEOUT = { kind = "network" }, { kind = "timeout" }

local function spendable(purse, err)
  local n = 0
  while purse:spend(err) do n = n + 1 end
  return n
end

describe("budget", function()
  it("holds a hundred repeats, half as many after timeouts", function()
    assert.equal(100, spendable(budget.new(), NETWORK))
    assert.equal(50, spendable(budget.new(), TIMEOUT))
    assert.equal(0, spendable(budget.new(4), NETWORK))
    assert.equal(0, spendable(budget.new(0), NETWORK))
  end)

  it("gets back what a success cost, and a little for each that cost nothing", function()
    local purse = budget.new(20)
    spendable(purse, NETWORK)
    purse:earn(TIMEOUT)
    assert.equal(2, spendable(purse, NETWORK))
    for _ = 1, 4 do purse:earn() end
    assert.is_false(purse:spend(NETWORK))
    purse:earn()
    assert.is_true(purse:spend(NETWORK))
    for _ = 1, 1000 do purse:earn() end
    assert.equal(4, spendable(purse, NETWORK)) -- no more than there was
  end)

  it("has no end where that was said, or where others decide", function()
    for _, setting in ipairs { { budget = false }, function() end } do
      local purse = coreclaw.new { api_key = "k", retry = setting }.budget
      for _ = 1, 1000 do assert.is_true(purse:spend(TIMEOUT)) end
    end
  end)

  it("is checked", function()
    for _, odd in ipairs { -1, 1.5, "many", true } do
      assert.matches("retry: budget must be a whole number, 0 or more, got ",
        box.raised(coreclaw.new, { api_key = "k", retry = { budget = odd } }))
    end
  end)
end)

describe("a client in an outage", function()
  local server
  setup(function() server = box.start() end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  local function client(retry)
    retry.base, retry.throttle_base = 0, 0
    return box.client(server, { retry = retry })
  end

  local function outage(fault)
    fault.probability, fault.path = 1, "^/api/"
    server:fault(fault)
  end

  -- Many calls of several kinds; returns the last error.
  local function many(from, calls)
    local worker, err = from:worker "demo/rows"
    for i = 1, calls do
      local _
      if i % 3 == 0 then _, err = from:account()
      elseif i % 3 == 1 then _, err = worker:detail()
      else _, err = from:proxy_regions() end
      assert.equal("server_error", err.kind)
    end
    return err
  end

  it("sends no more than its calls and a hundred repeats", function()
    outage { status = 503 }
    local from = client {}
    local err = many(from, 120)
    assert.is_true(err.budget_spent)
    assert.equal(1, err.attempts)
    assert.matches("the client's retry budget is spent", tostring(err))
    assert.equal(120 + 100, #server:requests())
    many(from, 30)
    assert.equal(150 + 100, #server:requests())
  end)

  it("would send five times as much without", function()
    outage { status = 503 }
    local err = many(client { budget = false }, 30)
    assert.is_nil(err.budget_spent)
    assert.equal(5, err.attempts)
    assert.equal(150, #server:requests())
  end)

  it("repeats again when the platform is back", function()
    local from = client { budget = 10 }
    outage { status = 503 }
    many(from, 10)
    assert.equal(12, #server:requests())
    server:clear_faults()
    for _ = 1, 10 do assert(from:account()) end
    server:reset_requests()
    server:fault { operation = "getAccount", status = 503, times = 2 }
    assert(from:account()) -- two repeats, of which the last is paid back
    server:fault { operation = "getAccount", status = 503, times = 1 }
    assert(from:account())
    assert.equal(5, #server:requests())
  end)

  it("pays double for what ran out of time", function()
    outage { stall_after = 0, stall_for = 20 }
    local from = box.client(server, { retry = { budget = 20, base = 0 }, request_timeout = 0.3 })
    local _, err = from:account()
    assert.same({ "timeout", 3, true }, { err.kind, err.attempts, err.budget_spent })
    assert.equal(3, #server:requests())
  end)

  it("is told nothing of a budget where a repeat would not have helped", function()
    local from = client { budget = 0 }
    local _, err = from:worker("nobody/nothing"):detail()
    assert.same({ "not_found" }, { err.kind, err.budget_spent })
    server:fault { operation = "getAccount", status = 429, code = 13000, headers = { ["Retry-After"] = "90" } }
    _, err = from:account { timeout = 5 }
    assert.same({ "rate_limited" }, { err.kind, err.budget_spent })
  end)

  it("goes on watching a run: polling is no repeat", function()
    local from = client { budget = 0 }
    local run = assert(from:worker "test/talker":start { lines = 2, delay = 0.1 })
    server:fault { operation = "getWorkerRun", status = 503, times = 20 }
    assert(run:wait())
    assert.equal("succeeded", run.status)
    assert.equal(1, (server:paid()))
  end)
end)
