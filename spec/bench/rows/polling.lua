-- 200 runs waited for in one process: how many requests does that take?
local shell = require "spec.bench.shell"
local verdict = require "spec.bench.verdict"

local WORK = "polling 200 runs to their end"

local function fetch(context, path)
  return shell.read("curl -s '" .. context.server.url .. path .. "'")
end

local function race()
  return {
    subjects = { "each54", "wait54", "waitjit", "map54", "mapjit" }, unit = "requests", n = 200, rounds = 1,
    warm = function() return 1 end,
    line = function(name, n) return ("%s %d"):format(name:gsub("54$", ""):gsub("jit$", ""), n) end,
    before = function(of) fetch(of, "/polled?seconds=" .. (of.quick and 2 or 4)) end,
    after = function(of, figures) figures.polls = tonumber(fetch(of, "/counts"):match "polls=(%d+)") end,
    value = function(figures) return figures.polls end,
  }
end

local function verdicts(entries, _, of)
  local out = {}
  for i, ours in ipairs { "wait54", "waitjit", "map54", "mapjit" } do
    out[i] = verdict.of_race(of, entries, { work = WORK, ours = ours, reference = "each54", what = "requests", max = 0.02 })
  end
  return out
end

return { { id = "polling", title = WORK, reference = "each54", race = race, verdicts = verdicts } }
