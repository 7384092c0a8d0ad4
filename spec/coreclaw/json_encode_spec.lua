local json = require "coreclaw.json"
local values = require "spec.support.json_values"

local array, integer = json.array, json.integer

local function cycle()
  local t = {}
  t.a = { b = { t } }
  return t
end

local function nested(depth)
  local value = {}
  for _ = 2, depth do
    value = { value }
  end
  return value
end

local function doubled(times)
  local value = { 1 }
  for _ = 1, times do
    value = { value, value }
  end
  return value
end

-- value, text
local ENCODED = {
  { 0, "0" }, { 1, "1" }, { -1, "-1" }, { 5.0, "5" }, { tonumber "-0.0", "-0.0" }, { 0.5, "0.5" }, { 0.1, "0.1" },
  { 1 / 3, "0.3333333333333333" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1e-7, "1e-07" },
  { 2.5e-300, "2.5e-300" }, { 123456.789, "123456.789" }, { 40.741895, "40.741895" },
  { 99999999999999, "99999999999999" }, { 1e14, "100000000000000" }, { -1e14, "-100000000000000" },
  { 123456789012345, "123456789012345" }, { 2 ^ 53 - 1, "9007199254740991" },
  { 1 - 2 ^ 53, "-9007199254740991" }, { 1e15 + 0.5, "1000000000000000.5" },
  { true, "true" }, { false, "false" }, { json.null, "null" }, { "", '""' }, { "é😀", '"é😀"' },
  { 'a"b\\c', '"a\\"b\\\\c"' }, { "\0\1\n\127", '"\\u0000\\u0001\\n\\u007f"' }, { "12", '"12"' },
  { {}, "{}" }, { array {}, "[]" }, { array(), "[]" }, { { {} }, "[{}]" }, { { array {} }, "[[]]" },
  { { a = array {} }, '{"a":[]}' }, { { a = {} }, '{"a":{}}' }, { array { array {}, {} }, "[[],{}]" },
  { { 1, 2, 3 }, "[1,2,3]" }, { array { 1, "x", json.null }, '[1,"x",null]' },
  { { ["1"] = 1 }, '{"1":1}' }, { { [""] = 1 }, '{"":1}' }, { { ["a\0b"] = 1 }, '{"a\\u0000b":1}' },
  { { [1.0] = "x" }, '["x"]' }, { { json.null }, "[null]" }, { { a = json.null }, '{"a":null}' },
  { integer "12345678901234567890", "12345678901234567890" }, { integer "0", "0" },
  { { integer "-9007199254740993" }, "[-9007199254740993]" }, { { id = integer(7) }, '{"id":7}' },
  { integer(("9"):rep(1000)), ("9"):rep(1000) },
  { setmetatable({ 1 }, { __index = error, __pairs = error, __len = error }), "[1]" },
  { setmetatable({}, { __index = { a = 1 } }), "{}" },
  { nested(200), ("["):rep(199) .. "{}" .. ("]"):rep(199) },
}

local odd_thread = coroutine.create(function() end)

-- value, message
local REFUSED = {
  { nil, "input: got nil" }, { print, "^input: expected a string, number, boolean, table or null, got function" },
  { odd_thread, "input: .*got thread" }, { io.stdout, "input: .*got userdata" },
  { { keywords = { "a", "b", print } }, "^input%.keywords%[3%]: expected .*, got function$" },
  { { a = { b = { c = io.stdout } } }, "^input%.a%.b%.c: " }, { { ["a b"] = print }, '^input%["a b"%]: ' },
  { { ["1a"] = print }, '^input%["1a"%]: ' }, { { [("k"):rep(99)] = print }, 'input%["k+%.%.%."%]: ' },
  { { ['q"\n'] = print }, '^input%["q%?%?"%]: ' }, { { [""] = print }, '^input%[""%]: ' },
  { 0 / 0, "JSON has no nan" }, { 1 / 0, "JSON has no infinity" }, { { -1 / 0 }, "^input%[1%]: JSON has no inf" },
  { 2.0 ^ 53, "not exact; write it as a string or coreclaw.integer" }, { -2.0 ^ 53, "not exact" },
  { { id = 1e300 }, "^input%.id: a number of 2^53 or more is not exact" }, { 2.0 ^ 63, "not exact" },
  { { 1, nil, 3 }, "^input%[2%]: missing" }, { { [2] = 1 }, "^input%[1%]: missing" },
  { { [1] = 1, [2 ^ 40] = 2 }, "^input%[2%]: missing" }, { array { nil, 2 }, "^input%[1%]: missing" },
  { { 1, a = 2 }, "both an array and an object" }, { { [0] = 1 }, "one is another number" },
  { { [-1] = 1 }, "another number" }, { { [1.5] = 1 }, "another number" }, { { [true] = 1 }, "one is a boolean" },
  { { a = { [{}] = 1 } }, "^input%.a: keys are strings, or 1 to n; one is a table" },
  { { [1 / 0] = 1 }, "another number" }, { { [2 ^ 60] = 1 }, "another number" },
  { setmetatable({ a = 1 }, getmetatable(array {})), "marked as an array, but has string keys" },
  { cycle(), "^input%.a%.b%[1%]: a table that contains itself" }, { nested(201), "nested too deep" },
  { "\255", "^input: text is not valid UTF%-8 at byte 1" }, { { a = "ok\192\128" }, "^input%.a: .* at byte 3" },
  { "\237\160\128", "not valid UTF" }, { { ["\255x"] = 1 }, '^input%["%?x"%]: text is not valid UTF' },
  { "abcdefgh\195", "at byte 9" }, { setmetatable({ digits = "1e5" }, getmetatable(integer "1")), "not a whole" },
  { setmetatable({}, getmetatable(integer "1")), "not a whole number" },
}

describe("json.encode", function()
  for _, case in ipairs(ENCODED) do
    it("writes " .. case[2]:sub(1, 40):gsub("%c", "?"), function()
      -- lua-cjson writes / as \/; both are the same text
      assert.equal(case[2], (json.encode(case[1]):gsub("\\/", "/")))
      assert.equal(case[2], (json.encode(json.copy(case[1])):gsub("\\/", "/")))
    end)
  end

  for _, case in ipairs(REFUSED) do
    it("refuses: " .. case[2]:sub(1, 60), function()
      for _, check in ipairs { json.encode, json.copy } do
        local ok, message = pcall(check, case[1], "input", 0)
        assert.is_false(ok)
        assert.matches(case[2], message)
        assert.is_true(#message < 400)
      end
    end)
  end

  it("does not follow a table that is shared over and over for ever", function()
    -- a million values and their garbage would take minutes under spec/support/stress.lua
    local text = values.is_stressed() and ("x"):rep(9e7) or doubled(40)
    for _, check in ipairs { json.encode, json.copy } do
      local ok, message = pcall(check, { text }, "input")
      assert.is_false(ok)
      assert.matches("too much to send in one request", message)
    end
  end)

  it("writes slashes so that they are read as slashes", function()
    assert.equal("a/b", json.decode(json.encode "a/b"))
  end)

  it("writes integers digit for digit", function()
    if not values.has_integers then
      return
    end
    for _, digits in ipairs { "9007199254740993", "-9007199254740993", "9223372036854775807",
      "-9223372036854775808", "100000000000000", "-100000000000000", "1234567890123456789" } do
      assert.equal("[" .. digits .. "]", json.encode { json.decode(digits) })
    end
  end)

  it("writes LuaJIT's boxed integers digit for digit", function()
    local ok, ffi = pcall(require, "ffi")
    if not ok then
      return
    end
    local most = ffi.new("uint64_t", 0) - 1
    local list = { most, ffi.new("int64_t", -1), ffi.cast("int64_t", most / 2 + 1), ffi.new("int64_t", 5) }
    assert.equal("[18446744073709551615,-1,-9223372036854775808,5]", json.encode(list))
    assert.equal("[18446744073709551615,-1,-9223372036854775808,5]", json.encode(json.copy(list)))
    for _, odd in ipairs { ffi.new("int[2]"), ffi.new("double", 1), ffi.new("void *"), ffi.typeof("int") } do
      local done, message = pcall(json.encode, { a = odd })
      assert.is_false(done)
      assert.matches("^value%.a: expected .*got cdata", message)
    end
  end)

  it("keeps the path of a message short", function()
    local value = print
    for _ = 1, 150 do
      value = { a_rather_long_name = value }
    end
    local _, message = pcall(json.encode, value, "input")
    assert.matches("%.%.%.: expected", message)
    assert.is_true(#message < 400)
  end)

  it("blames the caller it is told to", function()
    local function api(value)
      local text = json.encode(value, "input", 2)
      return text
    end
    local _, message = pcall(function()
      local text = api(print)
      return text
    end)
    assert.matches("json_encode_spec.lua:%d+: input: expected", message)
    _, message = pcall(json.encode, print, "input", 0)
    assert.matches("^input: ", message)
  end)

  it("never calls or changes what it reads", function()
    local inner = setmetatable({ 1, 2 }, { __index = error, __newindex = error, __tostring = error })
    local value = { list = inner, empty = array {}, map = {} }
    json.encode(value)
    json.copy(value)
    assert.equal(inner, value.list)
    assert.is_nil(getmetatable(value.map))
  end)
end)

describe("json.copy", function()
  it("copies every table and keeps the marks", function()
    local value = { a = array {}, b = { array { 1 }, {} }, c = integer "12345678901234567890", d = json.null }
    local copy = json.copy(value, "input")
    assert.equal(values.show(json.decode(json.encode(value))), values.show(json.decode(json.encode(copy))))
    assert.are_not.equal(value.a, copy.a)
    assert.are_not.equal(value.b, copy.b)
    assert.are_not.equal(value.b[1], copy.b[1])
    assert.is_false(rawequal(value.c, copy.c))
    assert.equal(tostring(value.c), tostring(copy.c))
    assert.is_true(json.is_array(copy.a))
    copy.b[1][1] = nil
    assert.equal("[]", json.encode(copy.b[1]))
    assert.equal(json.null, copy.d)
  end)

  it("keeps floats floats", function()
    assert.equal(values.here "[f:5,i:5]", values.show(json.copy { 5.0, 5 }))
  end)

  it("copies a table that stands in two places twice", function()
    local shared = { 1 }
    local copy = json.copy { a = shared, b = shared }
    assert.are_not.equal(copy.a, copy.b)
  end)

  it("returns false for false", function()
    assert.is_false(json.copy(false))
    assert.equal("false", json.encode(false))
  end)
end)
