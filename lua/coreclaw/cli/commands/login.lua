--- Logging in: a key into the profile file, which nobody else can read.

local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local failure = require "coreclaw.cli.failure"
local interrupt = require "coreclaw.cli.interrupt"
local profile = require "coreclaw.cli.profile"

-- Asks for a line once there is no echo any more, and brings the echo back however it ends, by Ctrl-C too.
local UNSEEN = [[old=$(stty -g); trap 'stty "$old"; echo >&2' EXIT; trap 'exit 130' INT TERM
  stty -echo; printf 'API key (it is not shown): ' >&2; IFS= read -r key; printf %s "$key"]]

-- From a person, else the first line of stdin.
local function ask()
  local file = io.stdin
  if core.terminal(0) then
    core.catch_interrupts(0) -- the echo is back before this program ends
    file = assert(io.popen(UNSEEN))
  end
  local text = file:read "*l" or ""
  if file ~= io.stdin then
    file:close()
    if core.interrupts() > 0 then error(interrupt.WORD, 0) end
    core.catch_interrupts()
  end
  return text:match "^%s*(%S+)%s*$" or failure.usage "login: one key is wanted, on a line of its own"
end

local function login(ctx, options)
  local name = options.profile or "default"
  local settings = profile.named(name)
  local environment = os.getenv "CORECLAW_BASE_URL"
  if environment == "" then environment = nil end
  settings.api_key = options.key_file and profile.key_of_file(options.key_file) or ask()
  -- As for any command: the environment is above a profile that nobody named.
  settings.base_url = options.base_url or options.profile and settings.base_url or environment or settings.base_url
  settings.ca_file, settings.api = options.ca_file or settings.ca_file, options.api or settings.api
  local kept = {}
  for field, value in pairs(settings) do kept[field] = value end
  local account = ctx:check(coreclaw.new(ctx:settings(settings)):account())
  local path = profile.save(name, kept)
  ctx.out:document({}, { profile = name, path = path, balance = account.balance })
  ctx:say("the key is valid (balance %s), and is in profile %s of %s", tostring(account.balance), name, path)
end

return {
  {
    name = "login", summary = "Read a key from stdin, try it, and keep it in the profile file", run = login,
  },
}
