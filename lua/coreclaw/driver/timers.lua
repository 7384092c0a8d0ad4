--- Moments at which something is to be called: a binary heap, for there may be thousands of sleepers.

---@class coreclaw.Timers
local Timers = {}
Timers.__index = Timers

local timers = {}

---@return coreclaw.Timers
function timers.new()
  return setmetatable({}, Timers)
end

local function rise(heap, i)
  while i > 1 do
    local parent = math.floor(i / 2)
    if heap[parent].at <= heap[i].at then return end
    heap[parent], heap[i] = heap[i], heap[parent]
    i = parent
  end
end

local function sink(heap, i)
  while true do
    local least, left = i, i * 2
    if heap[left] and heap[left].at < heap[least].at then least = left end
    if heap[left + 1] and heap[left + 1].at < heap[least].at then least = left + 1 end
    if least == i then return end
    heap[least], heap[i] = heap[i], heap[least]
    i = least
  end
end

---@param at number    of core.now
---@param call function
---@return table entry  `entry.call = nil` takes it back
function Timers:add(at, call)
  local entry = { at = at, call = call }
  self[#self + 1] = entry
  rise(self, #self)
  return entry
end

local function pop(heap)
  local first, last = heap[1], table.remove(heap)
  if first ~= last then
    heap[1] = last
    sink(heap, 1)
  end
  return first
end

---When the next one is due; math.huge if there is none.
---@return number
function Timers:due()
  while self[1] and not self[1].call do pop(self) end
  return self[1] and self[1].at or math.huge
end

---Calls what is due.
---@param now number
function Timers:fire(now)
  while self:due() <= now do
    local call = pop(self).call
    call()
  end
end

return timers
