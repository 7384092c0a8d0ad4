--- Values as a table shows them: on one line, nothing that a terminal would obey, of a known width.

local json = require "coreclaw.json"
local line = require "coreclaw.line"

local cell = {}

local LONGEST = 2 ^ 20 -- bytes

-- Chinese, Japanese, Korean and emoji take two columns; marks that combine take none.
local function width_of(char)
  local lead = char:byte()
  if lead < 0xCC then return 1 end
  if char:find "^\204[\128-\191]" or char:find "^\205[\128-\175]" then return 0 end
  if char:find "^[\227-\237]" or char:find "^\240\159" or char:find "^\239[\188\189]" then return 2 end
  return 1
end

---A value as text, as long as it is.
---@param value any
---@return string
function cell.text(value)
  if value == nil or value == json.null then return "" end
  if type(value) == "table" then value = json.encode(value) end
  if type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53 then value = ("%.0f"):format(value) end
  return line.of(tostring(value), LONGEST)
end

---The columns that a text takes, and as much of it as fits into `most`.
---@param text string
---@param most integer?
---@return integer width
---@return string text
function cell.measure(text, most)
  if not text:find "[\128-\255]" then
    if most and #text > most then return most, most > 1 and text:sub(1, most - 1) .. "…" or text:sub(1, most) end
    return #text, text
  end
  local out, width = {}, 0
  for char in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    local wide = width_of(char)
    if most and width + wide > most then
      -- The sign for "more" needs a column.
      while width > most - 1 and #out > 0 do width = width - width_of(table.remove(out)) end
      return width + 1, table.concat(out) .. "…"
    end
    out[#out + 1], width = char, width + wide
  end
  return width, text
end

---A text padded with spaces, or cut, to exactly so many columns.
---@param text string
---@param width integer
---@return string
function cell.fit(text, width)
  local used, shown = cell.measure(text, width)
  return shown .. (" "):rep(width - used)
end

return cell
