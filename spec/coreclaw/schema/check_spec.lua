local json = require "coreclaw.json"
local schema = require "coreclaw.schema"
local support = require "spec.support.schemas"

local errors_of, warnings_of, one, keyed, fits, error_of =
  support.errors_of, support.warnings_of, support.one, support.keyed, support.fits, support.error_of

describe("schema.prepare, required fields", function()
  local given = one { type = "string", required = true }

  it("asks for them", function()
    assert.same({ "x is required" }, errors_of(given, {}))
    assert.same({ "x is required, but is blank" }, errors_of(given, { x = " \n" }))
    assert.same({ "x is required, but is null" }, errors_of(given, { x = json.null }))
    assert.same({}, errors_of(given, { x = "0" }))
    assert.same({}, errors_of(one { type = "boolean", required = true }, { x = false }))
    assert.same({}, errors_of(one { type = "integer", required = true }, { x = 0 }))
  end)

  it("warns about an empty list", function()
    assert.same({ "x is required, but its list is empty" },
      warnings_of(one { type = "array", required = true }, { x = {} }))
  end)

  it("reads both ways of a JSON Schema, nested too", function()
    assert.same({ "x is required" }, errors_of(keyed({ type = "string" }, "x"), {}))
    assert.same({ "x is required" }, errors_of(keyed { type = "string", required = true }, {}))
    assert.same({ "x.y is required" }, errors_of(keyed {
      type = "object", properties = { y = { type = "string" } }, required = json.array { "y" },
    }, { x = {} }))
  end)
end)

describe("schema.prepare, types", function()
  local right = {
    string = { "", "text" },
    integer = { 0, -5, 5.0, json.integer "12345678901234567890" },
    number = { 0, 1.5, json.integer "1" },
    boolean = { true, false },
    array = { {}, { "a" }, json.array {}, { { a = 1 } } },
    object = { {}, { a = 1 } },
  }
  local wrong = {
    string = { 5, true, {}, { "a" } },
    integer = { 1.5, "5", true, {}, { "5" } },
    number = { "1.5", false, {} },
    boolean = { "true", 1, 0, {} },
    array = { "a", 5, { a = 1 }, true },
    object = { "{}", 5, { "a" }, json.array {} },
  }

  for name, list in pairs(right) do
    it("takes " .. name, function()
      for _, value in ipairs(list) do
        fits(one { type = name }, value)
        fits(keyed { type = name }, value)
      end
      fits(one { type = name }, json.null)
    end)
  end

  for name, list in pairs(wrong) do
    it("refuses what is not " .. name, function()
      for _, value in ipairs(list) do
        assert.matches("^x must be ", error_of(one { type = name }, value))
        assert.matches("^x must be ", error_of(keyed { type = name }, value))
      end
    end)
  end

  it("says what came and how to put it right", function()
    assert.equal('x must be a list, got the string "tea"; write { "..." }', error_of(one { type = "array" }, "tea"))
    assert.equal("x must be a list, got 5; write { 5 }", error_of(one { type = "array" }, 5))
    assert.equal("x must be a list, got a table", error_of(one { type = "array" }, { a = 1 }))
    assert.matches("got a list$", error_of(one { type = "object" }, { 1 }))
    assert.matches("give a table, not JSON text$", error_of(one { type = "object", editor = "json" }, "{}"))
    assert.matches("write it without quotes", error_of(one { type = "integer" }, "5"))
    assert.equal('x must be a whole number, got the string "five"', error_of(one { type = "integer" }, "five"))
    assert.equal("x must be text, got 5", error_of(one { type = "string" }, 5))
  end)

  it("takes any of several types", function()
    local given = keyed { type = json.array { "null", "string", "integer" } }
    fits(given, "a")
    fits(given, 5)
    fits(given, json.null)
    assert.equal("x must be null or text or a whole number, got true", error_of(given, true))
  end)

  it("passes what it does not understand", function()
    for _, entry in ipairs {
      { type = "geo" }, { type = 7 }, { type = json.null }, {}, { editor = "map" },
      { type = "array", editor = "wheel" }, { ["$ref"] = "#/a" }, { param_list = 5, options = 7, enum = "a" },
      { type = "array", items = 7, editor = "requestListSource", param_list = json.array { 1 } },
    } do
      local value = { { a = { 1 } } }
      assert.same(value, fits(one(entry), value))
      entry.name = nil
      assert.same(value, fits(keyed(entry), value))
    end
    assert.same({ a = 1 }, fits(keyed(true), { a = 1 }))
  end)

  it("checks nested fields and items of a JSON Schema", function()
    local given = keyed { type = "array", items = {
      type = "object", required = { "url" },
      properties = { url = { type = "string" }, depth = { type = "integer", maximum = 3 } },
    } }
    fits(given, { { url = "u", depth = 3 } })
    assert.same({
      "x[2].url is required", "x[2].depth must be 3 or less, got 4",
      "x[3] must be a table with names as keys, got true",
    }, errors_of(given, { x = { { url = "u" }, { depth = 4 }, true } }))
    assert.equal('[{"depth":2}]', json.encode(schema.prepare(given, { x = { { depth = 4 / 2 } } }).custom.x))
  end)

  it("checks ranges", function()
    local given = keyed { type = "integer", minimum = 1, maximum = 500 }
    fits(given, 1)
    fits(given, 500)
    assert.equal("x must be 1 or more, got 0", error_of(given, 0))
    assert.equal("x must be 500 or less, got 501", error_of(given, 501))
  end)
end)

describe("schema.prepare, options", function()
  local choice = { type = "string", editor = "select", options = json.array {
    { label = "English", value = "en" }, { label = "Português", value = "pt" } } }

  it("takes one of them", function()
    fits(one(choice), "pt")
    local prepared = schema.prepare(one(choice), { x = "Português" })
    assert.equal('x must be one of "en", "pt", got the string "Português"; did you mean "pt"?',
      prepared.errors[1].message)
    assert.equal("pt", prepared.errors[1].did_you_mean)
    assert.matches('got the string "fr"$', error_of(one(choice), "fr"))
    fits(one(choice), "") -- nothing chosen
    fits(one { editor = "select", options = choice.options }, { any = "object" })
  end)

  it("tells numbers from text", function()
    local given = one { editor = "radio", options = { { label = "five", value = 5 }, { label = "ten", value = 10 } } }
    fits(given, 5)
    fits(given, 5.0)
    assert.matches("did you mean 5%?", error_of(given, "5"))
    assert.matches("did you mean 10%?", error_of(given, "ten"))
  end)

  it("takes several where the schema says so", function()
    local several = one { type = "string", editor = "select", multiple = true, options = choice.options }
    fits(several, { "en", "pt" })
    fits(several, json.array {})
    assert.matches("^x must be a list", error_of(several, "en"))
    fits(one { type = "string", editor = "tags", multiple = true }, "as it pleases")
    fits(one { type = "string", editor = "tags", multiple = true }, { "a" })
    assert.matches('^x%[2%] must be one of "en", "pt"', error_of(several, { "en", "de" }))
    local boxes = one { type = "array", editor = "checkbox", options = choice.options }
    fits(boxes, { "pt" })
    assert.matches("^x%[1%] must be one of", error_of(boxes, { "Pt" }))
  end)

  it("holds an enum to be closed, and options of other editors for suggestions", function()
    assert.matches('^x must be one of "a", 1', error_of(keyed { enum = json.array { "a", 1, json.null } }, "b"))
    fits(keyed { enum = { "a", 1 } }, 1)
    local prepared = schema.prepare(one { editor = "input", options = choice.options }, { x = "English" })
    assert.same({}, prepared.errors)
    assert.equal("en", prepared.warnings[1].did_you_mean)
  end)

  it("does not list hundreds", function()
    local options = {}
    for i = 1, 300 do options[i] = { label = "l" .. i, value = i } end
    local message = error_of(one { editor = "select", options = options }, 999)
    assert.matches("11, 12, %.%.%., got 999", message)
    assert.is_true(#message < 120)
  end)

  it("warns about a date in another form", function()
    local given = one { type = "string", editor = "datepicker", valueFormat = "DD/MM/YYYY" }
    fits(given, "24/12/2026")
    fits(given, "")
    assert.same({ 'x should look like DD/MM/YYYY, got the string "2026-12-24"' },
      warnings_of(given, { x = "2026-12-24" }))
    fits(one { type = "string", valueFormat = "YYYY-MM-DD HH:mm:ss" }, "2026-12-24 10:00:00")
    fits(one { type = "string", valueFormat = "ddd, Do MMMM" }, "anything")
  end)
end)

describe("schema.prepare, lists", function()
  it("checks the fields of requestListSource", function()
    for _, editor in ipairs { "requestListSource", "requestListSources" } do
      local given = one { type = "array", editor = editor, param_list = json.array {
        { param = "url", title = "URL", required = true }, { param = "depth", title = "Depth" } } }
      fits(given, { { url = "https://a" }, { url = "https://b", depth = 3 } })
      assert.same({
        "x[1].url is required", "x[2].url is required",
        'x[3] must be a table like { url = ... }, got the string "https://a"',
      }, errors_of(given, { x = { { depth = 1 }, { url = " " }, "https://a", { url = "u" } } }))
      local warnings = schema.prepare(given, { x = { { url = "u", dept = 1 } } }).warnings
      assert.same({ { field = "x[1].dept", did_you_mean = "depth",
        message = "x[1].dept is not known to this Worker; did you mean depth?" } }, warnings)
    end
  end)

  it("takes both forms of stringList", function()
    local given = one { type = "array", editor = "stringList" }
    fits(given, { "a", "b" })
    fits(given, { { keyword = "a" }, { keyword = "b" } })
    fits(given, { {}, json.null, "" })
    fits(given, { { keyword = json.null } })
    assert.equal("x[2] must be text or a table with names as keys, got 5", error_of(given, { "a", 5 }))
    assert.equal("x[1].keyword must be text, got true", error_of(given, { { keyword = true } }))
    assert.matches("^x%[1%] must be text or", error_of(given, { { "a" } }))
    assert.matches("has several keys", warnings_of(given, { x = { { a = "1", b = "2" } } })[1])
  end)

  it("takes text and objects in requestList", function()
    local given = one { type = "array", editor = "requestList" }
    fits(given, { "https://a" })
    fits(given, { { url = "https://a", method = "GET", any = { 1 } } })
    assert.matches("^x%[1%] must be text or", error_of(given, { 5 }))
  end)
end)
