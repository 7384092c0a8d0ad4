local recent = require "coreclaw.recent"

describe("recent", function()
  it("knows what came and what did not", function()
    local seen = recent.new(10)
    assert.is_false(seen:has "a")
    assert.is_true(seen:add "a")
    assert.is_true(seen:has "a")
    assert.is_false(seen:add "a")
    assert.is_false(seen:has "b")
  end)

  it("remembers its size at least, and twice that at most", function()
    local seen = recent.new(100)
    for i = 1, 1000 do
      seen:add(i)
      for back = 0, math.min(i - 1, 99) do assert.is_true(seen:has(i - back)) end
      if i > 200 then assert.is_false(seen:has(i - 200)) end
    end
  end)

  it("keeps what comes again only as long as the rest", function()
    local seen = recent.new(2)
    for _, key in ipairs { "a", "b", "c" } do assert.is_true(seen:add(key)) end
    assert.is_true(seen:has "a")
    assert.is_true(seen:add "d")
    assert.is_true(seen:add "e")
    assert.is_false(seen:has "a")
    assert.is_true(seen:add "a")
  end)
end)
