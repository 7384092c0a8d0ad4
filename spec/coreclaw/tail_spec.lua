-- New entries among excerpts that grow, slide or jump.

local tail = require "coreclaw.tail"

-- "a b@5 c": entries by their text, with a time behind @.
local function entries(words)
  local list = {}
  for word in words:gmatch "%S+" do
    local text, time = word:match "^([^@]+)@?(%d*)$"
    list[#list + 1] = { text = text, time = tonumber(time) }
  end
  return list
end

local function news(...)
  local new, out = tail.new(), {}
  for _, excerpt in ipairs { ... } do
    local words = {}
    for _, entry in ipairs(new(entries(excerpt))) do
      words[#words + 1] = entry.text
    end
    out[#out + 1] = table.concat(words, " ")
  end
  return out
end

describe("tail", function()
  local cases = {
    { "grows", { "a b", "a b c", "a b c" }, { "a b", "c", "" } },
    { "slides", { "a b c", "b c d", "d e f" }, { "a b c", "d", "e f" } },
    { "jumps", { "a b c", "x y z" }, { "a b c", "x y z" } },
    { "repeats a line", { "t t", "t t t", "t t t" }, { "t t", "t", "" } },
    { "slides over a repeated line", { "t a t", "a t t" }, { "t a t", "t" } },
    { "gets lines in between", { "t c t", "t b c t d" }, { "t c t", "b d" } },
    { "is empty for once", { "a b", "", "a b c" }, { "a b", "", "c" } },
    { "loses its beginning while it grows", { "s t t", "t t t" }, { "s t t", "t" } },
    { "has times", { "a@1 b@2", "b@2 b@3" }, { "a b", "b" } },
    { "has one line twice in one moment", { "a@1", "a@1 a@1", "a@1 a@1" }, { "a", "a", "" } },
    { "comes back with times", { "s@1 s@2", "l@8 l@9", "s@1 s@2 l@10" }, { "s s", "l l", "l" } },
    { "gets late lines with times", { "a@1 c@3", "a@1 b@2 c@3 d@4" }, { "a c", "b d" } },
    { "has lines with and without times", { "a x@1 b", "b x@1 y@2 c" }, { "a x b", "y c" } },
  }
  for _, case in ipairs(cases) do
    it("knows what is new when the excerpt " .. case[1], function()
      local excerpts = case[2]
      assert.same(case[3], news(excerpts[1], excerpts[2], excerpts[3]))
    end)
  end

  it("tells subtasks and levels apart", function()
    local new = tail.new()
    assert.equal(1, #new { { text = "a", time = 1, group = "1", level = "info" } })
    assert.equal(2, #new {
      { text = "a", time = 1, group = "1", level = "info" }, { text = "a", time = 1, group = "2", level = "info" },
      { text = "a", time = 1, group = "1", level = "warn" },
    })
  end)

  it("counts where an excerpt is too long to compare in order", function()
    local new, first, second = tail.new(), {}, {}
    for i = 1, 2000 do
      first[i] = { text = "line " .. i }
      second[i] = { text = "line " .. i + 10 }
    end
    assert.equal(2000, #new(first))
    local fresh = new(second)
    assert.equal(10, #fresh)
    assert.equal("line 2001", fresh[1].text)
  end)

  it("forgets what is long past, and stays small", function()
    local new = tail.new()
    for i = 1, 30000, 100 do
      local list = {}
      for j = 0, 99 do list[#list + 1] = { text = "x", time = i + j } end
      assert.equal(100, #new(list))
      assert.equal(0, #new(list))
    end
  end)
end)
