local errors = require "coreclaw.errors"
local retry = require "coreclaw.retry"

local function err(fields)
  fields.kind = fields.kind or "network"
  fields.message = "x"
  if fields.retryable == nil then fields.retryable = true end
  return errors.new(fields)
end

local function policy(options)
  options = options or {}
  options.random = options.random or function() return 1 end
  return retry.policy(options)
end

describe("retry", function()
  it("repeats reads five times in all, with doubling waits up to the cap", function()
    local again = policy { attempts = 9 }
    local waits = {}
    for attempt = 1, 9 do waits[attempt] = again(err {}, "read", attempt) end
    assert.same({ 0.5, 1, 2, 4, 8, 16, 20, 20 }, waits)
    assert.is_number(policy()(err {}, "read", 4))
    assert.is_nil(policy()(err {}, "read", 5))
  end)

  it("uses full jitter", function()
    assert.equal(0, policy { random = function() return 0 end }(err {}, "read", 3))
  end)

  it("waits longer when throttled, and never less than the platform asked for", function()
    local e = err { kind = "rate_limited", sent = "refused" }
    assert.equal(2, policy()(e, "read", 1))
    assert.equal(60, policy { attempts = 20 }(e, "read", 10))
    e.retry_after = 17
    assert.equal(17, policy()(e, "read", 1))
    assert.equal(17, policy { random = function() return 0 end }(e, "read", 1))
  end)

  it("never repeats what cannot succeed", function()
    local e = err { kind = "not_found", retryable = false, sent = "refused" }
    for _, class in ipairs { "read", "write", "paid", "last" } do
      assert.is_nil(policy()(e, class, 1))
    end
  end)

  it("gives writes two more tries", function()
    assert.is_number(policy()(err { sent = "unknown" }, "write", 2))
    assert.is_nil(policy()(err { sent = "unknown" }, "write", 3))
  end)

  it("repeats a paid call only if nothing was sent or it was throttled", function()
    local again = policy()
    assert.is_number(again(err { sent = "no" }, "paid", 1))
    assert.is_number(again(err { kind = "rate_limited", sent = "refused" }, "paid", 1))
    assert.is_nil(again(err { sent = "unknown" }, "paid", 1))
    assert.is_nil(again(err { kind = "timeout", sent = "unknown" }, "paid", 1))
    assert.is_nil(again(err { kind = "rate_limited", sent = "unknown" }, "paid", 1))
    assert.is_nil(again(err { kind = "plan_limit", sent = "refused" }, "paid", 1))
    assert.is_nil(again(err { kind = "server_error", sent = "unknown" }, "paid", 1))
    assert.is_nil(again(err { sent = "no" }, "paid", 5))
  end)

  it("never repeats what aims at a moving target", function()
    assert.is_nil(policy()(err { sent = "no" }, "last", 1))
  end)

  it("can be switched off, or be the caller's own", function()
    assert.is_nil(retry.policy(false)(err {}, "read", 1))
    local own = function(_, _, attempt) return attempt < 3 and 7 or nil end
    assert.equal(7, retry.policy(own)(err { retryable = false }, "read", 2))
    assert.is_nil(retry.policy(own)(err {}, "read", 3))
    assert.is_number(retry.policy(true)(err {}, "read", 1))
    assert.is_number(retry.policy(nil)(err {}, "read", 1))
  end)

  it("does not even ask the caller's own about what could be paid twice", function()
    local own = retry.policy(function() return 1 end)
    assert.is_nil(own(err { sent = "unknown" }, "paid", 1))
    assert.is_nil(own(err { sent = "no" }, "last", 1))
    assert.equal(1, own(err { sent = "no" }, "paid", 1))
    assert.equal(1, own(err { sent = "refused" }, "paid", 1))
    for _, odd in ipairs { 0 / 0, -1, "soon", true } do
      local _, message = pcall(retry.policy(function() return odd end), err {}, "read", 1)
      assert.matches("what the function returns must be a number of seconds", message)
    end
  end)

  it("says what is wrong with its numbers", function()
    local _, message = pcall(retry.policy, { atempts = 3 })
    assert.matches("did you mean attempts", message)
    _, message = pcall(retry.policy, { attempts = 0 })
    assert.matches("attempts must be a whole number, 1 or more, got 0", message)
    _, message = pcall(retry.policy, "often")
    assert.matches("retry must be false, a table or a function", message)
  end)
end)
