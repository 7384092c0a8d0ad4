--- What came lately, in bounded memory. Two generations: when the younger is full, the older is
--- forgotten. So the last `size` keys at least are known, and twice as many at most.

local Recent = { __name = "coreclaw.recent" }
Recent.__index = Recent

local recent = {}

---@param size integer
function recent.new(size)
  return setmetatable({ size = size, count = 0, young = {}, old = {} }, Recent)
end

---Has this key come lately?
---@return boolean
function Recent:has(key)
  return self.young[key] == true or self.old[key] == true
end

---Remembers a key.
---@return boolean  was it new?
function Recent:add(key)
  if self:has(key) then return false end
  if self.count >= self.size then
    self.young, self.old, self.count = {}, self.young, 0
  end
  self.young[key], self.count = true, self.count + 1
  return true
end

return recent
