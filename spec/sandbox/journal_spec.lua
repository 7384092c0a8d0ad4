local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox data_dir", function()
  local folder

  before_each(function()
    folder = http.shell("mktemp -d"):gsub("\n", "")
  end)

  after_each(function()
    http.shell("rm -rf " .. folder)
  end)

  local function start(options)
    local all = { data_dir = folder .. "/data", key = "k" }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    local box = assert(sandbox.start(all))
    return box, http.new(box)
  end

  local function kill(box)
    http.shell("kill -9 " .. box.pid)
    box:stop()
  end

  it("keeps tasks, runs, rows, logs, queue and money through a kill", function()
    local box, api = start()
    local input = '{"parameters":\n{"custom":{"count":3,"kind":"big","x":[],"y":{},"z":12345678901234567890}}}'
    local run = api:post("/api/v2/workers/demo~rows/runs", '{"is_async":false,"input":' .. input .. "}").data.run_slug
    local task = api:post("/api/v2/worker-tasks", '{"worker_id":"demo~rows","title":"T","input":' .. input
      .. ',"schedule_enabled":1,"schedule_type":1,"schedule_time":"09:30"}').data.slug
    local gone = api:post("/api/v2/worker-tasks", '{"worker_id":"demo~rows","title":"T","input":{}}').data.slug
    api:delete("/api/v2/worker-tasks/" .. gone)
    local ref = api:post("/api/v2/workers/demo~rows/queued-runs", http.input('{"count":1}')).data.queue_ref
    local balance = api:get("/api/v2/users/account").data.balance
    kill(box)
    box, api = start()
    local data = api:get("/api/v2/worker-runs/" .. run).data
    assert.equal("succeeded", data.status)
    assert.equal(3, data.results)
    assert.matches('"cid":11287654321098765432', api:get("/api/v2/worker-runs/" .. run .. "/result").body)
    assert.equal("cid", api:get("/api/v2/worker-runs/" .. run .. "/result").data.headers[1].key)
    assert.equal("SYSTEM: environment ready", api:get("/api/v2/worker-runs/" .. run .. "/log").data.list[1].content)
    local saved = api:get("/api/v2/worker-tasks/" .. task)
    assert.equal("09:30", saved.data.schedule_time)
    assert.matches('"z":12345678901234567890', saved.body)
    assert.matches('"x":%[%]', saved.body)
    assert.equal(60001, api:get("/api/v2/worker-tasks/" .. gone).code)
    assert.equal(ref, api:get("/api/v2/run-queue/items").data.list[1].queue_ref)
    assert.equal(balance, api:get("/api/v2/users/account").data.balance)
    assert.equal(1, (box:paid()))
    local again = api:post("/api/v2/worker-runs/" .. run .. "/rerun", '{"is_async":false}').data
    assert.equal(3, again.results.count)
    box:stop()
  end)

  it("loses no acknowledged run, whenever it is killed", function()
    local box, api = start()
    local runs = {}
    http.shell("(sleep 0.25; kill -9 " .. box.pid .. ") >/dev/null 2>&1 &")
    for _ = 1, 200 do
      local run = api:start('{"count":2,"delay":0.02}')
      if not run then
        break
      end
      runs[#runs + 1] = run
    end
    assert.is_true(#runs > 0 and #runs < 200)
    box:stop()
    box, api = start()
    for _, run in ipairs(runs) do
      assert.equal(0, api:get("/api/v2/worker-runs/" .. run).code)
    end
    local failed = api:get("/api/v2/worker-runs?status=failed").data
    if failed.count > 0 then
      assert.equal("the sandbox ended during this run", failed.list[1].err_msg)
    end
    box:stop()
  end)

  it("has a queue item or its run, wherever an activation is cut", function()
    local box, api = start()
    local ref = api:post("/api/v2/workers/demo~rows/queued-runs", http.input('{"count":1}')).data.queue_ref
    api:post("/api/v2/run-queue/items/activate", '{"queue_refs":["' .. ref .. '"]}')
    kill(box)
    -- killed right after the first line that the activation wrote
    local path = folder .. "/data/journal.jsonl"
    http.shell("sed -i '/\"kind\":\"queue\"/{n;q}' " .. path)
    box, api = start()
    assert.equal(0, api:get("/api/v2/run-queue/items").data.count)
    assert.equal(1, api:get("/api/v2/worker-runs").data.count)
    box:stop()
  end)

  it("remembers what a run cost that stays aborting", function()
    local box, api = start({ abort_ends = "never" })
    local run = api:start('{"count":400,"delay":0.01}')
    http.shell("sleep 1.2")
    api:post("/api/v2/worker-runs/" .. run .. "/abort")
    http.shell("sleep 0.4")
    local balance = api:get("/api/v2/users/account").data.balance
    assert.not_equal("100.0000", balance)
    kill(box)
    box, api = start({ abort_ends = "never" })
    assert.equal(balance, api:get("/api/v2/users/account").data.balance)
    box:stop()
  end)

  it("reads past a line that was cut", function()
    local box, api = start()
    local run = api:start('{"count":1}', '"is_async":false') or api:get("/api/v2/worker-runs/last").data.slug
    box:stop()
    local file = assert(io.open(folder .. "/data/journal.jsonl", "ab"))
    file:write('{"kind":"task","slug":"X')
    file:close()
    box, api = start()
    assert.equal(0, api:get("/api/v2/worker-runs/" .. run).code)
    local task = api:post("/api/v2/worker-tasks", '{"worker_id":"demo~rows","title":"T","input":{}}').data.slug
    box:stop()
    box, api = start()
    assert.equal(0, api:get("/api/v2/worker-tasks/" .. task).code)
    box:stop()
  end)

  it("is the owner's alone", function()
    local box = start()
    assert.equal("drwx------", http.shell("ls -ld " .. folder .. "/data"):sub(1, 10))
    box:stop()
  end)
end)
