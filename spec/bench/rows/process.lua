-- What a process costs: to start, to download, to connect.
local shell = require "spec.bench.shell"
local verdict = require "spec.bench.verdict"

local OURS = { "ours54", "oursjit" }

local function milliseconds(figures, n)
  return figures.seconds / n * 1000
end

-- ---- starting -----------------------------------------------------------------------------------

local START = "starting: process with `require \"coreclaw\"`, client made, one call"

-- What the small program that starts the others is to run.
local function start_command(context, name)
  local url = context.server.url .. "/tiny"
  return ({
    start = "build/bench/once " .. url,
    start54 = "lua5.4 spec/bench/clients/once.lua", startjit = "luajit spec/bench/clients/once.lua",
    startcurl = "curl -sS -o /dev/null " .. url,
    startpython = "/usr/bin/python3 spec/bench/clients/once.py", startnode = "node spec/bench/clients/once.mjs",
  })[name]
end

local function start(context)
  return {
    subjects = { "start", "start54", "startjit", "startcurl", "startpython", "startnode" }, unit = "ms", timed = true,
    rounds = context.quick and 2 or 7, turn = context.quick and 0.02 or 0.3, least = 1, value = milliseconds,
    core = context.server.core, warm = function() return 1 end,
    line = function(name, n) return ("run %d %s"):format(n, start_command(context, name)) end,
  }
end

local function start_verdicts(entries, _, race)
  local out = {}
  for i, ours in ipairs { "start54", "startjit" } do
    out[i] = verdict.of_race(race, entries, { work = START, ours = ours, reference = "start", max = 1.3 })
  end
  return out
end

-- ---- a file -------------------------------------------------------------------------------------

local FILE = "512 MB download to a file"

local function download(context)
  local folder = shell.read "mktemp -d"
  context.closing[#context.closing + 1] = function() shell.run("rm -rf '" .. folder .. "'") end
  return {
    subjects = { "curl", "ours54", "oursjit", "synced54" }, unit = "s", timed = true, n = 1, rounds = context.quick and 1 or 2,
    before = function() shell.run "sync" end, -- or who comes next waits for the disk
    warm = function() return 1 end, value = function(figures) return figures.seconds end,
    line = function(name)
      local path = folder .. "/" .. name .. ".csv"
      if name == "curl" then return ("run 1 curl -sS -o %s %s/big.csv"):format(path, context.server.url) end
      return ("download %s %s"):format(path, name == "synced54" and "sync" or "unsynced")
    end,
  }
end

local function download_verdicts(entries, _, race)
  local out = {}
  for _, ours in ipairs(OURS) do
    local entry = entries[ours]
    out[#out + 1] = verdict.of_race(race, entries, { work = FILE, ours = ours, reference = "curl", max = 1.0 })
    out[#out + 1] = verdict.of_value { work = FILE, ours = entry.title, what = "peak RSS", max = 13, unit = "MB",
      value = entry.stats and entry.rss / 1024, absent = entry.absent }
  end
  return out
end

-- ---- TLS ----------------------------------------------------------------------------------------

local TLS = "a new verified TLS connection"

local MODES = { tls = "bundle", tlsdefault = "default", tlsnone = "none" }

local function connect(context)
  return {
    subjects = { "tlsnone", "tlsdefault", "tls", "tlsnone54", "tls54", "tlsnonejit", "tlsjit" }, unit = "ms of CPU",
    rounds = context.quick and 1 or 3, n = context.quick and 10 or 60, core = context.server.core, warm = function() return 5 end,
    value = function(figures, n) return figures.cpu / n * 1000 end,
    line = function(name, n)
      return ("connect %d %s"):format(n, MODES[name] or name:find "none" and "none" or "verified")
    end,
  }
end

local function connect_verdicts(entries, _, race)
  local out = {}
  for ours, reference in pairs { tls54 = "tlsnone54", tlsjit = "tlsnonejit" } do
    out[#out + 1] = verdict.of_race(race, entries, { work = TLS, ours = ours, reference = reference, what = "CPU", max = 1.7 })
  end
  table.sort(out, function(a, b) return a.ours < b.ours end)
  return out
end

return {
  { id = "download", title = FILE, reference = "curl", race = download, verdicts = download_verdicts },
  { id = "start", title = START, reference = "start", race = start, verdicts = start_verdicts },
  { id = "tls", title = TLS, reference = "tlsnone", race = connect, verdicts = connect_verdicts },
}
