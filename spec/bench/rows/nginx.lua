-- In nginx: our client against cosockets, behind 20 ms of a server.
local front = require "spec.bench.front"
local verdict = require "spec.bench.verdict"

-- One nginx for all of it, stopped at the end.
local function front_of(context)
  if not context.front then
    context.front = front.start(context.server, 0)
    context.closing[#context.closing + 1] = function() front.stop(context.front) end
  end
  return context.front
end

local function used(figures)
  return figures.used
end

local function rate(figures)
  return figures.rate
end

local function row(connections)
  local work = ("nginx, %d client connections, 20 ms upstream"):format(connections)
  return {
    id = "nginx-" .. connections, title = work, reference = "cosocket",
    race = function(context)
      local seconds = context.quick and 1 or 2
      return {
        subjects = { "cosocket", "inside" }, unit = "µs of the nginx thread", n = 1, rounds = context.quick and 1 or 3,
        core = 1, warm = function() return 1 end, value = used,
        line = function(name)
          return ("load %s %s %d %d"):format(front_of(context).url, name == "inside" and "coreclaw" or name, connections, seconds)
        end,
      }
    end,
    verdicts = function(entries, _, race)
      return {
        verdict.of_race(race, entries, { work = work, ours = "inside", reference = "cosocket", max = 0.7,
          what = "CPU of the nginx thread per request" }),
        verdict.of_race(race, entries, { work = work, ours = "inside", reference = "cosocket", min = 0.9, what = "requests/s",
          unit = "requests/s", value = rate, more = true }),
      }
    end,
  }
end

return { row(50), row(500) }
