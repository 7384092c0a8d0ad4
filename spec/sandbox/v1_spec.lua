local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

local SYSTEM = '"system":{"cpus":0.125,"memory":512,"execute_limit_time_seconds":1800,"max_total_charge":0,'
  .. '"max_total_traffic":0}'

describe("sandbox API v1", function()
  local box, api, public, run

  local function start(custom, more, system)
    local input = '{"parameters":{"custom":' .. custom .. "," .. (system or SYSTEM) .. "}}"
    local body = '{"scraper_slug":"demo/rows","is_async":true,"input":' .. input .. (more or "") .. "}"
    return api:post("/api/v1/scraper/run", body)
  end

  setup(function()
    box = assert(sandbox.start({ accounts = { { key = "old", state = "expired" }, { key = "off", state = "disabled" },
      { key = "gone", state = "unknown" }, { key = "other" } } }))
    api = http.new(box, "-H 'api-key: " .. box.key .. "'")
    public = http.new(box, "-A nobody")
    run = start('{"count":25,"kind":"flat"}').data.run_slug
    assert.is_true(http.eventually(function()
      return api:post("/api/v1/run/detail", '{"run_slug":"' .. run .. '"}').data.status == 3
    end))
  end)

  teardown(function()
    box:stop()
  end)

  local function of_run(path, more, id)
    return api:post(path, '{"run_slug":"' .. (id or run) .. '"' .. (more or "") .. "}")
  end

  it("answers in its own envelope", function()
    local answer = api:post("/api/v1/account/info", "{}")
    assert.equal(200, answer.status)
    assert.equal("success", answer.json.message)
    assert.is_nil(answer.json.request_id)
    assert.matches("^%d+%.%d%d%d%d$", answer.data.balance)
    assert.is_number(answer.data.traffic)
    assert.equal(0, api:poke("/api/v1/account/info").code)
    local refused = api:post("/api/v1/run/detail", "{}")
    assert.equal(400, refused.status)
    assert.equal(4000, refused.code)
    assert.matches('"data":null', refused.body)
    assert.is_nil(refused.json.details)
    assert.is_nil(refused.json.request_id)
  end)

  it("takes both headers, no query token, and has codes of its own for keys", function()
    local function code(words, path)
      local answer = http.new(box, words):post(path or "/api/v1/account/info", "{}")
      return answer.status .. " " .. answer.code
    end
    assert.equal("200 0", code("-H 'Authorization: Bearer " .. box.key .. "'"))
    assert.equal("401 20001", code("-A nobody", "/api/v1/account/info?token=" .. box.key))
    assert.equal("401 20001", code("-A nobody"))
    assert.equal("401 20001", code("-H 'api-key: bad'"))
    assert.equal("401 20002", code("-H 'api-key: old'"))
    assert.equal("401 10002", code("-H 'api-key: off'"))
    assert.equal("401 10001", code("-H 'api-key: gone'"))
  end)

  it("starts runs, and refuses what does not fit", function()
    assert.equal(26, #run)
    assert.equal(4000, api:post("/api/v1/scraper/run", "{}").code)
    assert.equal(4000, start("{}").code)
    assert.equal(4000, start('{"count":"x"}').code)
    assert.equal(4000, start('{"count":1}', nil, '"other":1').code)
    assert.equal(4000, start('{"count":1}', ',"page_size":1').code)
    assert.equal(50003, start('{"count":1}', ',"version":"latest"').code)
    local unknown = api:post("/api/v1/scraper/run",
      '{"scraper_slug":"demo~rows","is_async":true,"input":{"parameters":{"custom":{"count":1},' .. SYSTEM .. "}}}")
    assert.equal(404, unknown.status)
    assert.equal(50001, unknown.code)
    local sync = api:post("/api/v1/scraper/run",
      '{"scraper_slug":"demo/rows","is_async":false,"input":{"parameters":{"custom":{"count":1},' .. SYSTEM .. "}}}")
    assert.equal("succeeded", sync.data.run_status)
  end)

  it("tells runs with numbers for words", function()
    local data = of_run("/api/v1/run/detail").data
    assert.equal(3, data.status)
    assert.equal("api", data.origin)
    assert.equal("", data.err_msg)
    assert.equal(25, data.results)
    local unknown = of_run("/api/v1/run/detail", "", "nothing")
    assert.equal(404, unknown.status)
    assert.equal(70001, unknown.code)
  end)

  it("tells what belongs to others from what does not exist", function()
    local other = http.new(box, "-H 'api-key: other'")
    local foreign = other:post("/api/v1/run/detail", '{"run_slug":"' .. run .. '"}')
    assert.equal(401, foreign.status)
    assert.equal(4010, foreign.code)
    assert.equal(70001, other:post("/api/v1/run/detail", '{"run_slug":"nothing"}').code)
    local task = http.new(box):post("/api/v2/worker-tasks", '{"worker_id":"demo~rows","title":"T","input":{}}').data.slug
    local body = '{"task_slug":"' .. task .. '","callback_url":"' .. box.hook_url .. '"}'
    assert.equal(4010, other:post("/api/v1/task/run", body).code)
  end)

  it("lists runs", function()
    local function list(more)
      return api:post("/api/v1/run/list", '{"page_index":1,"page_size":1' .. more .. "}")
    end
    assert.equal(1, #list("").data.list)
    assert.is_true(list("").data.count >= 2)
    assert.equal(0, list(',"status":4').data.count)
    assert.is_true(list(',"status":0').data.count >= 2)
    assert.equal(4000, list(',"status":6').code)
    assert.equal(0, list(',"scraper_slug":"demo/page-scraper"').data.count)
    assert.equal(4000, api:post("/api/v1/run/list", "{}").code)
    assert.is_nil(list("").data.page_index)
  end)

  it("pages results, ten by default, without a maximum", function()
    assert.equal(10, #of_run("/api/v1/run/result/list").data.list)
    assert.equal(25, #of_run("/api/v1/run/result/list", ',"page_size":1000').data.list)
    assert.equal(5, #of_run("/api/v1/run/result/list", ',"page_index":3').data.list)
    assert.equal(4000, of_run("/api/v1/run/result/list", ',"page_index":0').code)
    assert.is_string(of_run("/api/v1/run/result/list").data.headers[1].format)
  end)

  it("exports csv and json", function()
    local url = of_run("/api/v1/run/result/export", ',"format":"csv","filter_keys":[]').data.download_url
    assert.equal(200, public:get(url).status)
    url = of_run("/api/v1/run/result/export", ',"format":"json","filter_keys":["title"]').data.download_url
    assert.matches('^%[{"title":"Row 1"}', public:get(url).body)
    assert.equal(4000, of_run("/api/v1/run/result/export", ',"format":"xml","filter_keys":[]').code)
    assert.equal(4000, of_run("/api/v1/run/result/export", ',"format":"csv"').code)
  end)

  it("shows the log as objects", function()
    assert.equal(2, of_run("/api/v1/run/last/log").data.list[1].type)
  end)

  it("aborts, and not twice", function()
    local long = start('{"count":1,"wait":30}').data.run_slug
    local answer = of_run("/api/v1/scraper/abort", "", long)
    assert.equal(0, answer.code)
    assert.matches('"data":null', answer.body)
    assert.is_true(http.eventually(function()
      return of_run("/api/v1/run/detail", "", long).data.status == 4
    end))
    local again = of_run("/api/v1/scraper/abort", "", long)
    assert.equal(500, again.status)
    assert.equal(70002, again.code)
  end)

  it("reruns and runs tasks with a callback only", function()
    local again = of_run("/api/v1/rerun", ',"callback_url":"' .. box.hook_url .. 'v1"')
    assert.not_equal(run, again.data.run_slug)
    assert.equal(4000, of_run("/api/v1/rerun").code)
    local task = http.new(box):post("/api/v2/worker-tasks",
      '{"worker_id":"demo~rows","title":"T","input":{"parameters":{"custom":{"count":1}}}}').data.slug
    local body = '{"task_slug":"%s","callback_url":"' .. box.hook_url .. '"}'
    assert.is_string(api:post("/api/v1/task/run", body:format(task)).data.run_slug)
    local unknown = api:post("/api/v1/task/run", body:format(run))
    assert.equal(404, unknown.status)
    assert.equal(60001, unknown.code)
    assert.is_true(http.eventually(function()
      for _, call in ipairs(box:callbacks()) do
        if call.url:find("v1$") and call.body:find('"status":3') then
          return call.body:find('"usage"') and call.body:find('"results":25')
        end
      end
    end))
  end)

  it("has three public reads", function()
    local detail = public:get("/api/scraper?slug=demo/rows")
    assert.equal("v1.2.0", detail.data.version)
    assert.is_table(detail.data.parameters.custom.properties)
    assert.is_nil(detail.data.username)
    assert.equal(50001, public:get("/api/scraper?slug=demo/none").code)
    assert.equal(4000, public:get("/api/scraper").code)
    local found = public:get("/api/store?search=rows").data.scraper
    assert.equal(1, #found)
    assert.is_nil(found[1].path)
    assert.equal(4000, public:get("/api/store?search=").code)
    assert.equal(1, #public:get("/api/store?search=demo&limit=1").data.scraper)
    assert.equal(249, #public:get("/api/proxy/region").data.list)
  end)

  it("does not know the paths of its drafts", function()
    for _, path in ipairs({ "/api/v1/runs", "/api/v1/marketplace/x", "/api/v1/tasks/x/run" }) do
      local answer = api:post(path, "{}")
      assert.equal(404, answer.status)
      assert.equal(4040, answer.code)
    end
  end)
end)
