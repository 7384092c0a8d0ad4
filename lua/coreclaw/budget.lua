--- How much may be repeated: one purse for all calls of a client, so that an outage of the platform
--- does not become a storm of ours.
--
-- The numbers and their rules are those of the AWS SDKs' standard retry mode (botocore). Every repeat
-- takes from the purse; a call that succeeds puts back what its last repeat took, or a little if it
-- needed none. When the purse is empty, each call is still made once. Polling is no repeat.

local validate = require "coreclaw.validate"

local CAPACITY, COST, TIMEOUT_COST, REWARD = 500, 5, 10, 1

---@class coreclaw.Budget
---@field capacity number
---@field tokens number
local Budget = { __name = "coreclaw.Budget" }
Budget.__index = Budget

local budget = { CAPACITY = CAPACITY }

---@param capacity number|false|nil  tokens; false = no end of them
---@return coreclaw.Budget
function budget.new(capacity)
  if capacity == false then
    capacity = math.huge
  elseif capacity == nil then
    capacity = CAPACITY
  else
    validate.value("coreclaw.new: retry", "budget", capacity, { type = "integer", min = 0 })
  end
  return setmetatable({ capacity = capacity, tokens = capacity }, Budget)
end

local function cost(err)
  return err.kind == "timeout" and TIMEOUT_COST or COST
end

---Takes what a repeat after this failure costs.
---@param err coreclaw.Error
---@return boolean  false: there is not enough left
function Budget:spend(err)
  if self.tokens < cost(err) then return false end
  self.tokens = self.tokens - cost(err)
  return true
end

---A call has succeeded.
---@param err coreclaw.Error?  the failure that its last repeat came after
function Budget:earn(err)
  if not err and self.tokens >= self.capacity then return end
  self.tokens = math.min(self.capacity, self.tokens + (err and cost(err) or REWARD))
end

return budget
