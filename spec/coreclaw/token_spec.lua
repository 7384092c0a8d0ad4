local token = require "coreclaw.token"

local function fails(text)
  local ok, err = pcall(token.read, "run:results", text, "R1")
  assert.is_false(ok)
  return err
end

describe("token", function()
  it("tells what it was made of", function()
    local write = token.writer "R1"
    local position = token.read("run:results", write(120, "f3a9"), "R1")
    assert.equal(120, position.n)
    assert.is_true(token.fits(position, "f3a9"))
    assert.is_false(token.fits(position, "f3a8"))
    assert.is_false(token.fits(position, nil))
    assert.equal(write(120, "f3a9"), position.text)
  end)

  it("is short and plain, whatever the id", function()
    local write = token.writer "R1"
    for _, id in ipairs { "a;b", "ü%", ("x"):rep(1000), 17, "a\nb", "" } do
      local text = write(5, id)
      assert.is_true(#text < 220)
      assert.is_nil(text:find "[^%w;%%_.~-]")
      assert.is_true(token.fits(token.read("x", text, "R1"), id))
    end
  end)

  it("fits any row where the rows have no ids", function()
    local position = token.read("x", token.writer "R1"(5), "R1")
    assert.is_true(token.fits(position, nil))
    assert.is_true(token.fits(position, "now it has one"))
  end)

  it("is refused when it is damaged, cut, or another run's", function()
    local text = token.writer "R1"(120, "f3a9")
    for _, bad in ipairs { "", "x", text:sub(1, -2), text:sub(2), text .. "x", text:gsub("120", "12a"), text:gsub("120", "-1") } do
      assert.matches("run:results: from must be a token", fails(bad))
    end
    assert.matches("got 5", fails(5))
    assert.matches("another run %(R2%)", fails(token.writer "R2"(1, "a")))
  end)
end)
