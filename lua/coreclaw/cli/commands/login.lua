--- Logging in: a key into the profile file, which nobody else can read.

local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local failure = require "coreclaw.cli.failure"
local profile = require "coreclaw.cli.profile"

-- Reads a line without an echo, and brings the echo back however it ends, by Ctrl-C too.
local UNSEEN = [[old=$(stty -g); trap 'stty "$old"; echo >&2' EXIT; trap 'exit 130' INT TERM
  stty -echo; IFS= read -r key; printf %s "$key"]]

-- From a person, else the first line of stdin.
local function ask()
  local file = io.stdin
  if core.terminal(0) then
    io.stderr:write "API key (it is not shown): "
    file = assert(io.popen(UNSEEN))
  end
  local text = file:read "*l" or ""
  if file ~= io.stdin then file:close() end
  return text:match "^%s*(%S+)%s*$" or failure.usage "login: one key is wanted, on a line of its own"
end

local function login(ctx, options)
  local name = options.profile or "default"
  local key = ask()
  local base_url = options.base_url or os.getenv "CORECLAW_BASE_URL"
  local client = coreclaw.new { api_key = key, base_url = base_url, ca_file = options.ca_file }
  local account = ctx:check(client:account())
  local path = profile.save(name, { api_key = key, base_url = base_url, ca_file = options.ca_file })
  ctx:say("the key is valid (balance %s), and is in profile %s of %s", tostring(account.balance), name, path)
end

return {
  {
    name = "login", summary = "Read a key from stdin, try it, and keep it in the profile file", run = login,
  },
}
