local cjson = require "cjson"
local json = require "coreclaw.json"
local values = require "spec.support.json_values"

local show = values.show

-- text, what it is on Lua 5.3 and newer, and what it is elsewhere if that is another kind of value.
local DECODED = {
  { "0", "i:0" }, { "-1", "i:-1" }, { "-0", "i:0" }, { "42", "i:42" },
  { "4.0", "f:4" }, { "1e3", "f:1000" }, { "1E+2", "f:100" }, { "-0.0", "f:-0" }, { "0.0", "f:0" },
  { "0.1", "f:0.1" }, { "-73.98513040000001", "f:-73.98513040000001" },
  { "48.858370099999999", "f:48.858370099999999" }, { "9.9999999999999999999", "f:10" },
  { "1.00000000000000000001", "f:1" }, { "123456789012345678.5", "f:1.2345678901234568e+17" },
  { "1.7976931348623157e308", "f:1.7976931348623157e+308" }, { "5e-324", "f:4.9406564584124654e-324" },
  { "1e-400", "f:0" }, { "1e400", "s:1e400" }, { "-1e999", "s:-1e999" }, { "1e22", "f:1e+22" },
  { "9007199254740991", "i:9007199254740991" }, { "9007199254740992", "i:9007199254740992" },
  { "-9007199254740992", "i:-9007199254740992" },
  { "9007199254740993", "i:9007199254740993", "s:9007199254740993" },
  { "-9007199254740993", "i:-9007199254740993", "s:-9007199254740993" },
  { "9007199254740994", "i:9007199254740994", "s:9007199254740994" },
  { "1234567890123456789", "i:1234567890123456789", "s:1234567890123456789" },
  { "9223372036854775807", "i:9223372036854775807", "s:9223372036854775807" },
  { "-9223372036854775808", "i:-9223372036854775808", "s:-9223372036854775808" },
  { "9223372036854775808", "s:9223372036854775808" }, { "-9223372036854775809", "s:-9223372036854775809" },
  { "18446744073709551616", "s:18446744073709551616" },
  { ("9"):rep(400), "s:" .. ("9"):rep(400) },
  { '"12"', "s:12" }, { '""', "s:" }, { '"\\u0000"', "s:\0" }, { '"a\\u0000b"', "s:a\0b" },
  { '"a\0b"', "s:a\0b" }, { '"\1\n\t\31"', "s:\1\n\t\31" }, { '"\127"', "s:\127" },
  { '"\\b\\f\\n\\r\\t\\"\\\\\\/"', 's:\b\f\n\r\t"\\/' },
  { '"\\u00e9"', "s:é" }, { '"\\ud83d\\ude00"', "s:😀" }, { '"\\uD83D\\uDE00"', "s:😀" },
  { '"\\ud83d"', "s:\239\191\189" }, { '"\\ude00x"', "s:\239\191\189x" },
  { '"\\ud83d\\u0041"', "s:\239\191\189A" }, { '"\\ud83d\\ud83d\\ude00"', "s:\239\191\189😀" },
  { '"\\ud83d\\\\ude00"', "s:\239\191\189\\ude00" }, { '{"\\udfff":1}', "{\239\191\189=i:1}" },
  { '"\255\254\192\128"', "s:\255\254\192\128" }, { '["\255",[]]', "[s:\255,[]]" },
  { '["\255[","\255\192\192\192\192[",[]]', "[s:\255[,s:\255\192\192\192\192[,[]]" },
  { '["\2554.0",4.0,[]]', "[s:\2554.0,f:4,[]]" },
  { "true", "true" }, { "false", "false" }, { "null", "null" }, { "[null,null]", "[null,null]" },
  { "[]", "[]" }, { "[ ]", "[]" }, { "\t[\r\n]\n", "[]" }, { "{}", "{}" }, { "{ }", "{}" },
  { "[[],{},[[]],[{}]]", "[[],{},[[]],[{}]]" }, { '{"a":[],"b":{}}', "{a=[],b={}}" },
  { '{"a":{"b":{"c":[]}}}', "{a={b={c=[]}}}" }, { '{"":1}', "{=i:1}" }, { '{"1":2}', "{1=i:2}" },
  { "[1,2,3]", "[i:1,i:2,i:3]" }, { "[1,2.5,3]", "[i:1,f:2.5,i:3]" }, { "[1.0,1]", "[f:1,i:1]" },
  { '[{"a":1},{"a":1.0},{"a":"1"}]', "[{a=i:1},{a=f:1},{a=s:1}]" },
  { '{"\\n":[{"k\\"":1}],"b":2}', '{\n=[{k"=i:1}],b=i:2}' },
  { "\239\187\191[1]", "[i:1]" }, { "\239\187\191[[]]", "[[]]" }, { '"\239\187\191"', "s:\239\187\191" },
  { '{"a":1,"a":2}', "{a=i:2}" }, { '{"a":[],"a":{}}', "{a={}}" }, { '{"a":{},"a":[]}', "{a=[]}" },
  { '{"a":1,"a":1.0}', "{a=f:1}" }, { '{"a":1.0,"a":1}', "{a=i:1}" },
  { '{"a":1.0,"a":1,"a":1.0}', "{a=f:1}" }, { '{"a":1,"a":1.0,"a":1}', "{a=i:1}" },
  { '{"a":{"b":1},"a":"x"}', "{a=s:x}" }, { '{"a":{"b":{"c":1}},"a":{"b":2.0}}', "{a={b=f:2}}" },
  { '{"a":[1,2],"a":[3.0]}', "{a=[f:3]}" }, { '{"a":{"b":[]},"a":null,"c":1}', "{a=null,c=i:1}" },
  { '[{"a":{"b":1},"a":[{"b":2}]},7]', "[{a=[{b=i:2}]},i:7]" },
  { '{"a":"x","\\u0061":1}', "{a=i:1}" },
}

-- text, what the message says
local REFUSED = {
  { "", "expected value; the text ends after 0 bytes" }, { "  ", "ends after 2 bytes" },
  { "<html><body>secret", 'unexpected character at byte 1 of 18, near "<html><body>"$' },
  { "[1,2", "expected comma or array end; the text ends after 4 bytes" }, { "[1,]", "at byte 4 of 4" },
  { '{"a":1,}', "at byte 8 of 8" }, { "{a:1}", "at byte 2" }, { "{'a':1}", "at byte 2" },
  { "[1] 2", "at byte 5" }, { "[1]x", "at byte 4" }, { "[1]]", "at byte 4" }, { "1 2", "at byte 3" },
  { '{"a" 1}', "expected colon at byte 6" }, { '{"a":[] "b"}', "at byte 9" }, { '{"a"}', "at byte 5" },
  { '["a":1]', "at byte 5" }, { "{[]:1}", "at byte 4" }, { "{4.0 :1}", "at byte 6" },
  { "{12345678901234567890 :1}", "at byte 23" }, { "{1}", "at byte 2" }, { "{[]}", "at byte 4" },
  { "[[] []]", "at byte 5" }, { "[4.0 4.0]", "at byte 6" }, { "[] []", "at byte 4" },
  { "[\"\\ud83d\" x]", "at byte 11" }, { "[\"\\ud83d\",,]", "at byte 11" },
  { "NaN", "at byte 1" }, { "[nan]", "at byte 2" }, { "[Infinity]", "at byte 2" },
  { "[-Infinity]", "malformed number at byte 2" }, { "[inf]", "at byte 2" }, { "[0x10]", "malformed number" },
  { "[01]", "malformed number" }, { "[1.]", "malformed number" }, { "[.5]", "at byte 2" },
  { "[+1]", "at byte 2" }, { "[1e]", "malformed number" }, { "[--1]", "malformed number" },
  { "[1_000]", "malformed number" }, { "[True]", "at byte 2" }, { "[tru]", "at byte 2" },
  { "[nulll]", "at byte 2" }, { "// x\n[1]", "at byte 1" }, { "[1 /* x */]", "at byte 4" },
  { '"abc', "unfinished string; the text ends" }, { '"abc\\', "unfinished string" },
  { '"\\q"', "invalid escape" }, { '"\\u12"', "invalid" }, { '[[],4.0,"\\q"]', "at byte 10 of 13" },
  { "[1]\0", "at byte 4" }, { "\0[1]", "at byte 1" }, { "[\0]", "at byte 2" }, { "\239\187\191", "ends" },
  { "\239\187\191\239\187\191[1]", "at byte 4" }, { "\254\255\0[\0]", "at byte 1" },
  { ("["):rep(201) .. ("]"):rep(201), "deeper than 200 levels at byte 201" },
  { ('{"a":'):rep(201) .. "1" .. ("}"):rep(201), "deeper than 200 levels" },
  { ("["):rep(100000), "deeper than 200 levels" },
}

local function nested(depth)
  local value = 1
  for _ = 1, depth do
    value = { value }
  end
  return value
end

describe("json.decode", function()
  for _, case in ipairs(DECODED) do
    it("reads " .. case[1]:sub(1, 40):gsub("%c", "?"), function()
      local expected = not values.has_integers and case[3] or values.here(case[2])
      local value, message = json.decode(case[1])
      assert.is_nil(message)
      assert.equal(expected, show(value))
      -- and the same further inside
      local inner = case[1]:gsub("^\239\187\191", "")
      value = json.decode('{"data":[1,' .. inner .. ',{"k":' .. inner .. "}]}")
      assert.equal(values.here("{data=[i:1,") .. expected .. ",{k=" .. expected .. "}]}", show(value))
    end)
  end

  for _, case in ipairs(REFUSED) do
    it("refuses " .. case[1]:sub(1, 40):gsub("%c", "?"), function()
      local value, message = json.decode(case[1])
      assert.is_nil(value)
      assert.matches("^invalid JSON: ", message)
      assert.matches(case[2], message)
      assert.is_true(#message < 320)
    end)
  end

  it("reads 200 levels and writes them again", function()
    local text = ("["):rep(200) .. ("]"):rep(200)
    assert.equal(text, json.encode(json.decode(text)))
    assert.equal(text:gsub("%[%]", "[1]"), json.encode(json.decode((text:gsub("%[%]", "[1]")))))
  end)

  it("gives empty arrays of their own, that can be filled", function()
    local value = json.decode('{"a":[],"b":[]}')
    value.a[1] = "x"
    assert.equal("[]", json.encode(value.b))
    assert.equal('["x"]', json.encode(value.a))
  end)

  it("takes strings only", function()
    for _, odd in ipairs { 1, true, {}, print } do
      assert.has_error(function() json.decode(odd) end, "JSON text must be a string, got " .. type(odd))
    end
    assert.has_error(function() json.decode() end, "JSON text must be a string, got nil")
  end)

  it("shows a dozen bytes of a bad text at most", function()
    local _, message = json.decode('{"password":' .. ("s"):rep(1000))
    assert.is_nil(message:find(("s"):rep(13)))
  end)

  it("reads a large document", function()
    local row = '{"id":9007199254740993,"n":%d,"f":%d.0,"t":[],"s":"text \\ud83d","l":[1,2,3]}'
    local rows, count = {}, values.is_stressed() and 100 or 3000
    for i = 1, count do
      rows[i] = row:format(i, i)
    end
    local list = json.decode("[" .. table.concat(rows, ",") .. "]")
    assert.equal(count, #list)
    local id = values.has_integers and "i:9007199254740993" or "s:9007199254740993"
    for i = 1, count, 7 do
      local rest = values.here((",l=[i:1,i:2,i:3],n=i:%d,s=s:text \239\191\189,t=[]}"):format(i))
      assert.equal(values.here("{f=f:" .. i) .. ",id=" .. id .. rest, show(list[i]))
    end
  end)
end)

describe("json.null and marks", function()
  it("is lua-cjson's null", function()
    assert.equal(cjson.null, json.null)
  end)

  it("knows what would be sent as an array", function()
    assert.is_true(json.is_array(json.array()))
    assert.is_true(json.is_array(json.array {}))
    assert.is_true(json.is_array { 1 })
    assert.is_true(json.is_array(json.decode "[]"))
    assert.is_true(json.is_array(json.decode "[1]"))
    for _, odd in ipairs { {}, { a = 1 }, json.null, "x", 1, json.decode "{}", json.integer "1" } do
      assert.is_false(json.is_array(odd))
    end
  end)

  it("marks the table it was given", function()
    local list = {}
    assert.equal(list, json.array(list))
    assert.equal(list, json.array(list))
  end)

  it("does not take a metatable away", function()
    assert.has_error(function() json.array(setmetatable({}, {})) end)
    assert.has_error(function() json.array("x") end, "coreclaw.array: a table expected, got string")
  end)

  it("prints and compares integers", function()
    assert.equal("12345678901234567890", tostring(json.integer "12345678901234567890"))
    assert.is_true(json.integer "5" == json.integer(5))
    assert.equal("-9007199254740991", tostring(json.integer(-9007199254740991)))
  end)

  it("refuses what is no integer", function()
    for _, odd in ipairs { "", "-", "01", "1.0", "1e3", " 1", "1 ", "0x1", "-0", "1\n", 1.5, 2 ^ 60 + 0.0, {}, true } do
      assert.has_error(function() json.integer(odd) end)
    end
  end)

  it("reads nested values as deep as it writes them", function()
    assert.is_table(json.decode(json.encode(nested(200))))
    assert.has_error(function() json.encode(nested(201)) end)
  end)
end)
