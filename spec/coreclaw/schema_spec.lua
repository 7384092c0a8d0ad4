local json = require "coreclaw.json"
local schema = require "coreclaw.schema"
local support = require "spec.support.schemas"

local errors_of, warnings_of, one, keyed, fits, PLACES, TEA =
  support.errors_of, support.warnings_of, support.one, support.keyed, support.fits, support.PLACES, support.TEA

describe("schema.prepare, defaults", function()
  it("fills them in, and makes text of the form's lines", function()
    local prepared = schema.prepare(PLACES, {})
    assert.same({
      keywords = { "bakery", "café", "inn" }, base_location = "Lisbon", max_results = 20, lang = "en",
    }, prepared.custom)
    assert.same({}, prepared.errors)
    assert.same({}, prepared.warnings)
    assert.equal(3, prepared.subtasks)
  end)

  it("keeps what the caller gives, null and false too", function()
    local given = one { type = "boolean", default = true }
    assert.is_false(schema.prepare(given, { x = false }).custom.x)
    assert.equal(json.null, schema.prepare(given, { x = json.null }).custom.x)
    assert.is_true(schema.prepare(given, nil).custom.x)
    assert.is_nil(schema.prepare(given, nil, { defaults = false }).custom.x)
  end)

  it("fills nested defaults where the object is given or required", function()
    assert.same({ keyword = "tea", limit = 10 }, schema.prepare(TEA, { keyword = "tea" }).custom)
    assert.same({ lang = "en" }, schema.prepare(TEA, { keyword = "tea", filter = {} }).custom.filter)
    local given = keyed({ type = "object", properties = TEA.properties.filter.properties }, "x")
    assert.same({ x = { lang = "en" } }, schema.prepare(given, nil).custom)
  end)

  it("takes examples only when asked to", function()
    assert.same({ 'keyword is required (for example "tea")' }, errors_of(TEA, {}))
    local prepared = schema.prepare(TEA, {}, { examples = true })
    assert.same({}, prepared.errors)
    assert.same({ keyword = "tea", limit = 10 }, prepared.custom)
    assert.equal("e", schema.prepare(one { required = true, example = "e" }, {}, { examples = true }).custom.x)
    assert.is_nil(schema.prepare(one { example = "e" }, {}, { examples = true }).custom.x)
  end)

  it("hands out copies of them", function()
    schema.prepare(PLACES, {}).custom.keywords[1] = "changed"
    assert.equal("bakery", schema.prepare(PLACES, {}).custom.keywords[1])
    assert.same({ keyword = "café" }, PLACES.properties[1].default[2])
  end)

  it("does not judge the schema's own words", function()
    assert.same({}, errors_of(one { type = "integer", default = "20" }, {}))
  end)
end)

describe("schema.prepare, the copy", function()
  it("neither keeps nor writes to the caller's tables", function()
    local custom = { keywords = { "tea" }, nested = { list = json.array {} } }
    local prepared = schema.prepare(PLACES, custom)
    assert.same({ keywords = { "tea" }, nested = { list = {} } }, custom)
    prepared.custom.keywords[1] = "changed"
    assert.equal("tea", custom.keywords[1])
    assert.is_nil(getmetatable(custom.keywords))
    assert.is_true(json.is_array(prepared.custom.nested.list))
  end)

  it("makes the empty list that the schema wants", function()
    local custom = { x = {} }
    assert.equal('{"x":[]}', json.encode(schema.prepare(one { type = "array" }, custom).custom))
    assert.equal('{"x":{}}', json.encode(schema.prepare(one { type = "object" }, custom).custom))
    assert.equal('{"x":{}}', json.encode(schema.prepare(keyed { type = { "array", "object" } }, custom).custom))
    assert.is_nil(getmetatable(custom.x))
  end)

  it("makes whole floats integers where the schema wants them", function()
    local custom = schema.prepare(one { type = "integer" }, { x = 10 / 2 }).custom
    assert.equal("5", tostring(custom.x))
    assert.equal('{"x":5}', json.encode(custom))
  end)

  it("refuses what no Worker can take, blaming the caller", function()
    local function message(...)
      local ok, err = pcall(schema.prepare, ...)
      assert.is_false(ok)
      return err
    end
    assert.matches("schema_spec.lua:%d+: schema.prepare: input must be a table", message(PLACES, "tea"))
    assert.matches("input%.keywords%[1%]", message(PLACES, { keywords = { print } }))
    assert.matches("worker:start: input", message(PLACES, { 1 }, { where = "worker:start" }))
    assert.matches("schema must be a table, got nil", message(nil, {}))
    assert.matches("unknown option default", message(PLACES, {}, { default = true }))
  end)
end)

describe("schema.prepare, unknown fields", function()
  it("warns and sends them", function()
    local prepared = schema.prepare(PLACES, { max_result = 5, qqq = 1 })
    assert.same({
      { field = "max_result", message = "max_result is not known to this Worker; did you mean max_results?",
        did_you_mean = "max_results" },
      { field = "qqq", message = "qqq is not known to this Worker" },
    }, prepared.warnings)
    assert.equal(5, prepared.custom.max_result)
    assert.equal(1, prepared.custom.qqq)
    assert.same({}, prepared.errors)
  end)

  it("warns inside objects whose fields are told", function()
    assert.same({ "filter.opn is not known to this Worker; did you mean open?" },
      warnings_of(TEA, { keyword = "k", filter = { opn = true } }))
    fits(keyed { type = "object", properties = {} }, { anything = 1 })
    fits(keyed { type = "object" }, { anything = 1 })
  end)

  it("knows where system parameters belong", function()
    assert.matches("pass it in system = { memory = %.%.%. }", warnings_of(PLACES, { memory = 512 })[1])
  end)

  it("is silent where the schema tells no fields", function()
    local prepared = schema.prepare({ type = "object" }, { a = { 1 } })
    assert.same({ custom = { a = { 1 } }, errors = {}, warnings = {}, subtasks = 1 }, prepared)
    assert.same({ "a is not known to this Worker" }, warnings_of({ properties = json.array {} }, { a = 1 }))
  end)
end)

describe("schema, around it", function()
  it("finds the schema in an answer's data, in text and in a bare list", function()
    for _, given in ipairs {
      PLACES, json.encode(PLACES), { input_schema = PLACES }, { data = { input_schema = PLACES } },
      { input_schema = json.encode(PLACES) }, PLACES.properties,
    } do
      assert.equal("keywords", schema.fields(given)[1].name)
    end
    assert.same({}, schema.fields {})
  end)

  it("says that a text is no JSON", function()
    local prepared = schema.prepare("{", { a = 1 })
    assert.equal("input_schema is not a valid json", prepared.errors[1].message)
    assert.same({ a = 1 }, prepared.custom)
    assert.is_nil(prepared.subtasks)
  end)

  it("overlooks entries that are none", function()
    local given = { properties = json.array {
      5, json.null, {}, { name = 7 }, { name = "x" }, { name = "x", type = "integer" },
    } }
    assert.equal(1, #schema.fields(given))
    assert.equal("text", fits(given, "text"))
  end)
end)

describe("schema.fields", function()
  it("lists descriptors in their order", function()
    local fields = schema.fields(PLACES)
    assert.equal(6, #fields)
    assert.same({
      name = "lang", type = "string", types = { "string" }, required = false, default = "en", editor = "select",
      options = { { label = "English", value = "en" }, { label = "Português", value = "pt" } },
    }, fields[4])
    assert.equal("Search terms", fields[1].title)
    assert.is_true(fields[1].required)
    assert.equal("What", fields[1].section)
    assert.is_nil(fields[5].default)
  end)

  it("lists a JSON Schema, required fields first", function()
    local fields = schema.fields(TEA)
    assert.equal("keyword filter limit", table.concat({ fields[1].name, fields[2].name, fields[3].name }, " "))
    assert.equal("tea", fields[1].example)
    assert.equal(500, fields[3].maximum)
    assert.equal("string", schema.fields(keyed { type = json.array { "null", "string" } })[1].type)
    assert.equal("lang", fields[2].fields[1].name)
    assert.same({ label = "pt", value = "pt" }, fields[2].fields[1].options[2])
  end)

  it("is a copy", function()
    schema.fields(PLACES)[1].default[1] = "changed"
    assert.equal("bakery", PLACES.properties[1].default[1])
  end)
end)
