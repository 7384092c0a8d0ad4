--- The sandbox: the whole platform on loopback, to try and to test against without an account.
--
--   local sandbox = assert(require("coreclaw.sandbox").start())
--   local client = coreclaw.new { base_url = sandbox.url, api_key = sandbox.key }
--   ...
--   sandbox:stop()
--
-- It is a real HTTP server (nginx with its Lua module) that keeps state. It never outlives the process that started it.

local launcher = require("coreclaw.sandbox.launcher")
local remote = require("coreclaw.sandbox.remote")

local M = {}

---@class coreclaw.sandbox.Options
---@field port? integer port of the API on 127.0.0.1; 0, the default, picks a free one
---@field key? string the API key; a random one by default
---@field plan? "free"|"starter"|"pro"|"business" how many runs at once (default business, 50)
---@field balance? number|string money in the account (default 100)
---@field accounts? table[] further accounts: { key, name?, plan?, balance?, state? = "expired"|"disabled"|"unknown" }
---@field workers? string folder with Worker files of your own
---@field sync_wait? number longest wait of a sync start, seconds (default 300)
---@field ready_for? number how long a run stays `ready`, seconds (default 0.02)
---@field abort_for? number how long a run stays `aborting` after its work has stopped, seconds (default 0.05)
---@field abort_ends? "failed"|"aborted"|"never" what an aborted run ends in (default failed)
---@field log_format? "objects"|"strings" entries of the run log (default objects)
---@field data? "absent"|"{}"|"null" `data` of answers that have none to give (default absent)
---@field clock? "real"|"virtual" virtual: time stands still except for :advance (default real)
---@field link_lifetime? number seconds that signed links live (default 1800)
---@field callback_variant? "v2"|"v2-early"|"v1" body of callbacks (default: that of the API which started the run)
---@field callback_copies? integer how often each callback is delivered (default 1)
---@field callback_order? "kept"|"reversed" reversed: the end is told first (default kept)
---@field tls? boolean also serve HTTPS and HTTP/2, at tls_url, with a certificate made at start (ca_file)
---@field data_dir? string folder in which tasks, runs and queue survive the end of the sandbox; give a `key` with it
---@field cpath? string where LuaJIT finds coreclaw/core.so, as in package.cpath

local DEFAULTS = {
  port = 0,
  plan = "business",
  balance = 100,
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
  port = "number", key = "string", plan = "string", accounts = "table", workers = "string", sync_wait = "number",
  ready_for = "number", abort_for = "number", abort_ends = "string", log_format = "string", data = "string",
  clock = "string", link_lifetime = "number", cpath = "string", callback_variant = "string",
  callback_copies = "number", callback_order = "string", tls = "boolean", data_dir = "string",
}

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

local function secret(bytes)
  local file = assert(io.open("/dev/urandom", "rb"))
  local text = file:read(bytes)
  file:close()
  return (text:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

local function with_defaults(account, settings)
  return {
    key = account.key,
    name = account.name,
    plan = account.plan or settings.plan,
    balance = tostring(account.balance or settings.balance),
    state = account.state,
  }
end

local function account_list(settings)
  local out = { with_defaults({ key = settings.key, name = "main" }, settings) }
  for _, account in ipairs(settings.accounts or {}) do
    out[#out + 1] = with_defaults(account, settings)
  end
  return out
end

---@class coreclaw.Sandbox
---@field url string base URL of the API
---@field key string API key of the main account
---@field site_url string the small web site for Workers to read
---@field files_url string second origin: exports and logs
---@field hook_url string takes callbacks: answers 204 and records them (origin "hook")
---@field tls_url? string the API over TLS, with HTTP/2 (option tls)
---@field ca_file? string certificate to trust there
---@field refused_url string an address where every connection is refused
---@field secret string opens the control endpoint
---@field pid integer process id of the server
local Sandbox = {}
Sandbox.__index = Sandbox

function Sandbox:__tostring()
  return "coreclaw.sandbox (" .. (self.stopped and "stopped" or self.url) .. ")"
end

--- Starts a sandbox and waits until it answers.
---@param options? coreclaw.sandbox.Options
---@return coreclaw.Sandbox? sandbox
---@return string? message
function M.start(options)
  if options ~= nil and type(options) ~= "table" then
    error("start takes a table of options", 2)
  end
  local message = all_wrong(options or {})
  if message then
    error(message, 2)
  end
  local settings = with_all_defaults(options or {})
  settings.key = settings.key or "sandbox-" .. secret(12)
  settings.secret = secret(16)
  settings.accounts = account_list(settings)
  local server, why = launcher.start(settings)
  if not server then
    return nil, why
  end
  local handle = {
    url = settings.url,
    key = settings.key,
    site_url = settings.url .. "/site/",
    files_url = settings.files_url,
    hook_url = settings.url .. "/hook/",
    tls_url = settings.tls_url,
    ca_file = settings.tls and server.dir .. "/ca.pem" or nil,
    refused_url = server.refused_url,
    secret = settings.secret,
    pid = server.pid,
    dir = server.dir,
    server = server,
  }
  return setmetatable(handle, Sandbox)
end

--- Stops it and waits until nothing of it is left. May be called again.
function Sandbox:stop()
  launcher.stop(self.server)
  self.stopped = true
end

--- Every request since the start or the last reset: method, path, query, headers (key masked), body, operation, status.
---@return table[]
function Sandbox:requests()
  return remote.call(self, "requests")
end

function Sandbox:reset_requests()
  remote.call(self, "reset_requests")
end

--- How many runs were really started; each of them (operation, worker, run_slug, input, intent); and how many for
-- each intent, which is the Worker's path, a blank and the input as it was sent.
---@return integer count
---@return table[] runs
---@return table<string, integer> by_intent
function Sandbox:paid()
  local list, by_intent = remote.call(self, "paid"), {}
  for _, run in ipairs(list) do
    by_intent[run.intent] = (by_intent[run.intent] or 0) + 1
  end
  return #list, list, by_intent
end

--- Makes coming requests go wrong. Which: operation, method, path (a Lua pattern), origin ("api", "site", "files");
-- how often: times, nth, probability with seed (once by default). What: see the list in README.
---@param spec table
---@return integer id
function Sandbox:fault(spec)
  if type(spec) ~= "table" then
    error("fault takes a table", 2)
  end
  return remote.call(self, "fault", spec)
end

--- Every callback that was delivered, or could not be: run_slug, url, run_status, body, status (HTTP) or error.
function Sandbox:callbacks()
  return remote.call(self, "callbacks")
end

--- Every fault with `seen` (requests it concerns) and `hits`.
function Sandbox:faults()
  return remote.call(self, "faults")
end

function Sandbox:clear_faults()
  remote.call(self, "clear_faults")
end

--- Moves the sandbox's time forward; everything that waits in it wakes at its own moment.
---@param seconds number
---@return number now Unix time of the sandbox
function Sandbox:advance(seconds)
  return remote.call(self, "advance", { seconds = seconds })
end

--- Unix time of the sandbox.
function Sandbox:time()
  return remote.call(self, "time")
end

return M
