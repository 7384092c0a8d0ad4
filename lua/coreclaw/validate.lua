--- Misuse: every check that raises, and the one place that says where the caller stands.
--
-- A check fails before anything is sent, and its message names the field, what came and what
-- was expected. The position in front of it is the caller's line, however deep the check sits.

local lazy = require "coreclaw.lazy"

local validate = {}

-- What only a refusal needs: `fail`, `show`, `nearest`, and the words of the checks below.
lazy.functions(validate, "coreclaw.refusal", { "fail", "show", "nearest", "unknown", "wrong" })

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

local function in_range(value, rule)
  return (not rule.min or value >= rule.min) and (not rule.max or value <= rule.max)
end

local function in_enum(value, enum)
  for _, allowed in ipairs(enum) do
    if value == allowed then return true end
  end
  return false
end

---Checks one value against a rule and raises if it does not fit.
---@param where string  what the caller called, e.g. "run:wait"
---@param name string   the field, e.g. "timeout"
---@param value any
---@param rule table    { type, min?, max?, enum? }
function validate.value(where, name, value, rule)
  local kind = types[rule.type]
  if rule.enum and not in_enum(value, rule.enum) then
    validate.wrong(where, name, value, rule)
  elseif not kind.test(value) or not in_range(value, rule) then
    validate.wrong(where, name, value, rule, kind.want)
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
    if not rule then validate.unknown(where, name, spec) end
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
