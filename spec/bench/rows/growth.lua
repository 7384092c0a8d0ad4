-- Costs that must not grow with use: the last ones of very many, against the first thousand.
local verdict = require "spec.bench.verdict"

-- Two millions would take the time of others.
local SHARE = { ours54 = 0.2, oursjit = 1 }

local function row(id, what, all, window, line)
  local function title_of(share) return ("growth: %s, the last of %d against the first"):format(what, all * share) end
  local title = title_of(1)
  return {
    id = "growth-" .. id, title = title, reference = "oursjit",
    race = function(context)
      local n, size = context.quick and all / 500 or all, context.quick and window / 10 or window
      return {
        subjects = { "ours54", "oursjit" }, unit = "µs", rounds = 1, n = n, core = context.server.core, warm = function() return 0 end,
        line = function(name, count)
          return ("growth %s %d %d%s"):format(line, math.max(10, count * SHARE[name]), size, id == "requests" and " /tiny" or "")
        end,
        value = function(figures) return figures.last end,
      }
    end,
    verdicts = function(entries)
      local out = {}
      for _, ours in ipairs { "ours54", "oursjit" } do
        local entry = entries[ours]
        local figures, work = entry.figures[1] or {}, title_of(SHARE[ours])
        out[#out + 1] = verdict.of_value { work = work, ours = entry.title, what = "of the first ones' time", max = 1.05,
          unit = "times", value = figures.last and figures.last / figures.first, absent = entry.absent }
        out[#out + 1] = verdict.of_value { work = work .. ": memory", ours = entry.title, what = "more than after a tenth",
          max = 1, unit = "MB", value = figures.late and math.max(0, figures.late - figures.early) / 1024,
          absent = entry.absent }
      end
      return out
    end,
  }
end

return {
  row("requests", "requests in one process", 1000000, 1000, "get"),
  row("tasks", "tasks spawned over time", 100000, 1000, "spawned"),
  row("clients", "clients made and closed", 10000, 200, "clients"),
}
