--- JSON that loses nothing, on every Lua and with every lua-cjson.
---
--- lua-cjson (or Neovim's vim.json, when lua-cjson is not there) does the JSON. Around it stands a
--- guard in C, for what the library would lose: integers beyond 2^53, integers that become floats,
--- digits of floats, empty arrays, lone surrogates, NUL bytes. A library is asked what it can do,
--- never judged by its version, and its own settings are left alone: ours are on a private instance.
---
--- Decoding: integers are integers where the Lua has them, and strings of their exact digits where
--- it cannot hold them (int64 on Lua 5.3 and newer, 2^53 elsewhere); 4.0 and 1e3 stay floats; a
--- float too large for any double is a string too; `[]` is a marked table and encodes as `[]`
--- again; null is json.null; of equal keys the last one counts; bytes that are not UTF-8 pass.
---
--- Encoding: what cannot arrive digit for digit raises, with the path of the value. Tables are
--- read raw (no __index, no __pairs). Both ways end at 200 levels.

local core = require "coreclaw.core"

local json = {}

-- What these stand for is said by lcc_json.h.
local LIST, INTEGER, NULL, EMPTY_LIST = 1, 2, 3, 4

local list_mt = { __name = "coreclaw.array" }
local integer_mt = { __name = "coreclaw.integer" }
local marks = { [list_mt] = LIST, [integer_mt] = INTEGER, [core.json_null] = NULL }

local MISSING = "no JSON library: install lua-cjson (Debian: apt install lua-cjson; "
  .. "otherwise: luarocks install lua-cjson)"

local decode, encode, copy -- the codec of the library in use

function integer_mt:__tostring()
  return self.digits
end

function integer_mt.__eq(a, b)
  return a.digits == b.digits
end

-- LuaJIT's boxed 64 bit integers, by their exact digits.
local function cdata_reader()
  local ok, ffi = pcall(require, "ffi")
  if not ok then
    return nil
  end
  local signed, unsigned = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
  return function(value)
    if ffi.istype(signed, value) or ffi.istype(unsigned, value) then
      return (tostring(value):gsub("U?LL$", ""))
    end
  end
end

local read_cdata = cdata_reader()

-- A private instance where the library has them, and strict about numbers.
local function instance_of(library)
  local instance = type(library.new) == "function" and library.new() or library
  if instance ~= library and instance.decode_invalid_numbers then
    instance.decode_invalid_numbers(false)
    instance.encode_invalid_numbers(false)
  end
  return instance
end

local math_type = rawget(math, "type") -- Lua 5.3 and newer

local function is_integer(value)
  return math_type ~= nil and math_type(value) == "integer"
end

-- Whether the library itself reads every integer of this Lua, and floats as floats.
local function reads_integers(read)
  for _, digits in ipairs { "1", "-9007199254740993", "9223372036854775807", "-9223372036854775808" } do
    local value = read("[" .. digits .. "]")[1]
    if not is_integer(value) or ("%d"):format(value) ~= digits then
      return false
    end
  end
  return not is_integer(read("[2.0]")[1])
end

local function need(condition, what)
  if not condition then
    error("the JSON library cannot be used: " .. what, 0)
  end
end

-- What the guard relies on, tried out.
local function probe(instance)
  local read, write = instance.decode, instance.encode
  need(type(read) == "function" and type(write) == "function", "it has no encode and decode")
  local null = read("[null]")[1]
  need(null ~= nil and write({ null }) == "[null]", "null does not survive")
  need(read('["\255\192"]')[1] == "\255\192", "it changes bytes that are not UTF-8")
  need(write({ "\255[]" }) == '["\255[]"]', "it changes bytes that are not UTF-8")
  need(write({ 99999999999999 }) == "[99999999999999]", "it loses digits")
  local map = read("[{}]")[1]
  return {
    decode = read,
    encode = write,
    null = null,
    list = list_mt,
    marks = marks,
    cdata = read_cdata,
    integers = reads_integers(read),
    object_class = type(map) ~= "table" or getmetatable(map) ~= nil,
    refuses_controls = not pcall(read, '["\1\n"]'),
    empty_is_list = write({}) ~= "{}",
  }
end

-- Newer versions of lua-cjson have marks of their own, OpenResty's for one.
local function honour_marks(library)
  if type(library.array_mt) == "table" then
    marks[library.array_mt] = LIST
  end
  if type(library.empty_array_mt) == "table" then
    marks[library.empty_array_mt] = LIST
  end
  if library.empty_array ~= nil then
    marks[library.empty_array] = EMPTY_LIST
  end
end

local function adopt(library)
  local codec = probe(instance_of(library))
  honour_marks(library)
  marks[codec.null] = NULL
  json.null = codec.null
  decode, encode, copy = core.json_codec(codec)
end

local function find_library()
  local ok, library = pcall(require, "cjson")
  local vim = rawget(_G, "vim")
  if type(vim) == "table" and vim.NIL ~= nil then
    marks[vim.NIL] = NULL
  end
  if ok and type(library) == "table" then
    return library
  end
  return type(vim) == "table" and type(vim.json) == "table" and vim.json or nil
end

-- The first use loads a library if none was there when this module was loaded.
local function ready(level)
  if decode then
    return
  end
  local library = find_library()
  if not library then
    error(MISSING, level + 1)
  end
  adopt(library)
end

--- Reads JSON. Never raises because of what the text holds.
---@param text string
---@return any value `json.null` for a text that is null; nil when the text is not JSON
---@return string? message why, where, and at most a dozen bytes of the text
function json.decode(text)
  if type(text) ~= "string" then
    error("JSON text must be a string, got " .. type(text), 2)
  end
  if not decode then ready(2) end
  return decode(text)
end

--- The same of an answer's body, which may lie in C yet.
---@param body string|userdata
---@return any
---@return string? message
function json.of_body(body)
  if not decode then ready(2) end
  return decode(body)
end

--- Writes JSON, exactly or not at all.
---@param value any
---@param what? string name of the value in messages, "value" if not given
---@param level? integer whom to blame, as for `error`; 1, the default, is the caller; 0 nobody
---@return string text
function json.encode(value, what, level)
  level = level or 1
  ready(2)
  local text, message = encode(value, what)
  if text == nil then
    error(message, level > 0 and level + 1 or 0)
  end
  return text
end

--- A deep copy, made after the same checks as encoding: what it returns can be sent.
---@generic T
---@param value T
---@param what? string
---@param level? integer
---@return T
function json.copy(value, what, level)
  level = level or 1
  ready(2)
  local result, message = copy(value, what)
  if result == nil then
    error(message, level > 0 and level + 1 or 0)
  end
  return result
end

--- Marks a table as an array, so that it is `[]` when it is empty. Returns the same table.
---@param list? table a new one if not given
---@return table
function json.array(list)
  if list == nil then
    list = {}
  elseif type(list) ~= "table" then
    error("coreclaw.array: a table expected, got " .. type(list), 2)
  elseif getmetatable(list) ~= nil and marks[getmetatable(list)] ~= LIST then
    error("coreclaw.array: this table has a metatable of its own", 2)
  end
  return setmetatable(list, list_mt)
end

--- Whether a table would be sent as an array: one that is marked, or begins with an element 1.
---@param value any
---@return boolean
function json.is_array(value)
  if type(value) ~= "table" then
    return false
  end
  local mt = getmetatable(value)
  return mt ~= nil and marks[mt] == LIST or rawget(value, 1) ~= nil
end

--- An integer to send that this Lua cannot hold: its digits, sent bare.
---@param digits string|integer
---@return table
function json.integer(digits)
  local text = type(digits) == "number" and digits % 1 == 0 and math.abs(digits) < 2 ^ 53
    and ("%.0f"):format(digits) or digits
  if is_integer(digits) then
    text = ("%d"):format(digits)
  end
  if type(text) ~= "string" or not (text == "0" or text:find("^%-?[1-9]%d*$")) then
    error("coreclaw.integer: digits expected, like \"12345678901234567890\"", 2)
  end
  return setmetatable({ digits = text }, integer_mt)
end

--- Puts another library behind the guard: lua-cjson's table, or one with the same encode and decode.
---@param library table
function json.use(library)
  if type(library) ~= "table" then
    error("json.use: a JSON library expected, got " .. type(library), 2)
  end
  local ok, message = pcall(adopt, library)
  if not ok then
    error(message, 2)
  end
end

-- Null must be right from the start, for callers keep it.
local library = find_library()
if library then
  adopt(library)
else
  json.null = core.json_null
end

return json
