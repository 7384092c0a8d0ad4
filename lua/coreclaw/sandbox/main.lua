--- The sandbox as a command: lua main.lua --port 8080 --key my-key. Prints url and key, runs until it is interrupted.

-- Run as a file, the tree it lies in is the one to use.
local here = arg and arg[0] and arg[0]:match("^(.*)/coreclaw/sandbox/main%.lua$")
if here then
  package.path = here .. "/?.lua;" .. here .. "/?/init.lua;" .. package.path
end

local HELP = [[
usage: lua main.lua [options]

  --port N          port of the API on 127.0.0.1 (default: a free one)
  --key TEXT        API key (default: a random one)
  --workers DIR     folder with Worker files of your own
  --plan NAME       free, starter, pro or business
  --balance AMOUNT  money in the account
  --sync-wait S     longest wait of a sync start
  --ready-for S     how long a run stays ready
  --abort-ends WORD failed, aborted or never
  --log-format WORD objects or strings
  --data WORD       absent, {} or null
  --clock WORD      real or virtual
]]

local NUMBERS = { port = true, sync_wait = true, ready_for = true }

local function options_from(words)
  local out, i = {}, 1
  while words[i] do
    local name = words[i]:match("^%-%-([%a-]+)$")
    if not name or name == "help" or not words[i + 1] then
      return nil
    end
    name = name:gsub("-", "_")
    local value = words[i + 1]
    if value ~= "" then
      out[name] = NUMBERS[name] and tonumber(value) or value
    end
    i = i + 2
  end
  return out
end

-- A second at a time, so that an interrupt which reached only this process is noticed too.
local function wait(pid)
  local alive
  repeat
    local pipe = io.popen("sleep 1; kill -0 " .. pid .. " 2>/dev/null && echo alive", "r")
    alive = pipe:read("*a")
    pipe:close()
  until alive == ""
end

local function main(words)
  local options = options_from(words)
  if not options then
    io.stderr:write(HELP)
    os.exit(2)
  end
  local ok, sandbox, message = pcall(require("coreclaw.sandbox").start, options)
  if not ok or not sandbox then
    io.stderr:write(tostring(not ok and sandbox or message), "\n")
    os.exit(1)
  end
  io.stdout:write("url: ", sandbox.url, "\nkey: ", sandbox.key, "\n")
  io.stdout:write("site: ", sandbox.site_url, "\nfiles: ", sandbox.files_url, "\nsecret: ", sandbox.secret, "\n")
  io.stdout:flush()
  pcall(wait, sandbox.pid)
  sandbox:stop()
end

main(arg)
