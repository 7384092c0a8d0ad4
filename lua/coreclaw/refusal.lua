--- The words of a refusal: what only wrong use needs. Part of coreclaw.validate, which loads it then.

local secret = require "coreclaw.secret"

local refusal = {}

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
function refusal.fail(message)
  -- A key may stand where a name was wanted.
  error(caller_position() .. secret.mask(message), 0)
end

---A value as an error message may show it: its type, and a short safe form where that helps.
---@param value any
---@return string
function refusal.show(value)
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
function refusal.nearest(word, names)
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

---Refuses an option that nobody knows.
---@param spec table<string, table>  the known ones
function refusal.unknown(where, name, spec)
  local near = refusal.nearest(name, spec)
  local hint = near and "did you mean " .. near .. "?" or "known are: " .. keys_of(spec)
  refusal.fail(where .. ": unknown option " .. tostring(name) .. " (" .. hint .. ")")
end

local function range_text(rule)
  if rule.min and rule.max then return " from " .. rule.min .. " to " .. rule.max end
  if rule.min then return ", " .. rule.min .. " or more" end
  return ""
end

local function must(where, name)
  return where .. ": " .. name .. " must be "
end

---Refuses a value.
---@param where string
---@param name string
---@param value any
---@param rule table
---@param want string?  what it must be; nil: one of the rule's words
function refusal.wrong(where, name, value, rule, want)
  if want then
    refusal.fail(must(where, name) .. want .. range_text(rule) .. ", got "
      .. (rule.secret and "a " .. type(value) or refusal.show(value)))
  end
  local words = {}
  for i, word in ipairs(rule.enum) do words[i] = tostring(word) end
  refusal.fail(must(where, name) .. "one of " .. table.concat(words, ", ") .. ", got " .. refusal.show(value))
end

return refusal
