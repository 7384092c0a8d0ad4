-- Other libraries behind the guard. They are lua-cjson in disguise: what counts is what they do
-- differently, as newer versions of it, OpenResty's and Neovim's do.
local cjson = require "cjson"
local values = require "spec.support.json_values"

local NIL = io.stdout -- any userdata

-- The module anew, with these in place of what `require "cjson"` and the global `vim` would give.
local function fresh(library, vim)
  local kept = { json = package.loaded["coreclaw.json"], cjson = package.loaded["cjson"], vim = rawget(_G, "vim") }
  package.loaded["coreclaw.json"] = nil
  package.loaded["cjson"] = library
  package.preload["cjson"] = not library and function() error("no cjson here") end or nil
  rawset(_G, "vim", vim)
  local ok, json = pcall(require, "coreclaw.json")
  package.preload["cjson"] = nil
  package.loaded["coreclaw.json"], package.loaded["cjson"] = kept.json, kept.cjson
  rawset(_G, "vim", kept.vim)
  return ok and json or error(json, 0)
end

local function replace(value, from, to)
  if value == from then
    return to
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      value[key] = replace(item, from, to)
    end
  end
  return value
end

-- Neovim's: no new(), null is a userdata, {} has a metatable, an empty table is written as [].
local function neovim()
  local empty_dict = { __tostring = function() return "vim.empty_dict()" end }
  local function dress(value)
    if type(value) == "table" then
      if next(value) == nil then
        return setmetatable(value, empty_dict)
      end
      for key, item in pairs(value) do
        value[key] = dress(item)
      end
    end
    return value
  end
  return {
    decode = function(text)
      assert(not text:find("[%z\1-\8\14-\31]"), "this one refuses raw control bytes")
      return dress(replace(cjson.decode(text), cjson.null, NIL))
    end,
    encode = function(value)
      local text = cjson.encode(replace(value, NIL, cjson.null))
      return (text:gsub("^{}", "[]"):gsub("([%[:,]){}", "%1[]"))
    end,
  }
end

-- One that returns 64 bit integers, as newer versions do: every number here is a whole one.
local function with_integers()
  local function whole(value)
    if type(value) == "table" then
      for key, item in pairs(value) do
        value[key] = whole(item)
      end
    elseif type(value) == "string" and value:find("^#") then
      return math.floor(tonumber(value:sub(2)))
    end
    return value
  end
  return {
    null = cjson.null,
    decode = function(text)
      if text == "[2.0]" then
        return { 2.0 }
      end
      return whole(cjson.decode((text:gsub("([%[:,])(%-?%d+)", '%1"#%2"'))))
    end,
    encode = cjson.encode,
  }
end

describe("another JSON library", function()
  it("may be Neovim's", function()
    local json = fresh(nil, { json = neovim(), NIL = NIL })
    assert.equal(NIL, json.null)
    local value = assert(json.decode('{"a":[],"b":{},"c":null,"d":"x\1\0","e":[{}],"f":[[]]}'))
    assert.equal("[]", json.encode(value.a))
    assert.equal("{}", json.encode(value.b))
    assert.is_nil(getmetatable(value.b))
    assert.equal(NIL, value.c)
    assert.equal("x\1\0", value.d)
    assert.equal("[{}]", json.encode(value.e))
    assert.equal("[[]]", json.encode(value.f))
    assert.equal("[null]", json.encode { value.c })
    assert.equal("[null]", json.encode { cjson.null })
    assert.equal(NIL, json.copy({ cjson.null })[1])
    local other, message = json.decode("[1,\1]")
    assert.is_nil(other)
    assert.matches("at byte 4", message)
  end)

  it("is asked for lua-cjson first, and then knows Neovim's null too", function()
    local json = fresh(cjson, { json = neovim(), NIL = NIL })
    assert.equal(cjson.null, json.null)
    assert.equal("[null]", json.encode { NIL })
  end)

  it("is missed at the first use, by the names of the packages", function()
    local json = fresh(nil, nil)
    package.loaded["cjson"] = nil
    package.preload["cjson"] = function() error("no cjson here") end
    local _, read = pcall(json.decode, "[]")
    local _, write = pcall(json.encode, {})
    package.preload["cjson"] = nil
    package.loaded["cjson"] = cjson
    for _, message in ipairs { read, write } do
      assert.matches("apt install lua%-cjson", message)
      assert.matches("luarocks install lua%-cjson", message)
    end
    assert.equal("[]", json.encode(json.decode("[]"))) -- and found when it has come
    assert.equal(cjson.null, json.null)
  end)

  it("may return integers itself", function()
    if not values.has_integers then
      return
    end
    local json = fresh(with_integers())
    local text = "[1,9007199254740993,-9223372036854775808,9223372036854775807]"
    assert.equal(text, json.encode(json.decode(text)))
    assert.equal("9223372036854775808", json.decode("[9223372036854775808]")[1])
  end)

  it("may have marks of its own", function()
    local library = { array_mt = {}, empty_array_mt = {}, empty_array = io.stderr, new = cjson.new }
    local json = fresh(library)
    assert.equal("[]", json.encode(setmetatable({}, library.array_mt)))
    assert.equal("[1]", json.encode(setmetatable({ 1 }, library.array_mt)))
    assert.equal("[[]]", json.encode { setmetatable({}, library.empty_array_mt) })
    assert.equal("[[]]", json.encode { library.empty_array })
    assert.is_true(json.is_array(json.copy { library.empty_array }[1]))
    assert.is_true(json.is_array(setmetatable({}, library.array_mt)))
  end)

  it("keeps its own settings, and ours", function()
    cjson.encode_invalid_numbers(true)
    cjson.decode_invalid_numbers(true)
    local json = fresh(cjson)
    assert.is_nil((json.decode("[NaN]")))
    assert.equal("[nan]", cjson.encode { 0 / 0 }:lower():gsub("-", ""))
    cjson.encode_invalid_numbers(false)
    cjson.decode_invalid_numbers(true)
  end)

  it("is refused when the guard cannot rely on it", function()
    local json = fresh(cjson)
    for _, odd in ipairs { {}, { encode = cjson.encode }, { decode = cjson.decode, encode = function() return "x" end },
      { encode = cjson.encode, decode = function(text) return cjson.decode((text:gsub("\255", "?"))) end } } do
      assert.has_error(function() json.use(odd) end)
    end
    assert.has_error(function() json.use("cjson") end, "json.use: a JSON library expected, got string")
    assert.equal("[1]", json.encode { 1 }) -- the old one stays
  end)
end)
