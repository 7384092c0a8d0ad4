--- What `start` takes: defaults, checks, and the list of accounts that comes out of it.

local M = {}

local DEFAULTS = {
  port = 0,
  plan = "business",
  balance = 100,
  traffic = 98765432101,
  sync_wait = 300,
  ready_for = 0.02,
  abort_for = 0.05,
  abort_ends = "failed",
  log_format = "objects",
  data = "absent",
  clock = "real",
  callback_copies = 1,
  callback_order = "kept",
}

local TYPES = {
  port = "number", key = "string", plan = "string", traffic = "number", accounts = "table", workers = "string",
  sync_wait = "number", ready_for = "number", abort_for = "number", abort_ends = "string", log_format = "string",
  data = "string", clock = "string", link_lifetime = "number", cpath = "string", callback_variant = "string",
  callback_copies = "number", callback_order = "string", tls = "boolean", data_dir = "string",
}

local ACCOUNT = { key = true, name = true, plan = true, balance = true, traffic = true, state = true }
local STATES = { expired = true, disabled = true, unknown = true }

local WORDS = {
  plan = { "free", "starter", "pro", "business" },
  abort_ends = { "failed", "aborted", "never" },
  log_format = { "objects", "strings" },
  data = { "absent", "{}", "null" },
  clock = { "real", "virtual" },
  callback_variant = { "v2", "v2-early", "v1" },
  callback_order = { "kept", "reversed" },
}

local function wrong_word(name, value)
  for _, word in ipairs(WORDS[name]) do
    if word == value then
      return nil
    end
  end
  return ('option "%s" must be one of %s, not "%s"'):format(name, table.concat(WORDS[name], ", "), value)
end

-- What is wrong with an option, or nil.
local function wrong(name, value)
  if name == "balance" then
    local amount = tonumber(value)
    return not (amount and amount >= 0) and 'option "balance" must be an amount of money' or nil
  elseif not TYPES[name] then
    return 'unknown option "' .. tostring(name) .. '"'
  elseif type(value) ~= TYPES[name] then
    return ('option "%s" must be a %s, not a %s'):format(name, TYPES[name], type(value))
  elseif WORDS[name] then
    return wrong_word(name, value)
  elseif type(value) == "number" and value < 0 then
    return ('option "%s" must not be negative'):format(name)
  elseif name == "port" and (value % 1 ~= 0 or value > 65535) then
    return 'option "port" must be an integer from 0 to 65535'
  end
  return nil
end

local function wrong_account(account)
  if type(account) ~= "table" or type(account.key) ~= "string" then
    return 'option "accounts" is a list of tables with a key'
  elseif account.state and not STATES[account.state] then
    return "the state of an account is expired, disabled or unknown"
  end
  for name, value in pairs(account) do
    if not ACCOUNT[name] then
      return 'unknown field "' .. tostring(name) .. '" of an account'
    end
    local message = (name == "plan" or name == "balance" or name == "traffic") and wrong(name, value)
    if message then
      return message
    end
  end
  return nil
end

local function all_wrong(options)
  for name, value in pairs(options) do
    local message = wrong(name, value)
    if message then
      return message
    end
  end
  for _, account in ipairs(options.accounts or {}) do
    local message = wrong_account(account)
    if message then
      return message
    end
  end
  return nil
end

local function with_all_defaults(options)
  local settings = {}
  for name, value in pairs(DEFAULTS) do
    settings[name] = value
  end
  for name, value in pairs(options) do
    settings[name] = value
  end
  return settings
end

--- What is wrong with these options, as a sentence; nil when nothing is.
M.complaint = all_wrong

--- The options with everything filled in that was left out.
M.complete = with_all_defaults

local function with_defaults(account, settings)
  return {
    key = account.key,
    name = account.name,
    plan = account.plan or settings.plan,
    balance = tostring(account.balance or settings.balance),
    traffic = account.traffic or settings.traffic,
    state = account.state,
  }
end

local function account_list(settings)
  local out = { with_defaults({ key = settings.key, name = "main" }, settings) }
  for i, account in ipairs(settings.accounts or {}) do
    out[i + 1] = with_defaults(account, settings)
    out[i + 1].name = account.name or "account " .. i
  end
  return out
end

--- The accounts that these settings ask for, the main one first.
M.accounts = account_list

--- The type of an option, by its name; nil for a stranger.
function M.type_of(name)
  return name == "balance" and "number" or TYPES[name]
end

return M
