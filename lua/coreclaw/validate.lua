--- Misuse: every check that raises, and the one place that says where the caller stands.
--
-- A check fails before anything is sent, and its message names the field, what came and what
-- was expected. The position in front of it is the caller's line, however deep the check sits.

local secret = require "coreclaw.secret"

local validate = {}

-- All files of this folder are "us"; the first stack frame outside is the caller.
local HOME = debug.getinfo(1, "S").source:match("^(@.*[/\\])[^/\\]*$") or "@coreclaw/"

local function caller_position()
  local level = 3
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    if info.currentline > 0 and info.source:sub(1, #HOME) ~= HOME then
      return info.short_src .. ":" .. info.currentline .. ": "
    end
    level = level + 1
  end
end

---Raises a message as `error(message, level)` would, blaming the first line outside coreclaw.
---@param message string
function validate.fail(message)
  -- A key may stand where a name was wanted.
  error(caller_position() .. secret.mask(message), 0)
end

---A value as an error message may show it: its type, and a short safe form where that helps.
---@param value any
---@return string
function validate.show(value)
  local kind = type(value)
  if kind == "string" then
    value = secret.mask(value) -- before the cut, which may leave half of it
    if #value > 40 then value = value:sub(1, 37) .. "..." end
    return "the string " .. string.format("%q", value):gsub("\\\n", "\\n"):gsub("[%c]", "?")
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    local mt = getmetatable(value)
    local name = type(mt) == "table" and rawget(mt, "__name")
    return name and "a " .. name or "a table"
  end
  return kind == "nil" and "nil" or "a " .. kind
end

-- Number of single-letter edits between two words, for "did you mean".
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

---The known name nearest to a wrong one, if it is near enough to be what was meant.
---@param word any
---@param names table<string, any>  a set: names as keys
---@return string?
function validate.nearest(word, names)
  local best, best_distance
  for name in pairs(names) do
    local d = distance(tostring(word):lower(), name:lower())
    if not best or d < best_distance or (d == best_distance and name < best) then
      best, best_distance = name, d
    end
  end
  return best and best_distance <= math.max(1, math.floor((#best + 1) / 3)) and best or nil
end

local function keys_of(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

local function unknown(where, name, spec)
  local near = validate.nearest(name, spec)
  local hint = near and "did you mean " .. near .. "?" or "known are: " .. keys_of(spec)
  validate.fail(where .. ": unknown option " .. tostring(name) .. " (" .. hint .. ")")
end

local function is_integer(value)
  return type(value) == "number" and value == math.floor(value) and value - value == 0
end

-- One check per word of the option tables: value → is it right?, and how to say what is wanted.
local types = {
  string = { test = function(v) return type(v) == "string" end, want = "a string" },
  text = {
    test = function(v) return type(v) == "string" and v ~= "" and not v:find("%c") end,
    want = "a string that is not empty and holds no control characters",
  },
  boolean = { test = function(v) return type(v) == "boolean" end, want = "true or false" },
  table = { test = function(v) return type(v) == "table" end, want = "a table" },
  integer = { test = is_integer, want = "a whole number" },
  number = { test = function(v) return type(v) == "number" and v == v end, want = "a number" },
  seconds = {
    test = function(v) return type(v) == "number" and v >= 0 and v < 1e9 end,
    want = "a number of seconds, 0 or more",
  },
  callable = {
    test = function(v)
      local mt = getmetatable(v)
      return type(v) == "function" or (type(mt) == "table" and mt.__call ~= nil)
    end,
    want = "a function",
  },
  url = {
    test = function(v)
      return type(v) == "string" and v:match("^https?://[^%s%c/?#:][^%s%c/?#]*[^%s%c]*$") ~= nil
    end,
    want = "an http:// or https:// URL without spaces",
  },
  any = { test = function() return true end, want = "anything" },
}

local function range_text(rule)
  if rule.min and rule.max then return " from " .. rule.min .. " to " .. rule.max end
  if rule.min then return ", " .. rule.min .. " or more" end
  return ""
end

local function in_range(value, rule)
  return (not rule.min or value >= rule.min) and (not rule.max or value <= rule.max)
end

local function in_enum(value, enum)
  for _, allowed in ipairs(enum) do
    if value == allowed then return true end
  end
  return false
end

local function must(where, name)
  return where .. ": " .. name .. " must be "
end

---Checks one value against a rule and raises if it does not fit.
---@param where string  what the caller called, e.g. "run:wait"
---@param name string   the field, e.g. "timeout"
---@param value any
---@param rule table    { type, min?, max?, enum? }
function validate.value(where, name, value, rule)
  local kind = types[rule.type]
  if rule.enum and not in_enum(value, rule.enum) then
    local words = {}
    for i, word in ipairs(rule.enum) do words[i] = tostring(word) end
    validate.fail(must(where, name) .. "one of " .. table.concat(words, ", ") .. ", got " .. validate.show(value))
  elseif not kind.test(value) or not in_range(value, rule) then
    validate.fail(must(where, name) .. kind.want .. range_text(rule) .. ", got "
      .. (rule.secret and "a " .. type(value) or validate.show(value)))
  end
end

-- Names and defaults of a spec, one after the other: most options of most calls are not given.
local defaults = setmetatable({}, { __mode = "k" })

local function defaults_of(spec)
  local list = {}
  for name, rule in pairs(spec) do
    if rule.default ~= nil then list[#list + 1], list[#list + 2] = name, rule.default end
  end
  defaults[spec] = list
  return list
end

---Checks an option table against its spec: unknown names, types, ranges. Raises.
---@param where string
---@param options table?
---@param spec table<string, table>  name → { type, min?, max?, enum? }
function validate.check(where, options, spec)
  if options == nil then return end
  if type(options) ~= "table" then
    validate.fail(where .. ": options must be a table, got "
      .. (type(options) == "string" and "a string" or validate.show(options))) -- it may be the key
  end
  for name, value in pairs(options) do
    local rule = spec[name]
    if not rule then unknown(where, name, spec) end
    validate.value(where, name, value, rule)
  end
end

---Checks an option table against its spec, as `validate.check` does. Raises, or returns a
---copy with the defaults filled in, so that the caller's table is neither kept nor written to.
---@param where string
---@param options table?
---@param spec table<string, table>  name → { type, min?, max?, enum?, default? }
---@return table
function validate.options(where, options, spec)
  validate.check(where, options, spec)
  local out, known = {}, defaults[spec] or defaults_of(spec)
  for i = 1, #known, 2 do out[known[i]] = known[i + 1] end
  if options == nil then return out end
  for name, value in pairs(options) do
    -- 2.0 is a whole number too, but must not be written as one with a point.
    out[name] = spec[name].type == "integer" and math.floor(value) or value
  end
  return out
end

return validate
