local fold = require "coreclaw.fold"

describe("fold", function()
  local cases = {
    { "error", "[eE][rR][rR][oO][rR]" },
    { "%S+ %w", "%S+ %w" },
    { "[abc]", "[aAbBcC]" },
    { "[^a-f%d]", "[^a-fa-fA-F%d]" },
    { "[]x]", "[]xX]" },
    { "[^]x]", "[^]xX]" },
    { "%bxy", "%bxy" },
    { "%f[%a]go", "%f[%a][gG][oO]" },
    { "a[", "[aA][" },
    { "a%", "[aA]%" },
    { "", "" },
    { "^(%d+)x%1$", "^(%d+)[xX]%1$" },
  }
  for _, case in ipairs(cases) do
    it("folds " .. case[1], function() assert.equal(case[2], fold.pattern(case[1])) end)
  end

  it("finds either case, and nothing else", function()
    assert.is_truthy(("an ERROR 403"):find(fold.pattern "error %d+"))
    assert.is_truthy(("Zebra"):find(fold.pattern "^[x-z]e"))
    assert.is_nil(("an ERROR"):find(fold.pattern "error%S"))
    assert.is_nil(("err1"):find(fold.pattern "[a-z]%a%a%a"))
  end)
end)
