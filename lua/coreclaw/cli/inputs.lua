--- A Worker's input from the command line: files, stdin, and key=value, of the type that its schema says.

local context = require "coreclaw.cli.context"
local failure = require "coreclaw.cli.failure"
local json = require "coreclaw.json"
local schema = require "coreclaw.schema"
local validate = require "coreclaw.validate"

local inputs = {}

-- "key=value" and "key:=json"; nil for the name of a file, which ./ or a folder in front makes sure of.
local function pair(word)
  local key, raw, value = word:match "^([%w_][%w_.%-]*)(:?)=(.*)$"
  if key then return { key = key, value = value, json = raw == ":" } end
end

local function decode(text, what)
  local value, why = json.decode(text)
  if value == nil then failure.usage("%s is not JSON: %s", what, tostring(why)) end
  return value
end

local function integer_of(text)
  if text:find "^%-?[1-9]%d*$" or text == "0" then
    return #text < 16 and tonumber(text) or json.integer(text)
  end
end

local BOOLEANS = { ["true"] = true, ["false"] = false }

local typed

-- The value of a text for each type of a schema; nil where it is none of it, and is left to the checks.
local READ = {
  string = function(text) return text end,
  integer = function(text) return integer_of(text) or tonumber(text) end,
  number = function(text) return integer_of(text) or tonumber(text) end,
  boolean = function(text) return BOOLEANS[text:lower()] end,
  object = function(text) return text:find "^%s*{" and decode(text, "the object") or nil end,
  null = function(text) if text == "null" then return json.null end end,
  array = function(text, field)
    if text:find "^%s*%[" then return decode(text, "the list"), true end
    local item
    if field.items then item = typed(field.items, text) else item = text end
    return json.array { item }
  end,
}

-- A text as the first type that it can be. `whole`: it is a whole list.
function typed(field, text)
  local types = field.multiple and { "array" } or field.types or { "string" }
  for _, name in ipairs(types) do
    local value, whole
    if READ[name] then value, whole = READ[name](text, field) end
    if value ~= nil then return value, whole end
  end
  return text
end

local function field_named(fields, key, word, lax)
  local known = {}
  for _, field in ipairs(fields) do
    if field.name == key then return field end
    known[field.name] = true
  end
  if lax or next(known) == nil then return { name = key } end -- or a schema that tells no fields
  local near = validate.nearest(key, known)
  failure.usage("%s: this Worker has no field %s%s", word, key, near and "; did you mean " .. near .. "?" or "")
end

-- Puts a pair into the input; a list gets one item more each time.
local function put(into, given, fields, word, lax)
  if given.json then
    into[given.key] = decode(given.value, word)
    return
  end
  local field = field_named(fields, given.key, word, lax)
  local value, whole = typed(field, given.value)
  local before = into[given.key]
  if json.is_array(value) and not whole and given.seen and json.is_array(before) then
    before[#before + 1] = value[1]
  else
    into[given.key] = value
  end
end

-- The fields of the schema, read only if a pair wants its type, and kept for the check before the start.
local function fields_of(ctx, worker)
  local schemas = ctx:client().schemas
  schemas[worker.id] = schemas[worker.id] or ctx:check(worker:input_schema())
  return schema.fields(schemas[worker.id])
end

-- What this Lua cannot hold would be sent as text.
local function check_integers(text, what)
  local bare = text:gsub("\\.", ""):gsub('"[^"]*"', '""')
  for digits, behind in bare:gmatch "%f[%w.-](%-?%d+)([.eE]?)" do
    if #digits > 15 and behind == "" and type(json.decode(digits)) == "string" then
      failure.usage("%s holds the integer %s, which this Lua cannot hold exactly", what, digits)
    end
  end
end

local function merge(into, path)
  local text, what = context.read(path), path == "-" and "stdin" or path
  local value = decode(text, what)
  check_integers(text, what)
  if type(value) ~= "table" or json.is_array(value) then
    failure.usage("%s must hold a JSON object", what)
  end
  for key, each in pairs(value) do into[key] = each end
end

---A JSON object in a file or on stdin.
---@param path string
---@return table
function inputs.file(path)
  local into = {}
  merge(into, path)
  return into
end

---The input that the words say, later ones over earlier ones; nil if there are none.
---@param ctx coreclaw.cli.Context
---@param worker coreclaw.Worker  whose schema says the types
---@param words string[]  files, "-", key=value, key:=json
---@return table?
function inputs.read(ctx, worker, words)
  if #words == 0 then return nil end
  local into, fields, seen = {}, nil, {}
  for _, word in ipairs(words) do
    local given = pair(word)
    if not given then
      merge(into, word)
    else
      if not given.json then fields = fields or fields_of(ctx, worker) end
      given.seen, seen[given.key] = seen[given.key], true
      put(into, given, fields or {}, word, ctx.options.no_check)
    end
  end
  return into
end

-- The texts of JSON objects: lines, or the items of an array.
local function objects(text, what)
  if text:find "^%s*%[" then return decode(text, what) end
  local list = {}
  for line in text:gmatch "[^\r\n]+" do
    if line:find "%S" then list[#list + 1] = decode(line, what .. ", input " .. #list + 1) end
  end
  return list
end

---Many inputs: a line of JSON for each, or one array.
---@param path string
---@return table[]
function inputs.many(path)
  local text, what = context.read(path), path == "-" and "stdin" or path
  check_integers(text, what)
  local list = objects(text, what)
  for i, value in ipairs(list) do
    if type(value) ~= "table" or json.is_array(value) then failure.usage("%s: input %d is no object", what, i) end
  end
  if #list == 0 then failure.usage("there is no input in %s", what) end
  return list
end

---Words that are pairs only: `--system memory=512`.
---@param words string[]
---@return table?
function inputs.pairs(words)
  local out
  for _, word in ipairs(words or {}) do
    local given = pair(word)
    if not given then failure.usage("%s: key=value is wanted", word) end
    out = out or {}
    out[given.key] = given.json and decode(given.value, word) or tonumber(given.value) or given.value
  end
  return out
end

return inputs
