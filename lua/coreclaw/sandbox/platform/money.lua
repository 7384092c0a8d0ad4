--- What runs cost. All sums are whole micro-dollars; strings with four decimals leave the house.

local M = {}

-- Made up, but in the range of what small runs cost.
local START, PER_SECOND, PER_ROW = 1000, 200, 10

---@param seconds number how long the run has been running
---@param rows integer
---@param cpus number
---@return integer micros
function M.usage(seconds, rows, cpus)
  return math.floor(START + PER_SECOND * seconds * (cpus / 0.125) + PER_ROW * rows)
end

--- 13400 → "0.0134"
function M.text(micros)
  if micros == 0 then
    return "0"
  end
  return string.format("%.4f", math.floor(micros / 100) / 10000)
end

function M.balance_text(micros)
  return string.format("%.4f", math.floor(micros / 100) / 10000)
end

--- "12.5" or 12.5 → 12500000
function M.micros(amount)
  return math.floor(tonumber(amount) * 1000000 + 0.5)
end

function M.charge(account, micros)
  account.balance = math.max(0, account.balance - micros)
end

return M
