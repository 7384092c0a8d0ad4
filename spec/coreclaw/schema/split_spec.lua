local json = require "coreclaw.json"
local schema = require "coreclaw.schema"
local support = require "spec.support.schemas"

local errors_of = support.errors_of

describe("schema.prepare, subtasks", function()
  local function count(root, custom, options)
    root.properties = root.properties or json.array {}
    local prepared = schema.prepare(root, custom, options)
    local list = {}
    for i, issue in ipairs(prepared.errors) do list[i] = issue.message end
    return prepared.subtasks, list[1], #list
  end

  local function by(fields, remove)
    return { concurrency = { fields = fields, remove_fields = remove } }
  end

  it("is one without a rule", function()
    assert.equal(1, (count({}, { a = { 1, 2, 3 } })))
    assert.equal(1, (count({ concurrency = json.null, b = "" }, { a = { 1 } })))
    assert.equal(1, (count({ concurrency = {} }, {})))
  end)

  it("is one for each item", function()
    assert.equal(3, (count(by { "a" }, { a = { "x", "y", "z" } })))
    assert.equal(2, (count(by { "a" }, { a = { 1, false } })))
    assert.equal(2, (count(by { "a" }, { a = { { u = "1" }, { u = "2" } } })))
    assert.equal(5, (count(by { "a", "b" }, { a = { "x", "y" }, b = { "1", "2", "3" } })))
  end)

  it("leaves out the fields to be removed while others have a value", function()
    local rule = by({ "a", "b" }, { "b" })
    assert.equal(2, (count(rule, { a = { "x", "y" }, b = { "1", "2", "3" } })))
    assert.equal(3, (count(rule, { a = { "" }, b = { "1", "2", "3" } })))
    assert.equal(3, (count(rule, { b = { "1", "2", "3" } })))
    assert.equal(1, (count(by({ "a" }, { "a" }), { a = { "x" } })))
  end)

  it("does not count what is empty", function()
    assert.equal(1, (count(by { "a" }, { a = { "x", "", " ", json.null, {}, { u = "" }, { u = { v = json.null } } } })))
    assert.equal(1, (count(by { "a" }, { a = { json.null, 0 } })))
    assert.equal(1, (count(by { "a" }, { a = { json.integer "12345678901234567890" } })))
  end)

  it("tells what the run would fail with", function()
    local function fails(expected, root, custom)
      local subtasks, message, number = count(root, custom)
      assert.is_nil(subtasks)
      assert.equal(expected, message)
      assert.equal(1, number)
    end
    fails("concurrency fields must have at least one field", by(json.array {}), {})
    fails("concurrency fields have no non-empty fields", by { "a" }, {})
    fails("concurrency fields have no non-empty fields", by { "a", "b" }, { a = { "" }, b = {} })
    fails("field [a] must be an array", by { "a" }, { a = "x" })
    fails("field [a] must be an array", by { "a" }, { a = { u = 1 } })
    fails("item at index 2 in [a] must be an object or primitive value", by { "a" }, { a = { "x", { "y" } } })
    fails("field [a] must not mix object and primitive items", by { "a" }, { a = { "x", { u = "y" } } })
    fails("missing concurrency field [a]", { b = "a" }, {})
    fails("concurrency field [a] is empty", { b = "a" }, { a = { "" } })
    fails("field [a] must be an array", { b = "a" }, { a = "x" })
  end)

  it("counts the older rule, which yields to the newer", function()
    assert.equal(2, (count({ b = "a" }, { a = { "x", "", "y" } })))
    assert.equal(1, (count({ b = "a", concurrency = { fields = { "c" } } }, { a = { "x", "y" }, c = { "z" } })))
  end)

  it("says one fault once", function()
    local given = {
      concurrency = { fields = { "x" } },
      properties = { { name = "x", type = "array", required = true } },
    }
    assert.same({ 'x must be a list, got the string "tea"; write { "..." }' }, errors_of(given, { x = "tea" }))
    assert.same({ "x is required" }, errors_of(given, {}))
  end)

  it("knows a limit if it is told one", function()
    local subtasks, message = count(by { "a" }, { a = { 1, 2, 3 } }, { max_subtasks = 2 })
    assert.equal(3, subtasks)
    assert.equal("concurrency_num (3) exceeds limit (2)", message)
    assert.is_nil(select(2, count(by { "a" }, { a = { 1, 2 } }, { max_subtasks = 2 })))
  end)
end)
