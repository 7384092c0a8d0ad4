--- Is this page the one before again? A server that does not count as expected is noticed by that.

local fingerprint = {}

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for k, v in pairs(value) do out[k] = copy(v) end
  return out
end

-- Most rows differ in the first field that is looked at.
local function equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in pairs(a) do if not equal(v, b[k]) then return false end end
  for k in pairs(b) do if a[k] == nil then return false end end
  return true
end

-- What tells a page from the next one: its first and last row, or their ids, taken before the caller may
-- have changed them. Rows that are all alike prove nothing; then only a long row of such pages does.
local REPEATS_IF_ALIKE = 1000

---@param list table[]  not empty
---@param id_of fun(row: table): any  a row's own id, nil if it has none
function fingerprint.of(list, id_of)
  local first, last = list[1], list[#list]
  local id = id_of(first)
  if id ~= nil then return { first = id, last = id_of(last), size = #list, proves = true, repeats = 0 } end
  return { first = copy(first), last = copy(last), size = #list, proves = not equal(first, last), repeats = 0 }
end

---Is this page the one before again? Counts on where it may be chance.
function fingerprint.repeated(print, previous)
  if not previous or print.size ~= previous.size or not equal(print.first, previous.first)
    or not equal(print.last, previous.last) then
    return false
  end
  print.repeats = previous.repeats + 1
  return print.proves or print.repeats >= REPEATS_IF_ALIKE
end

return fingerprint
