-- Dice of one trial: from a seed and the trial's number the same throws on every Lua, and no others.
-- Two generators of L'Ecuyer's combined one; everything fits into a double.

local Dice = {}
Dice.__index = Dice

local dice = {}

local M1, A1, M2, A2 = 2147483563, 40014, 2147483399, 40692

---@param seed integer   below 2^31
---@param number integer of the trial
function dice.new(seed, number)
  local self = setmetatable({
    a = (seed % M1 + number * 7919) % (M1 - 1) + 1,
    b = (seed * 31 % M2 + number * 104729) % (M2 - 1) + 1,
  }, Dice)
  for _ = 1, 5 do self:unit() end -- seeds that are neighbours begin like neighbours
  return self
end

---A number from 0 up to, but not 1.
function Dice:unit()
  self.a, self.b = self.a * A1 % M1, self.b * A2 % M2
  return (self.a - self.b) % (M1 - 1) / (M1 - 1)
end

---A whole number of a range.
function Dice:whole(least, most)
  return least + math.floor(self:unit() * (most - least + 1))
end

function Dice:between(least, most)
  return least + self:unit() * (most - least)
end

function Dice:pick(list)
  return list[self:whole(1, #list)]
end

---True with this chance.
function Dice:chance(p)
  return self:unit() < p
end

---One of a list of things with a `weight` (1 unless said).
function Dice:weighted(list)
  local sum = 0
  for _, item in ipairs(list) do sum = sum + (item.weight or 1) end
  local at = self:unit() * sum
  for _, item in ipairs(list) do
    at = at - (item.weight or 1)
    if at < 0 then return item end
  end
  return list[#list]
end

return dice
