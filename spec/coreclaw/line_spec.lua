local line = require "coreclaw.line"

describe("line", function()
  it("leaves what is fit to be shown", function()
    for _, text in ipairs { "", "a", "grüße, 日本語, 🗺️", ("x"):rep(40) } do assert.equal(text, line.of(text, 40)) end
  end)

  it("makes one line of many, without what a terminal obeys", function()
    assert.equal("a b c [2Jd", line.of("a\r\n\tb\0c\27[2Jd", 40))
    assert.equal("a 31mb", line.of("a\194\15531mb", 40))
  end)

  it("marks bytes that are no character", function()
    for bytes, shown in pairs {
      ["\255"] = "?", ["\192\128"] = "??", ["\237\160\128"] = "???", ["\244\144\128\128"] = "????", ["\224\128\128"] = "???",
      ["\195"] = "?", ["\195\188\195"] = "ü?", ["\128ü"] = "?ü",
    } do
      assert.equal("a" .. shown .. "b", line.of("a" .. bytes .. "b", 40))
    end
  end)

  it("cuts between characters, whatever the length", function()
    for most = 4, 30 do
      for _, text in ipairs { ("ü"):rep(100), ("🗺"):rep(100), "x" .. ("日"):rep(5000), ("\255"):rep(50), ("\0"):rep(9999) } do
        local short = line.of(text, most)
        assert.is_true(#short <= most, #short)
        assert.equal("...", short:sub(-3))
        assert.equal(short, line.of(short, most))
      end
    end
  end)
end)
