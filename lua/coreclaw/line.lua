--- Foreign text as one line for a person: bounded, valid UTF-8, nothing that a terminal would obey.

local line = {}

-- Lead byte → how the rest of its character must look (RFC 3629: no surrogates, nothing overlong).
local SHAPES = {
  { "^[\194-\223][\128-\191]" },
  { "^\224[\160-\191][\128-\191]", "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]" },
  { "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
    "^\244[\128-\143][\128-\191][\128-\191]" },
}

-- The character that begins here, nil if these bytes are none.
local function character(text, at)
  local lead = text:byte(at)
  for _, pattern in ipairs(SHAPES[lead < 224 and 1 or lead < 240 and 2 or 3]) do
    local found = text:match(pattern, at)
    if found then return found end
  end
end

-- What is no character becomes "?", control characters of the upper range a space.
local function mend(bytes)
  local out, at = {}, 1
  while at <= #bytes do
    local found = character(bytes, at)
    out[#out + 1] = not found and "?" or found:find "^\194[\128-\159]" and " " or found
    at = at + (found and #found or 1)
  end
  return table.concat(out)
end

-- A cut never leaves half a character.
local function cut(text, most)
  if #text <= most then return text end
  local stop = most - 3
  while stop > 0 and text:find("^[\128-\191]", stop + 1) do stop = stop - 1 end
  return text:sub(1, stop) .. "..."
end

---@param text string
---@param most integer  bytes, 4 at least
---@return string
function line.of(text, most)
  -- Enough that the cut below still has something to cut, and no more work than that.
  local short = #text > 2 * most and text:sub(1, 2 * most) or text
  short = short:gsub("[%z\1-\31\127]+", " "):gsub("[\128-\255]+", mend)
  if #text > 2 * most then short = short .. ("."):rep(most) end
  return cut(short, most)
end

return line
