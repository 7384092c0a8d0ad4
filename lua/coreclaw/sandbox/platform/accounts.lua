--- Accounts and their keys.

local limits = require("coreclaw.sandbox.platform.limits")
local money = require("coreclaw.sandbox.platform.money")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

--- Adds an account: key, name?, plan?, balance?, state? ("expired", "disabled", "unknown").
function M.add(spec)
  if not limits.PLANS[spec.plan] then
    error("unknown plan: " .. tostring(spec.plan), 0)
  end
  state.accounts[spec.key] = {
    key = spec.key,
    name = spec.name or "main",
    plan = spec.plan,
    balance = money.micros(spec.balance),
    expires_at = spec.expires_at or 1924992000,
    traffic = spec.traffic,
    state = spec.state,
    running = 0,
    in_line = {},
  }
end

function M.load(list)
  for _, spec in ipairs(list) do
    M.add(spec)
  end
end

return M
