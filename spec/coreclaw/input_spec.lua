local input = require "coreclaw.input"
local json = require "coreclaw.json"

local function message_of(custom, options)
  local ok, err = pcall(input.build, "worker:start", custom, options or {})
  assert.is_false(ok)
  return err
end

describe("input", function()
  it("wraps the Worker's own fields", function()
    assert.same({ parameters = { custom = { keywords = { "tea" }, max = 5 } } },
      input.build("f", { keywords = { "tea" }, max = 5 }, {}))
    assert.same({ parameters = { custom = {} } }, input.build("f", nil, {}))
  end)

  it("puts system beside custom", function()
    assert.same({ parameters = { custom = { a = 1 }, system = { memory = 512 } } },
      input.build("f", { a = 1 }, { system = { memory = 512 } }))
  end)

  it("copies, so that later changes of the caller's tables do not matter", function()
    local custom = { list = json.array {} }
    local built = input.build("f", custom, {})
    custom.list[1] = "later"
    assert.same({}, built.parameters.custom.list)
    assert.is_true(json.is_array(built.parameters.custom.list))
  end)

  it("sends raw input as it is", function()
    assert.same({ keyword = "tea" }, input.build("f", nil, { raw_input = { keyword = "tea" } }))
  end)

  it("refuses raw input together with anything else", function()
    assert.matches("give either it, or input and system", message_of({}, { raw_input = {} }))
    assert.matches("give either it", message_of(nil, { raw_input = {}, system = {} }))
  end)

  it("refuses a full form that was pasted as fields", function()
    assert.matches("pass it as raw_input", message_of { parameters = { custom = { a = 1 } } })
    assert.same({ parameters = { custom = { parameters = { a = 1 } } } },
      input.build("f", { parameters = { a = 1 } }, {}))
  end)

  it("refuses what is no object", function()
    assert.matches("input must be a table with field names as keys, got a list", message_of { "x" })
    assert.matches("got a list", message_of(json.array {}))
    assert.matches('got the string "x"', message_of "x")
    assert.matches("system must be a table", message_of({}, { system = { 1 } }))
  end)

  it("names the field that JSON cannot carry", function()
    assert.matches("input%.keywords%[2%]", message_of { keywords = { "a", print } })
    assert.matches("input%.a%.b", message_of { a = { b = 0 / 0 } })
  end)
end)
