local json = require "coreclaw.json"
local verdict = require "coreclaw.verdict"

local function judge(rows, fields)
  local page = { list = rows, headers = {}, count = #rows }
  for name, value in pairs(fields or {}) do page[name] = value end
  return verdict.judge("succeeded", page)
end

describe("verdict", function()
  it("passes a first row with a real field, even 0 or false", function()
    for _, value in ipairs { "x", 0, false, { 1 }, { a = 1 } } do
      local v = judge { { price = value, error = "x" } }
      assert.equal("PASS", v.verdict)
      assert.same({ "price" }, v.fields)
      assert.equal(1, v.fields_count)
      assert.is_nil(v.reason)
    end
  end)

  it("sees that a row holds nothing", function()
    for _, value in ipairs { "", " \n", json.null, {}, json.array {} } do
      local v = judge { { title = value, error = "Forbidden", __coreclaw_data_id__ = "a" } }
      assert.equal("ERROR_RECORD", v.verdict)
      assert.same({}, v.fields)
      assert.matches("Forbidden", v.reason)
    end
  end)

  it("knows each diagnostic key, exactly", function()
    for _, name in ipairs {
      "__coreclaw_data_id__", "error", "error_code", "err", "err_code", "status", "status_code", "message", "msg",
      "input", "input_url",
    } do
      assert.equal("ERROR_RECORD", judge({ { [name] = "x" } }).verdict)
      assert.equal("PASS", judge({ { [name:upper() .. "S"] = "x" } }).verdict)
    end
    assert.equal("PASS", judge({ { Error = "x" } }).verdict)
  end)

  it("takes a url alone for no data", function()
    local v = judge { { url = "https://shop.example.com/1", error = "Forbidden" } }
    assert.equal("ERROR_RECORD", v.verdict)
    assert.same({ "url" }, v.fields)
    assert.equal("PASS", judge({ { url = "x", title = "Lamp" } }).verdict)
  end)

  it("judges the first row only", function()
    assert.equal("ERROR_RECORD", judge({ { error = "x" }, { title = "Lamp" } }).verdict)
    assert.equal("PASS", judge({ { title = "Lamp" }, { error = "x" } }).verdict)
  end)

  it("judges the sample of production as the official tools do", function()
    local v = judge({
      {
        __coreclaw_data_id__ = "a1", url = "https://shop.example.com/1", error = "Forbidden", error_code = "403",
        status = "failed", title = "",
      },
      { __coreclaw_data_id__ = "a2", url = "https://shop.example.com/2", title = "Lamp", error = json.null },
    })
    assert.equal("ERROR_RECORD", v.verdict)
    assert.equal(2, v.count)
  end)

  it("says that there is nothing", function()
    assert.equal("NO_DATA", judge({}).verdict)
    assert.equal("NO_DATA", judge({ { title = "x" } }, { count = 0 }).verdict)
    assert.equal("NO_DATA", judge({}, { count = 7 }).verdict)
    assert.equal("ERROR_RECORD", judge({ "no object" }).verdict)
  end)

  it("names at most ten fields, in the order of the headers", function()
    local row, headers = { zebra = 1, apple = 2 }, { { key = "zebra" }, { label = "odd" } }
    assert.same({ "zebra", "apple" }, judge({ row }, { headers = headers }).fields)
    for i = 1, 20 do row["f" .. i] = i end
    local v = judge { row }
    assert.equal(10, #v.fields)
    assert.equal(22, v.fields_count)
  end)
end)
