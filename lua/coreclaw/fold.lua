--- A Lua pattern that does not mind upper and lower case: `[eE][rR][rR]` for `err`.
--
-- Lowering both sides would not do: it turns `%S` into `%s`. Only ASCII letters are folded, as Lua's
-- own classes know them.

local fold = {}

local function both(char)
  local lower, upper = char:lower(), char:upper()
  return lower ~= upper and lower .. upper or char
end

-- A range of a set, with the same range in the other case.
local function range(from, to)
  local text = from .. "-" .. to
  if from:find "%a" and to:find "%a" then
    text = text .. from:lower() .. "-" .. to:lower() .. from:upper() .. "-" .. to:upper()
  end
  return text
end

-- One item inside a set: what it becomes, and where the next one begins.
local function set_item(pattern, at)
  local char = pattern:sub(at, at)
  if char == "%" then return pattern:sub(at, at + 1), at + 2 end
  local to = pattern:match("^%-([^%]])", at + 1)
  if to then return range(char, to), at + 3 end
  return both(char), at + 1
end

-- A set from its bracket on; nil when it does not end.
local function set(pattern, at)
  local open = pattern:match("^%[%^?%]?", at)
  local out, stop = { open }, at + #open
  while pattern:sub(stop, stop) ~= "]" do
    if stop > #pattern then return nil end
    out[#out + 1], stop = set_item(pattern, stop)
  end
  return table.concat(out) .. "]", stop + 1
end

-- What follows a percent sign: `%bxy` has two more characters.
local function escape(pattern, at)
  local size = pattern:sub(at + 1, at + 1) == "b" and 4 or 2
  return pattern:sub(at, at + size - 1), at + size
end

---@param pattern string
---@return string
function fold.pattern(pattern)
  local out, at = {}, 1
  while at <= #pattern do
    local char, text, stop = pattern:sub(at, at), nil, nil
    if char == "%" then
      text, stop = escape(pattern, at)
    elseif char == "[" then
      text, stop = set(pattern, at)
    elseif char:find "%a" then
      text = "[" .. both(char) .. "]"
    end
    out[#out + 1], at = text or char, stop or at + 1
  end
  return table.concat(out)
end

return fold
