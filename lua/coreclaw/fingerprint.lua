--- Is this page the one before again? A server that does not count as expected is noticed by that.

local fingerprint = {}

-- One row as a text that is equal for equal rows, whatever the order of its keys.
local function digest(value)
  if type(value) ~= "table" then return type(value) .. tostring(value) end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = tostring(k) .. "=" .. digest(v)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

-- What tells a page from the next one: its first and last row, taken before the caller may have
-- changed them. Rows that are all alike prove nothing; then only a long row of such pages does.
local REPEATS_IF_ALIKE = 1000

---@param list table[]  not empty
---@param has_ids boolean  have the rows ids of their own?
function fingerprint.of(list, has_ids)
  local first, last = digest(list[1]), digest(list[#list])
  local proves = first ~= last or has_ids
  return { text = first .. last, size = #list, proves = proves, repeats = 0 }
end

---Is this page the one before again? Counts on where it may be chance.
function fingerprint.repeated(print, previous)
  if not previous or print.text ~= previous.text or print.size ~= previous.size then
    return false
  end
  print.repeats = previous.repeats + 1
  return print.proves or print.repeats >= REPEATS_IF_ALIKE
end

return fingerprint
