-- What a value looks like after the whole round: client, wire, platform, wire, client.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

local has_integers = math.type ~= nil

describe("values", function()
  local server, client, worker

  setup(function()
    server = box.start()
    client = box.client(server)
    worker = client:worker "test/echo"
  end)
  teardown(function() server:stop() end)

  local function round(row)
    local run = assert(worker:call { rows = { row } })
    return run:results()()
  end

  it("keeps integers integers, and floats floats, where the Lua has both", function()
    local row = round { a = 1, b = -7, c = 1289, d = 4.7, e = 9007199254740991 }
    assert.same({ a = 1, b = -7, c = 1289, d = 4.7, e = 9007199254740991 }, row)
    if has_integers then
      assert.equal("integer", math.type(row.a))
      assert.equal("float", math.type(row.d))
    end
    assert.equal("1289", tostring(row.c))
  end)

  it("keeps every digit of integers that are too big, on the way here", function()
    local run = assert(client:worker("demo/rows"):call { count = 4, kind = "big" })
    local digits, types = {}, {}
    for row in run:results() do
      digits[#digits + 1], types[#types + 1] = tostring(row.cid), type(row.cid)
    end
    assert.same({ "11287654321098765432", "9007199254740993", "-9223372036854775808", "18446744073709551616" },
      digits)
    local fits = has_integers and "number" or "string"
    assert.same({ "string", fits, fits, "string" }, types)
  end)

  it("keeps every digit of integers that are too big, on the way there", function()
    server:reset_requests()
    assert(worker:start { rows = { {
      a = coreclaw.integer "11287654321098765432", b = coreclaw.integer "-99999999999999999999999",
      c = 9007199254740991,
    } } })
    local body = server:requests()[1].body
    assert.matches('"a":11287654321098765432[,}]', body)
    assert.matches('"b":%-99999999999999999999999[,}]', body)
    assert.matches('"c":9007199254740991[,}]', body)
  end)

  it("tells empty lists, empty objects, null and absent apart", function()
    local row = round {
      list = coreclaw.array {}, object = {}, null = coreclaw.null, nested = { coreclaw.array {}, {} },
    }
    assert.equal('{"list":[]}', coreclaw.json.encode { list = row.list })
    assert.equal('{"object":{}}', coreclaw.json.encode { object = row.object })
    assert.equal(coreclaw.null, row.null)
    assert.is_nil(row.absent)
    assert.equal("[[],{}]", coreclaw.json.encode(row.nested))
  end)

  it("keeps text byte for byte", function()
    local text = 'Padaria São João 東京 🧭 "quoted" \\ / \b\f\n\r\t \1 \127'
    assert.equal(text, round({ text = text }).text)
  end)

  it("keeps floats to the last bit", function()
    for _, value in ipairs { 0.1, 1 / 3, 2 ^ -1074, 4503599627370495.5, -38.713900000000003 } do
      assert.equal(value, round({ v = value }).v)
    end
  end)

  it("sends rows back as they came", function()
    local first = round { a = coreclaw.array {}, b = { c = {}, d = coreclaw.null }, e = { 1, 2.5, "x" } }
    assert.same(first, round(first))
  end)
end)
