--- The account behind the key.

local encode = require("coreclaw.sandbox.encode")
local money = require("coreclaw.sandbox.platform.money")
local reply = require("coreclaw.sandbox.reply")

local M = {}

function M.show(request)
  local account = request.account
  return reply.ok(request, encode.fields("balance", money.balance_text(account.balance), "balance_expiration_at",
    account.expires_at))
end

return M
