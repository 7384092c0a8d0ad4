--- Plans and their places: only `running` runs take one.

local state = require("coreclaw.sandbox.platform.state")

local M = {}

M.PLANS = { free = 2, starter = 5, pro = 10, business = 50 }

function M.places(account)
  return M.PLANS[account.plan]
end

function M.running(account)
  return account.running or 0
end

function M.has_place(account)
  return M.running(account) < M.places(account)
end

--- Takes or gives back one place (+1, -1).
function M.occupy(account, by)
  account.running = M.running(account) + by
  state.most_running = math.max(state.most_running or 0, account.running)
end

return M
