-- 500 requests a second for a minute, without an error and without growth: `make test-long`.
-- CORECLAW_LONG is another number of seconds.
local long = os.getenv("CORECLAW_LONG")

describe("sandbox under load", function()
  local core = require("coreclaw.core")
  local http = require("spec.sandbox.http")
  local sandbox = require("coreclaw.sandbox")

  local RATE, SECONDS = 500, tonumber(long) or 60
  -- The record of requests fills up first; from then on nothing may grow.
  local WARM = math.min(25, SECONDS / 2)

  local function memory(pid)
    return tonumber(http.shell("sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/" .. pid .. "/status"))
  end

  local function paths_of(api)
    local run = select(2, api:start('{"count":500,"kind":"nested"}', '"is_async":false')).data.run_slug
    return {
      "/api/v2/worker-runs/" .. run,
      "/api/v2/worker-runs/" .. run .. "/result?limit=100&offset=3",
      "/api/v2/worker-runs/" .. run .. "/log",
      "/api/v2/worker-runs?limit=20",
      "/api/v2/store",
      "/api/v2/workers/demo~rows",
      "/api/v2/users/account",
      "/api/v2/worker-runs/nothing",
    }
  end

  it("answers 500 requests a second without an error or growth of memory", function()
    local box = assert(sandbox.start())
    local engine = core.engine({ max_connections = 64, max_host_connections = 64 })
    local paths = paths_of(http.new(box))
    local sent, answered, wrong, slowest, warm = 0, 0, {}, 0, nil
    local expected, started = {}, {}
    local begin = core.now()
    local function take()
      for id, status in
        function()
          return engine:next()
        end
      do
        answered = answered + 1
        slowest = math.max(slowest, core.now() - started[id])
        if status ~= expected[id] then
          wrong[#wrong + 1] = tostring(status)
        end
        expected[id], started[id] = nil, nil
      end
    end
    while core.now() - begin < SECONDS do
      while sent < (core.now() - begin) * RATE do
        sent = sent + 1
        local path = paths[sent % #paths + 1]
        local headers = { "api-key: " .. box.key }
        local id = engine:submit({ url = box.url .. path, headers = headers, timeout = 10, proxy = "" })
        expected[id], started[id] = path:find("nothing") and 404 or 200, core.now()
      end
      engine:wait(0.002)
      take()
      if not warm and core.now() - begin > WARM then
        warm = memory(box.pid)
      end
    end
    while engine:inflight() > 0 do
      engine:wait(0.1)
      take()
    end
    take()
    local after = memory(box.pid)
    engine:close()
    box:stop()
    print(("%d requests in %d s, slowest %.3f s, memory %d → %d kB"):format(answered, SECONDS, slowest, warm, after))
    assert.same({}, wrong)
    assert.equal(sent, answered)
    assert.is_true(answered >= RATE * SECONDS * 0.99)
    assert.is_true(after - warm < 8192, "grew from " .. warm .. " to " .. after .. " kB")
  end)
end)
