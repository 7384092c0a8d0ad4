-- Random texts with their values, random values and their texts, and random damage.
-- JSON_SEED repeats a run, JSON_TRIALS makes it longer.
local json = require "coreclaw.json"
local values = require "spec.support.json_values"

local seed = tonumber(os.getenv("JSON_SEED")) or os.time() % 2 ^ 31
local trials = tonumber(os.getenv("JSON_TRIALS")) or (values.is_stressed() and 4 or 100)

local random = math.random
local show = values.show

local function pick(list)
  return list[random(#list)]
end

local function digits(n)
  local t = { tostring(random(9)) }
  for i = 2, n do
    t[i] = tostring(random(0, 9))
  end
  return table.concat(t)
end

-- Compares strings of digits without a sign as numbers.
local function at_most(a, b)
  return #a < #b or (#a == #b and a <= b)
end

local MOST = values.has_integers and { [""] = "9223372036854775807", ["-"] = "9223372036854775808" }
  or { [""] = "9007199254740992", ["-"] = "9007199254740992" }

local function integer_text()
  local sign, text = pick { "", "-" }, digits(pick { 1, 2, 5, 15, 16, 16, 19, 19, 20, 40 })
  if not at_most(text, MOST[sign]) then
    return sign .. text, "s:" .. sign .. text
  end
  -- in two halves, for a Lua that reads 16 digits as a float
  return sign .. text, values.has_integers and "i:" .. sign .. text or ("n:%s%s"):format(sign, text)
end

local function float_text()
  local text = pick { "", "-" } .. pick { "0", digits(random(1, 18)) } .. "." .. pick {
    "0", "00", "5", digits(random(1, 20)), "9999999999999999", "00000000000000000001" }
  if random(4) == 1 then
    text = text .. pick { "e", "E" } .. pick { "", "+", "-" } .. random(0, 120)
  end
  return text, ("%s:%.17g"):format(values.has_integers and "f" or "n", tonumber(text))
end

local PIECES = {
  { "a" }, { "é" }, { "\\n", "\n" }, { "\\u0041", "A" }, { "\\ud83d\\ude00", "😀" }, { "\\ud83d", "\239\191\189" },
  { "\\udc00", "\239\191\189" }, { "\\\\", "\\" }, { '\\"', '"' }, { "\255" }, { "\192\192" }, { "\255\192\192" },
  { "\0", "\0" }, { "\1" }, { "[]" }, { "{}" }, { "4.0" }, { "plain text, somewhat longer than a vector" },
}

local function string_text()
  local text, value = {}, {}
  for i = 1, random(0, 6) do
    local piece = pick(PIECES)
    text[i], value[i] = piece[1], piece[2] or piece[1]
  end
  -- a lone high half before a low one would be a pair
  local joined = table.concat(text)
  if joined:find("\\ud83d\\udc00", 1, true) then
    return string_text()
  end
  return '"' .. joined .. '"', "s:" .. table.concat(value)
end

local function space()
  return pick { "", "", "", " ", "\n\t" }
end

local value_text

local function list_text(depth)
  local text, shown = {}, {}
  for i = 1, random(0, 4) do
    text[i], shown[i] = value_text(depth - 1)
  end
  return "[" .. space() .. table.concat(text, "," .. space()) .. space() .. "]", "[" .. table.concat(shown, ",") .. "]"
end

-- Few keys, so that they come twice: the last one counts.
local function map_text(depth)
  local text, last, shown = {}, {}, {}
  for i = 1, random(0, 5) do
    local key = pick { { '"a"', "a" }, { '"b"', "b" }, { '"\\u0062"', "b" }, { '"c\\n"', "c\n" }, { '""', "" } }
    local item
    item, last[key[2]] = value_text(depth - 1)
    text[i] = key[1] .. space() .. ":" .. space() .. item
  end
  for key, item in pairs(last) do
    shown[#shown + 1] = key .. "=" .. item
  end
  table.sort(shown)
  return "{" .. space() .. table.concat(text, ",") .. "}", "{" .. table.concat(shown, ",") .. "}"
end

function value_text(depth)
  local kind = random(depth > 0 and 9 or 5)
  if kind == 1 then
    return integer_text()
  elseif kind == 2 then
    return float_text()
  elseif kind == 3 then
    return string_text()
  elseif kind == 4 then
    local word = pick { "true", "false", "null" }
    return word, word
  elseif kind == 5 then
    local n = tostring(random(0, 99))
    return n, (values.has_integers and "i:" or "n:") .. n
  elseif kind <= 7 then
    return list_text(depth)
  end
  return map_text(depth)
end

local function random_value(depth)
  local kind = random(depth > 0 and 7 or 5)
  if kind == 1 then
    return random(-2 ^ 29, 2 ^ 29) * pick { 1, 1000, 4000000 }
  elseif kind == 2 then
    local x = (random() - 0.5) * 10 ^ random(-300, 14)
    return x % 1 ~= 0 and x or 0.5
  elseif kind == 3 then
    return pick { "", "x", "é/\0\1\"\\", ("y"):rep(random(0, 40)) }
  elseif kind == 4 then
    return pick { true, false, json.null }
  elseif kind == 5 then
    return pick { json.array {}, json.decode "{}" }
  end
  local t = kind == 6 and json.array {} or {}
  for i = 1, random(0, 5) do
    t[kind == 6 and i or pick { "a", "b", "", "é\n", "1" }] = random_value(depth - 1)
  end
  return t
end

-- Changes, drops, doubles or swaps some bytes.
local function damage(text)
  for _ = 1, random(3) do
    local at = random(0, #text)
    local rest = random(5) == 1 and text:sub(at + random(4)) or text:sub(at + 2)
    local byte = random(3) == 1 and string.char(random(0, 255))
      or pick { '"', "\\", "[", "]", "{", "}", ",", ":", "0", "-", ".", "e", "\255", "\0", "\\u", "\\ud800", "[]" }
    text = text:sub(1, at) .. byte .. rest
  end
  return text
end

describe("JSON at random, JSON_SEED=" .. seed, function()
  before_each(function() math.randomseed(seed) end)

  it("reads texts as what they were made from", function()
    for _ = 1, trials * 5 do
      local text, expected = value_text(6)
      local value, message = json.decode(text)
      assert.is_nil(message)
      local shown = show(value)
      if values.has_integers then
        assert.equal(expected, shown, text)
      else
        assert.equal(expected:gsub("n:(-?%d%d%d%d%d%d%d%d%d%d+)%f[%D]", function(n)
          return ("n:%.17g"):format(tonumber(n))
        end), shown, text)
      end
    end
  end)

  it("reads what it wrote", function()
    for _ = 1, trials * 5 do
      local value = random_value(6)
      local text = json.encode(value)
      assert.equal(show(value), show(json.decode(text)), text)
      assert.equal(show(value), show(json.copy(value)), text)
    end
  end)

  it("never raises over damaged texts, and what it reads it can write", function()
    for _ = 1, trials * 20 do
      local text = damage((value_text(5)))
      local value, message = json.decode(text)
      if value == nil then
        assert.is_true(type(message) == "string" and #message < 320, text)
      else
        pcall(json.encode, value) -- may refuse bytes that are not UTF-8
      end
    end
  end)

  it("survives any bytes", function()
    for _ = 1, trials * 10 do
      local bytes = {}
      for i = 1, random(0, 60) do
        bytes[i] = string.char(random(0, 255))
      end
      local text = pick { "", "[", '"', '{"a":' } .. table.concat(bytes)
      local value, message = json.decode(text)
      assert.is_true(value ~= nil or type(message) == "string", text)
    end
  end)

  it("works under a collector that never rests", function()
    -- At 10000 LuaJIT goes through all there is at each allocation, and a long list takes minutes.
    local pause, multiplier = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
    local wrong
    for _ = 1, math.min(trials, 4) do
      local text = list_text(5)
      local value = json.decode(text)
      wrong = wrong or show(value) ~= show(json.decode(text)) and text
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
    assert.is_nil(wrong or nil)
  end)
end)
