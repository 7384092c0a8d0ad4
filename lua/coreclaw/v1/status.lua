--- The status of a run: numbers in API v1, words here.

local status = {
  words = { "ready", "running", "succeeded", "failed", "aborting" },
  numbers = {},
}
for number, word in ipairs(status.words) do status.numbers[word] = number end

---The word for a status of v1. A number that nobody documented becomes its digits, a word stays.
---@param value any
---@return any
function status.word(value)
  local number = tonumber(value)
  if not number then return value end
  return status.words[number] or string.format("%.14g", number)
end

return status
