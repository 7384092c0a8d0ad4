--- The sandbox as a command: lua main.lua --port 8080 --key my-key. Prints url and key, runs until it is interrupted.

-- Run as a file, the tree it lies in is the one to use.
local here = arg and arg[0] and arg[0]:match("^(.*)/coreclaw/sandbox/main%.lua$")
if here then
  package.path = here .. "/?.lua;" .. here .. "/?/init.lua;" .. package.path
end

local option_rules = require("coreclaw.sandbox.options")

local HELP = [[
usage: lua main.lua [options]

  --port N          port of the API on 127.0.0.1 (default: a free one)
  --key TEXT        API key (default: a random one)
  --workers DIR     folder with Worker files of your own
  --data-dir DIR    keep tasks, runs and queue there
  --tls true        also serve HTTPS and HTTP/2
  --plan NAME       free, starter, pro or business
  --balance AMOUNT  money in the account
  --sync-wait S     longest wait of a sync start
  --ready-for S     how long a run stays ready
  --abort-ends WORD failed, aborted or never
  --log-format WORD objects or strings
  --data WORD       absent, {} or null
  --clock WORD      real or virtual

and every other option of coreclaw.sandbox.start, with - for _. Faults, time and the record of requests are at
POST url/_sandbox/<fault|faults|clear_faults|requests|reset_requests|paid|callbacks|advance|time>, JSON both ways,
with the header "sandbox-secret: …" as printed.
]]

local function value_of(name, text)
  local kind = option_rules.type_of(name)
  if kind == "number" then
    return tonumber(text) or text
  elseif kind == "boolean" then
    return text == "true"
  end
  return text
end

local function options_from(words)
  local out, i = {}, 1
  while words[i] do
    local name = words[i]:match("^%-%-([%a-]+)$")
    if not name or name == "help" or not words[i + 1] then
      return nil
    end
    name = name:gsub("-", "_")
    if words[i + 1] ~= "" then
      out[name] = value_of(name, words[i + 1])
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
  if sandbox.tls_url then
    io.stdout:write("tls: ", sandbox.tls_url, "\nca: ", sandbox.ca_file, "\n")
  end
  io.stdout:flush()
  pcall(wait, sandbox.pid)
  sandbox:stop()
end

main(arg)
