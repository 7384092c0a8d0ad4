--- What nobody may see: keys and passwords. The bytes live in C (`coreclaw.secret`), no Lua string
--- of ours holds them, and they are zeroed when the client is closed or collected.
--
-- What is masked: the secret as it is, with any of its characters percent-encoded (once or twice) or
-- escaped as in JSON. What is not: other codings (base64, HTML entities), other letter case, pieces.

local core = require "coreclaw.core"

local secret = {}

-- Of this process, as long as they live. What is shorter would be found in any text.
local live = setmetatable({}, { __mode = "k" })
local SHORT = 8

---A secret that knows these bytes.
---@param text string
---@return coreclaw.Secret  userdata: mask(text), is_open(), is_key(), close()
function secret.new(text)
  local made = core.secret(text)
  if #text >= SHORT then live[made] = true end
  return made
end

---The secret in an environment variable; nil if it is not set or empty.
---@param name string
---@return coreclaw.Secret?
function secret.of_environment(name)
  local made = core.secret_of(name)
  if made and made:length() >= SHORT then live[made] = true end
  return made
end

---A text without a secret; without any of this process if none is named.
---@param text string
---@param one coreclaw.Secret?
---@return string
function secret.mask(text, one)
  if one then return one:mask(text) end
  for each in pairs(live) do text = each:mask(text) end
  return text
end

return secret
