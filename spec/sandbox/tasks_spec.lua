local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

local TASKS = "/api/v2/worker-tasks"

describe("sandbox tasks", function()
  local box, api

  setup(function()
    box = assert(sandbox.start({ data = "{}", accounts = { { key = "other" } } }))
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  local function create(more, input)
    local body = '{"worker_id":"demo~rows","title":"Rows, daily","input":'
    return api:post(TASKS, body .. (input or '{"parameters":{"custom":{"count":2}}}') .. (more or "") .. "}")
  end

  local function task_of(slug)
    return api:get(TASKS .. "/" .. slug)
  end

  it("are made, shown in detail and listed, with their numbers whole", function()
    local slug = create(',"description":"words"').data.slug
    assert.equal(26, #slug)
    local answer = task_of(slug)
    assert.matches('"id":179%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d[,}]', answer.body)
    assert.matches('"worker_id":33100200300400501[,}]', answer.body)
    assert.equal("demo/rows", answer.data.worker_path)
    assert.equal("v1.2.0", answer.data.version)
    assert.equal(0, answer.data.schedule_type)
    assert.equal(0, answer.data.schedule_enabled)
    assert.equal(0, answer.data.run_times)
    assert.is_nil(answer.data.description)
    local list = api:get(TASKS .. "?limit=1").data
    assert.equal(slug, list.list[1].slug)
    assert.equal("words", list.list[1].description)
    assert.is_nil(list.list[1].id)
    assert.equal(1, list.page_index)
    assert.equal(1, list.page_size)
  end)

  it("keep their input digit for digit", function()
    local input = '{"parameters":{"custom":{"count":2,"list":[],"object":{},"big":12345678901234567890,"float":1.0}}}'
    local slug = create(nil, input).data.slug
    assert.is_truthy(api:get(TASKS .. "/" .. slug .. "/input").body:find(input, 1, true))
    assert.is_truthy(task_of(slug).body:find(input, 1, true))
  end)

  it("are searched by word and Worker", function()
    create(nil, "{}")
    assert.is_true(api:get(TASKS .. "?keyword=DAILY").data.count > 0)
    assert.equal(0, api:get(TASKS .. "?keyword=nothing").data.count)
    assert.is_true(api:get(TASKS .. "?worker_id=demo~rows").data.count > 0)
    assert.equal(0, api:get(TASKS .. "?worker_id=demo~page-scraper").data.count)
    assert.equal(50001, api:get(TASKS .. "?worker_id=demo~none").code)
  end)

  it("are refused when something is wrong with them", function()
    local function code(body)
      local answer = api:post(TASKS, body)
      return answer.status .. " " .. answer.code
    end
    assert.equal("422 11000", code("{}"))
    assert.equal("422 11000", code('{"worker_id":"demo~rows","title":"T"}'))
    assert.equal("422 11000", code('{"worker_id":"demo~rows","title":"T","input":{},"id":1}'))
    assert.equal("400 11000", code('{"worker_id":"demo~rows","title":" ","input":{}}'))
    assert.equal("400 50001", code('{"worker_id":"demo~none","title":"T","input":{}}'))
    assert.equal("400 50003", code('{"worker_id":"demo~rows","title":"T","input":{},"version":"latest"}'))
  end)

  it("have a schedule that makes sense", function()
    local function code(schedule)
      return create("," .. schedule).status
    end
    assert.equal(200, code('"schedule_enabled":1,"schedule_type":1,"schedule_time":"09:30"'))
    assert.equal(200, code('"schedule_enabled":1,"schedule_type":2,"schedule_time":"23:59","schedule_weekday":7'))
    assert.equal(200, code('"schedule_enabled":1,"schedule_type":3,"schedule_time":"00:00","schedule_day":31'))
    local once = '"schedule_enabled":1,"schedule_type":4,"schedule_time":"00:00"'
    assert.equal(200, code(once .. ',"schedule_once_date":"2027-02-28"'))
    assert.equal(400, code(once))
    assert.equal(200, code('"schedule_enabled":0'))
    assert.equal(400, code('"schedule_enabled":1'))
    assert.equal(400, code('"schedule_enabled":1,"schedule_type":2,"schedule_time":"23:59"'))
    assert.equal(400, code('"schedule_enabled":1,"schedule_type":1,"schedule_time":"24:00"'))
    assert.equal(400, code('"schedule_once_date":"2027-02-30"'))
    assert.equal(422, code('"schedule_weekday":0'))
    assert.equal(422, code('"schedule_type":5'))
    assert.equal(422, code('"schedule_day":32'))
    assert.equal(422, code('"schedule_enabled":true'))
  end)

  it("are changed in part; what is left out stays", function()
    local weekly = ',"schedule_enabled":1,"schedule_type":2,"schedule_time":"09:30","schedule_weekday":7'
    local slug = create(weekly).data.slug
    local answer = api:send("PUT", TASKS .. "/" .. slug, '{"title":"New title"}')
    assert.equal(0, answer.code)
    assert.matches('"data":{}', answer.body)
    local data = task_of(slug).data
    assert.equal("New title", data.title)
    assert.equal(7, data.schedule_weekday)
    assert.equal("09:30", data.schedule_time)
    assert.equal(0, api:send("PUT", TASKS .. "/" .. slug, "{}").code)
    assert.equal(400, api:send("PUT", TASKS .. "/" .. slug, '{"schedule_type":3}').status)
    assert.equal(422, api:send("PUT", TASKS .. "/" .. slug, '{"input":{}}').status)
    assert.equal(60001, api:send("PUT", TASKS .. "/nothing", "{}").code)
  end)

  it("have their input replaced", function()
    local slug = create().data.slug
    local path = TASKS .. "/" .. slug .. "/input"
    assert.equal(0, api:send("PUT", path, '{"input":{"parameters":{"custom":{"count":9}}},"version":"v1.1.0"}').code)
    local data = api:get(path).data
    assert.equal(9, data.input.parameters.custom.count)
    assert.equal("v1.1.0", data.version)
    assert.equal(0, api:send("PUT", path, '{"input":{}}').code)
    assert.equal("v1.1.0", api:get(path).data.version)
    assert.equal(50003, api:send("PUT", path, '{"input":{},"version":"v7"}').code)
    assert.equal(422, api:send("PUT", path, "{}").status)
    assert.equal(60001, api:get(TASKS .. "/nothing/input").code)
  end)

  it("run", function()
    local slug = create().data.slug
    local run = api:post(TASKS .. "/" .. slug .. "/runs", '{"is_async":false,"limit":1}').data
    assert.equal("succeeded", run.run_status)
    assert.equal("", run.error_message)
    assert.equal(2, run.results.count)
    local data = task_of(slug).data
    assert.equal(1, data.run_times)
    assert.is_true(tostring(data.last_run_id) ~= "0")
    assert.equal(400, api:poke(TASKS .. "/" .. slug .. "/runs").status)
    assert.equal(422, api:post(TASKS .. "/" .. slug .. "/runs", '{"input":{}}').status)
    assert.equal(60001, api:post(TASKS .. "/nothing/runs", "{}").code)
  end)

  it("with a flat input are kept but cannot run", function()
    local slug = create(nil, '{"count":3}').data.slug
    local answer = api:post(TASKS .. "/" .. slug .. "/runs", "{}")
    assert.equal(400, answer.status)
    assert.equal(50002, answer.code)
  end)

  it("are gone once deleted", function()
    local slug = create().data.slug
    assert.equal(0, api:delete(TASKS .. "/" .. slug).code)
    local again = api:delete(TASKS .. "/" .. slug)
    assert.equal(404, again.status)
    assert.equal(60001, again.code)
    assert.equal(60001, task_of(slug).code)
  end)

  it("belong to one account", function()
    local slug = create().data.slug
    local other = http.new(box, "-H 'api-key: other'")
    assert.equal(60001, other:get(TASKS .. "/" .. slug).code)
    assert.equal(0, other:get(TASKS).data.count)
  end)
end)

describe("sandbox queue", function()
  local box, api
  local ITEMS = "/api/v2/run-queue/items"

  setup(function()
    box = assert(sandbox.start({ plan = "free", accounts = { { key = "poor", balance = 0 } } }))
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  local function add(caller)
    local body = http.input('{"count":1}', '"is_async":false,"offset":3,"limit":5')
    return (caller or api):post("/api/v2/workers/demo~rows/queued-runs", body)
  end

  local function outcomes(path, body)
    return api:post(ITEMS .. path, body).data.results
  end

  it("holds runs, which do not start by themselves", function()
    local before = box:paid()
    local data = add().data
    assert.is_true(data.queued)
    assert.equal("waiting", data.queue_status)
    assert.matches("^%d+$", data.queue_ref)
    assert.is_nil(data.run_slug)
    local list = api:get(ITEMS).data
    assert.equal(data.queue_ref, list.list[list.count].queue_ref)
    assert.equal(0, api:get(ITEMS .. "?status=inactive").data.count)
    assert.equal(422, api:get(ITEMS .. "?status=running").status)
    assert.equal(before, (box:paid()))
  end)

  it("checks what it is given", function()
    assert.equal(50001, api:post("/api/v2/workers/demo~none/queued-runs", "{}").code)
    assert.equal(11000, api:post("/api/v2/workers/demo~rows/queued-runs", "{}").code)
    assert.equal(50003, api:post("/api/v2/workers/demo~rows/queued-runs",
      http.input('{"count":1}', '"version":"latest"')).code)
  end)

  it("starts items one by one, code 0 even if some fail", function()
    local ref = add().data.queue_ref
    local before = box:paid()
    local list = outcomes("/activate", '{"queue_refs":["' .. ref .. '","999"]}')
    assert.same({ queue_ref = ref, success = true }, list[1])
    assert.is_false(list[2].success)
    assert.is_string(list[2].error)
    assert.equal(before + 1, (box:paid()))
    assert.is_false(outcomes("/activate", '{"queue_refs":["' .. ref .. '"]}')[1].success)
    assert.same({}, outcomes("/activate", '{"queue_refs":null}'))
    assert.equal(422, api:post(ITEMS .. "/activate", "{}").status)
    assert.equal(422, api:post(ITEMS .. "/activate", '{"queue_refs":[1]}').status)
  end)

  it("counts activation against the plan", function()
    local one, two = api:start('{"count":1,"wait":20}'), api:start('{"count":1,"wait":20}')
    assert.is_true(api:await(one, "running"))
    assert.is_true(api:await(two, "running"))
    local ref = add().data.queue_ref
    local answer = api:post(ITEMS .. "/activate", '{"queue_refs":["' .. ref .. '"]}')
    assert.equal(30003, answer.code)
    assert.is_true(outcomes("/release", '{"queue_refs":["' .. ref .. '"]}')[1].success)
  end)

  it("removes items for good, one or several", function()
    local one, two = add().data.queue_ref, add().data.queue_ref
    assert.is_true(outcomes("/release", '{"queue_refs":["' .. one .. '"],"reason":"changed my mind"}')[1].success)
    assert.is_false(outcomes("/release", '{"queue_refs":["' .. one .. '"]}')[1].success)
    local single = outcomes("/" .. two .. "/release", "{}")
    assert.same({ { queue_ref = two, success = true } }, single)
    assert.is_false(outcomes("/" .. two .. "/release", '{"reason":"again"}')[1].success)
    assert.equal(400, api:poke(ITEMS .. "/" .. two .. "/release").status)
    assert.equal(422, api:post(ITEMS .. "/" .. two .. "/release", '{"reason":1}').status)
  end)

  it("holds runs of those without money as inactive, and does not start them", function()
    local poor = http.new(box, "-H 'api-key: poor'")
    local data = add(poor).data
    assert.equal("inactive", data.queue_status)
    local answer = poor:post(ITEMS .. "/activate", '{"queue_refs":["' .. data.queue_ref .. '"]}')
    assert.equal("insufficient balance", answer.data.results[1].error)
    assert.equal(1, poor:get(ITEMS .. "?status=inactive").data.count)
  end)
end)
