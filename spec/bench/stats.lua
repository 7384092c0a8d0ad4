-- Figures of rounds: what stands in the middle, the best and the worst, and ratios round by round.
local M = {}

---The value in the middle.
function M.median(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local half = #sorted / 2
  if #sorted % 2 == 1 then return sorted[math.ceil(half)] end
  return (sorted[half] + sorted[half + 1]) / 2
end

---@return table { median, min, max }
function M.of(values)
  local low, high = math.huge, -math.huge
  for _, value in ipairs(values) do low, high = math.min(low, value), math.max(high, value) end
  return { median = M.median(values), min = low, max = high }
end

---Ours ÷ reference, round by round; `best` is that of the best rounds of both. `more`: more is better.
---@return table { median, min, max, best }
function M.ratio(ours, reference, more)
  local ratios = {}
  for i = 1, math.min(#ours, #reference) do ratios[i] = ours[i] / reference[i] end
  local out, a, b = M.of(ratios), M.of(ours), M.of(reference)
  out.best = more and a.max / b.max or a.min / b.min
  return out
end

return M
