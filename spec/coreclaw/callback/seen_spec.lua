local callback = require "coreclaw.callback"

local function event(slug, status)
  return assert(callback.parse(('{"run_slug":"%s","run_status":"%s"}'):format(slug, status)))
end

describe("callback.seen", function()
  it("knows an event by run and status", function()
    local seen = callback.seen()
    assert.is_false(seen(event("A1", "running")))
    assert.is_true(seen(event("A1", "running")))
    assert.is_false(seen(event("A1", "succeeded")))
    assert.is_false(seen(event("B2", "running")))
    assert.is_true(seen(event("A1", "succeeded")))
    assert.is_false(callback.seen()(event("A1", "running"))) -- another memory
  end)

  it("knows one run under the bodies of v1 and v2", function()
    local seen = callback.seen()
    assert.is_false(seen(assert(callback.parse '{"run_slug":"A1","status":3}')))
    assert.is_true(seen(event("A1", "succeeded")))
  end)

  it("remembers a bounded number", function()
    local seen = callback.seen(nil, { max = 3 })
    for i = 1, 4 do seen(event("R" .. i, "ready")) end
    assert.is_true(seen(event("R4", "ready")))
    assert.is_true(seen(event("R2", "ready")))
    assert.is_false(seen(event("R1", "ready"))) -- forgotten, and now remembered instead of R2
    assert.is_false(seen(event("R2", "ready")))
    assert.is_true(seen(event("R4", "ready")))
  end)

  it("remembers for a time", function()
    local seen = callback.seen(nil, { ttl = 0.05, max = 2 })
    assert.is_false(seen(event("A", "ready")))
    assert.is_true(seen(event("A", "ready")))
    local core = require "coreclaw.core"
    local stop = core.now() + 0.06
    repeat until core.now() > stop
    assert.is_false(seen(event("A", "ready"))) -- in its second place
    assert.is_false(seen(event("B", "ready"))) -- over its first one
    assert.is_true(seen(event("A", "ready")))
  end)

  it("asks the user's store", function()
    local asked, answers = {}, { true, false }
    local seen = callback.seen({ add = function(key, ttl)
      asked[#asked + 1] = key .. " " .. ttl
      return answers[#asked]
    end }, { ttl = 60 })
    assert.is_false(seen(event("A", "ready")))
    assert.is_true(seen(event("A", "ready")))
    assert.same({ "A ready 60", "A ready 60" }, asked)
  end)

  it("loses no event when the store fails", function()
    local seen = callback.seen { add = function() return nil, "connection refused" end }
    local duplicate, why = seen(event("A", "ready"))
    assert.is_false(duplicate)
    assert.equal("connection refused", why)
  end)

  it("refuses what is no store", function()
    local function message(...)
      local ok, err = pcall(callback.seen, ...)
      assert.is_false(ok)
      return err
    end
    assert.matches("seen_spec.lua:%d+: callback.seen: store must be a table", message "redis")
    assert.matches("store must be a table with a function add", message {})
    assert.matches("max must be a whole number, 1 or more", message(nil, { max = 0 }))
    assert.matches("did you mean ttl%?", message(nil, { tll = 5 }))
  end)
end)
