--- Log entries that are new, each once, from excerpts that grow, slide or jump.
--
-- Entries have no id. One with a time is known by all it says, and by how often one excerpt has
-- said it: two equal lines of the same millisecond are two. A line without a time is known by its
-- place among the others: what two excerpts have in common, in the same order, is old.

local tail = {}

-- How many entries with a time are remembered at least, in two generations.
local REMEMBERED = 10000

-- Largest table of the comparison by order; beyond it, equal lines are only counted.
local MOST_CELLS = 250000

local function key(entry)
  return table.concat({
    entry.time and string.format("%.3f", entry.time) or "", entry.level or "", entry.group or "", entry.text,
  }, "\0")
end

-- How often a key was seen at most in one excerpt.
local function memory(size)
  local young, old, count = {}, {}, 0
  return {
    get = function(k) return young[k] or old[k] or 0 end,
    set = function(k, times)
      if young[k] == nil then
        if count >= size then young, old, count = {}, young, 0 end
        count = count + 1
      end
      young[k] = times
    end,
  }
end

-- Lengths of the longest common subsequences of what stands from i and from j on.
local function lengths(a, b)
  local rows = { [#a + 1] = {} }
  for i = #a, 1, -1 do
    local row, below = {}, rows[i + 1]
    for j = #b, 1, -1 do
      if a[i] == b[j] then
        row[j] = (below[j + 1] or 0) + 1
      else
        row[j] = math.max(below[j] or 0, row[j + 1] or 0)
      end
    end
    rows[i] = row
  end
  return rows
end

-- Which of b's lines are old, as a set of places: those of the longest common subsequence.
local function by_order(a, b)
  local rows, old = lengths(a, b), {}
  local i, j = 1, 1
  while i <= #a and j <= #b do
    if a[i] == b[j] then
      old[j], i, j = true, i + 1, j + 1
    elseif (rows[i + 1][j] or 0) >= (rows[i][j + 1] or 0) then
      i = i + 1
    else
      j = j + 1
    end
  end
  return old
end

local function by_number(a, b)
  local left, old = {}, {}
  for _, line in ipairs(a) do left[line] = (left[line] or 0) + 1 end
  for j, line in ipairs(b) do
    if (left[line] or 0) > 0 then old[j], left[line] = true, left[line] - 1 end
  end
  return old
end

-- Most excerpts only grow at the end: the common beginning needs no table.
local function common_start(a, b)
  local n = 0
  while n < #a and n < #b and a[n + 1] == b[n + 1] do n = n + 1 end
  return n
end

local function old_lines(a, b)
  local same = common_start(a, b)
  if same == #a then
    local old = {}
    for j = 1, same do old[j] = true end
    return old
  end
  return #a * #b <= MOST_CELLS and by_order(a, b) or by_number(a, b)
end

local function is_timed(entry)
  return entry.time ~= nil
end

-- New ones among the entries with a time.
local function timed(seen, entries, keys, fresh)
  local times = {}
  for i, entry in ipairs(entries) do
    if is_timed(entry) then
      local k = keys[i]
      times[k] = (times[k] or 0) + 1
      if times[k] > seen.get(k) then
        fresh[i] = true
        seen.set(k, times[k])
      end
    end
  end
end

---A function that takes one excerpt after the other and returns what is new in it, in its order.
---@return fun(entries: coreclaw.LogEntry[]): coreclaw.LogEntry[]
function tail.new()
  local seen, before = memory(REMEMBERED), {}
  return function(entries)
    local keys, fresh, lines, places = {}, {}, {}, {}
    for i, entry in ipairs(entries) do
      keys[i] = key(entry)
      if not is_timed(entry) then lines[#lines + 1], places[#places + 1] = keys[i], i end
    end
    timed(seen, entries, keys, fresh)
    local old = old_lines(before, lines)
    for j, i in ipairs(places) do fresh[i] = not old[j] end
    -- An empty excerpt says nothing; what was seen stays seen.
    if #lines > 0 then before = lines end
    local out = {}
    for i, entry in ipairs(entries) do
      if fresh[i] then out[#out + 1] = entry end
    end
    return out
  end
end

return tail
