--- Prices as people write them: "$12.50", "1.299,00 €", "1 299 kr", "¥3,200", "CHF 1'050.00".

local M = {}

local SYMBOLS = { ["$"] = "USD", ["€"] = "EUR", ["£"] = "GBP", ["¥"] = "JPY", ["zł"] = "PLN", ["kr"] = "SEK" }

-- No-break spaces and apostrophes group thousands like blanks do.
local function plain(text)
  return (text:gsub("\194\160", " "):gsub("\226\128\175", " "):gsub("\226\128\153", "'"))
end

local function currency_of(text)
  for symbol, code in pairs(SYMBOLS) do
    if text:find(symbol, 1, true) then
      return code
    end
  end
  return text:match("%f[%a](%u%u%u)%f[%A]")
end

-- The last separator counts as the decimal point unless exactly three digits follow it alone.
local function to_number(digits)
  digits = digits:gsub("[ ']", "")
  local whole, point, rest = digits:match("^(.-)([.,])(%d+)$")
  if not whole then
    return tonumber(digits)
  end
  local grouped = #rest == 3 and not (whole:find("[.,]") and not whole:find(point, 1, true))
  if grouped then
    return tonumber((digits:gsub("[.,]", "")))
  end
  return tonumber((whole:gsub("[.,]", "")) .. "." .. rest)
end

---@param text string
---@return number? amount
---@return string? currency three letters, where one can be told
function M.parse(text)
  local simple = plain(text)
  local digits = simple:match("%d[%d .,']*")
  if not digits then
    return nil
  end
  return to_number((digits:gsub("[ .,']+$", ""))), currency_of(simple)
end

return M
