--- When may a failed call be sent again, and after how long? One small pure policy.
--
-- The class of the operation decides, not the HTTP verb (v1 reads are POSTs):
--   read   whatever may pass: transport faults, 408, 425, 429, 5xx, the codes that say "later"
--   write  the same twice is the same once: at most two more tries
--   paid   a start costs money and there is no idempotency key: only when nothing was sent, or
--          when the platform itself said "too many requests" in its own envelope
--   last   a moving target: never

local budget = require "coreclaw.budget"
local core = require "coreclaw.core"
local stats = require "coreclaw.stats"
local validate = require "coreclaw.validate"

local retry = {}

local OPTIONS = {
  attempts = { type = "integer", min = 1, default = 5 },
  base = { type = "seconds", default = 0.5 },
  cap = { type = "seconds", default = 20 },
  throttle_base = { type = "seconds", default = 2 },
  throttle_cap = { type = "seconds", default = 60 },
  max_wait = { type = "seconds", default = 3600 },
  random = { type = "callable" },
  budget = { type = "any" }, -- see budget.lua
}

local WRITE_ATTEMPTS = 3

-- What no policy may repeat: it could be done, and paid for, twice.
local function is_safe(class, err)
  if class == "last" then return false end
  return class ~= "paid" or err.sent == "no" or err.sent == "refused"
end

local function may_repeat(class, err, attempt, attempts)
  if attempt >= attempts then return false end
  if class == "read" then return err.retryable end
  if class == "write" then return err.retryable and attempt < WRITE_ATTEMPTS end
  if class == "paid" then
    return err.retryable and (err.sent == "no"
      or (err.sent == "refused" and err.kind == "rate_limited"))
  end
  return false
end

-- Full jitter: a crowd that failed together must not come back together.
local function backoff(options, random, err, attempt)
  local factor = 2 ^ (attempt - 1)
  if err.kind == "rate_limited" then
    local wait = math.min(options.throttle_cap, options.throttle_base * factor)
    return math.max(err.retry_after or 0, wait * (0.5 + random() / 2))
  end
  local wait = random() * math.min(options.cap, options.base * factor)
  return math.max(err.retry_after or 0, wait)
end

---The purse of a client. Where nothing is repeated, or the caller's own function decides, it has no end.
---@param setting any  of coreclaw.new
---@return coreclaw.Budget
function retry.budget(setting)
  if type(setting) == "table" then return budget.new(setting.budget) end
  return budget.new(type(setting) ~= "function" and setting ~= false and budget.CAPACITY)
end

---Shall this be sent again? Takes from the client's budget if so.
---@param client table
---@param err coreclaw.Error  gets `budget_spent` where only the budget is against it
---@param class string
---@param attempt integer
---@param rest number         seconds left of the call
---@return number? seconds to wait
function retry.again(client, err, class, attempt, rest)
  local delay = err.kind ~= "cancelled" and client.retry(err, class, attempt)
  if not delay or delay >= rest then return nil end
  if not client.budget:spend(err) then
    err.budget_spent = true
    return nil
  end
  stats.repeated(client, delay)
  return delay
end

---The client's source of random numbers, from 0 to 1.
---@param setting any  of coreclaw.new
---@return fun(): number
function retry.random(setting)
  return type(setting) == "table" and setting.random or core.random
end

---Makes the policy of a client.
---@param setting boolean|table|function|nil  false: never; table: numbers; function: your own
---@return fun(err: coreclaw.Error, class: string, attempt: integer): number? seconds to wait, or nil
function retry.policy(setting)
  if setting == false then
    return function() return nil end
  elseif type(setting) == "function" then
    return function(err, class, attempt)
      local delay = is_safe(class, err) and setting(err, class, attempt) or nil
      if delay then
        validate.value("coreclaw.new: retry", "what the function returns", delay, { type = "seconds" })
      end
      return delay
    end
  elseif setting ~= nil and setting ~= true and type(setting) ~= "table" then
    validate.fail("coreclaw.new: retry must be false, a table or a function, got "
      .. validate.show(setting))
  end
  local options = validate.options("coreclaw.new: retry", setting ~= true and setting or nil, OPTIONS)
  local random = retry.random(options)
  return function(err, class, attempt)
    if not may_repeat(class, err, attempt, options.attempts) then return nil end
    local delay = backoff(options, random, err, attempt)
    -- Without a deadline nothing else ends a call whose server says "come back in a thousand years".
    return delay <= options.max_wait and delay or nil
  end
end

return retry
