-- One request after the other on a connection that stays open.
local verdict = require "spec.bench.verdict"

local GET = { "raw", "ours54", "oursjit", "luacurl", "luasocket", "luasocketjit", "luahttp", "curl", "fetch", "undici",
  "requests", "urllib3" }
-- (To warm fetch up takes as long as all the rest; undici is quicker anyway.)
local RELOAD = { "raw54", "rawjit", "raw", "ours54", "oursjit", "luacurl", "luasocket", "luasocketjit", "luahttp", "undici",
  "apify", "requests", "urllib3" }

-- What is compiled while it runs needs a while: node 30,000 requests, apify-client fewer since each is many steps.
local LONG = { fetch = 30000, undici = 30000, apify = 5000 }

local function warm(context)
  return function(name)
    if context.quick then return 60 end
    return LONG[name] or 500
  end
end

-- Client and server take turns, so they share a core: to wake another one up would cost more than the request.
local function race(context, subjects, line)
  return {
    subjects = subjects, line = line, unit = "µs", timed = true, core = context.server.core, warm = warm(context),
    rounds = context.quick and 3 or 5,
    turn = context.quick and 0.04 or 0.2,
    value = function(figures, n) return figures.seconds / n * 1e6 end,
  }
end

local function get(context)
  return race(context, GET, function(name, n)
    if name == "curl" then return ("run 1 curl -sS -o /dev/null %s/tiny?[1-%d]"):format(context.server.url, n) end
    return ("get %d /tiny"):format(n)
  end)
end

local function post(context)
  return race(context, { "raw", "ours54", "oursjit" }, function(_, n) return ("post %d /post"):format(n) end)
end

local function reload(context)
  return race(context, RELOAD, function(name, n)
    if name:find "^raw" then return ("get %d /api/v2/worker-runs/detail"):format(n) end
    return ("reload %d"):format(n)
  end)
end

-- Whoever else read the same detail: is ours ahead of the fastest of them?
local function ahead_of_others(entries, list, ours, work)
  local first
  for _, entry in ipairs(list) do
    if entry.stats and not entry.name:find "^raw" and not entry.name:find "^ours"
      and (not first or entry.stats.median < first.stats.median) then
      first = entry
    end
  end
  return { work = work .. ", against the fastest other client", ours = ours,
    reference = first and first.name or "requests", max = 1 }, entries
end

local GET_WORK = "one GET, sequential, keep-alive: `client:request`"
local RELOAD_WORK = "`run:reload()`: handle, checks, envelope, JSON"

return {
  {
    id = "get", title = GET_WORK, race = get, reference = "raw",
    verdicts = function(entries, _, of)
      return {
        verdict.of_race(of, entries, { work = GET_WORK, ours = "ours54", reference = "raw", max = 1.05 }),
        verdict.of_race(of, entries, { work = GET_WORK, ours = "oursjit", reference = "raw", max = 1.05 }),
      }
    end,
  },
  { id = "post", title = "one POST that may be repeated, sequential, keep-alive", race = post, reference = "raw" },
  {
    id = "reload", title = RELOAD_WORK, race = reload, reference = "raw54",
    verdicts = function(entries, list, of)
      local out = {}
      for ours, reference in pairs { ours54 = "raw54", oursjit = "rawjit" } do
        out[#out + 1] = verdict.of_race(of, entries, { work = RELOAD_WORK, ours = ours, reference = reference, max = 1.25 })
        out[#out + 1] = verdict.of_race(of, entries, ahead_of_others(entries, list, ours, RELOAD_WORK))
      end
      table.sort(out, function(a, b) return a.ours .. a.work < b.ours .. b.work end)
      return out
    end,
  },
}
