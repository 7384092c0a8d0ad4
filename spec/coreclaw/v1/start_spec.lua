-- Starts through API v1: what it insists on, what it does not have.

local json = require "coreclaw.json"
local v1 = require "coreclaw.v1"

local RUN = "01KSGT5P0W8B3E7QZ6NDVXKM4R"
local HOOK = "https://hooks.example/coreclaw"

local PATHS = {
  runWorker = { workerId = "lan~news-cn" },
  runWorkerTask = { workerTaskId = "01TASK" },
  rerunWorkerRun = { runId = RUN },
}

-- The least call that starts something, with one field more.
local function with(id, name, value)
  local body = { callback_url = HOOK }
  if name then body[name] = value end
  return { path = PATHS[id], body = body }
end

local function body_of(expected_id, id, params)
  local v1_id, v1_params = v1.request(id, params)
  assert.equal(expected_id, v1_id, v1_params)
  assert.equal("body", next(v1_params))
  assert.is_nil(next(v1_params, "body"))
  return v1_params.body
end

local function why_not(id, params)
  local v1_id, why = v1.request(id, params)
  assert.is_nil(v1_id)
  return why
end

local SYSTEM = {
  cpus = 0.125, memory = 512, execute_limit_time_seconds = 1800, max_total_charge = 0,
  max_total_traffic = 0,
}

local function system_for(given)
  local params = with("runWorker", "input", { parameters = { custom = {}, system = given } })
  return body_of("scraperRun", "runWorker", params).input.parameters.system
end

local function start_refused(input)
  return why_not("runWorker", with("runWorker", "input", input))
end

describe("v1.request for a start", function()
  it("always says is_async, and both halves of the input", function()
    assert.same({
      scraper_slug = "lan/news-cn", is_async = true,
      input = { parameters = { custom = {}, system = SYSTEM } },
    }, body_of("scraperRun", "runWorker", { path = PATHS.runWorker }))
  end)

  it("passes on what v1 knows as well", function()
    local custom = { list = json.array {}, id = json.integer "12345678901234567890" }
    local body = body_of("scraperRun", "runWorker", {
      path = { workerId = "x" },
      body = {
        version = "v1.4.2", is_async = false, callback_url = HOOK,
        input = { parameters = { custom = custom, system = { proxy_region = "PT" } } },
      },
    })
    assert.equal("v1.4.2", body.version)
    assert.is_false(body.is_async)
    assert.equal(HOOK, body.callback_url)
    assert.equal(custom, body.input.parameters.custom)
    assert.equal("PT", body.input.parameters.system.proxy_region)
    assert.matches('"list":%[%]', json.encode(body))
  end)

  it("fills in what v1 insists on, and keeps what was said", function()
    assert.same(SYSTEM, system_for(nil))
    assert.same(SYSTEM, system_for {})
    local said = {
      cpus = 4, memory = 4096, execute_limit_time_seconds = 60, max_total_charge = 1.5,
      max_total_traffic = 7, proxy_region = "PT", own = "x",
    }
    assert.same(said, system_for(said))
  end)

  it("gives a memory its share of the processor, and the reverse", function()
    for memory, cpus in pairs {
      [512] = 0.125, [1024] = 0.25, [2048] = 0.5, [4096] = 1, [8192] = 2, [16384] = 4,
    } do
      assert.equal(cpus, system_for({ memory = memory }).cpus)
      assert.equal(memory, system_for({ cpus = cpus }).memory)
    end
  end)

  it("does not guess the other half of a pair nobody documented", function()
    assert.equal("runWorker: input.parameters.system.cpus is required by API v1, and none is known "
      .. "to go with memory = 3000; give both",
      start_refused { parameters = { system = { memory = 3000 } } })
    assert.equal("runWorker: input.parameters.system.memory is required by API v1, and none is known "
      .. "to go with cpus = 3; give both", start_refused { parameters = { system = { cpus = 3 } } })
  end)

  it("keeps what else stands in the input", function()
    local params = with("runWorker", "input", { note = 1, parameters = { extra = 2 } })
    assert.same({ note = 1, parameters = { extra = 2, custom = {}, system = SYSTEM } },
      body_of("scraperRun", "runWorker", params).input)
  end)

  it("refuses an input that has no place for both halves", function()
    for _, input in ipairs {
      { keyword = "tea" }, "tea", { "tea" }, json.array {}, { parameters = "tea" },
      { parameters = json.array {} }, { parameters = { custom = "tea" } },
      { parameters = { custom = { "tea" } } }, { parameters = { system = 512 } },
      { parameters = { custom = json.null } },
    } do
      assert.equal("runWorker: input must be {parameters = {custom = {...}, system = {...}}} with "
        .. "API v1", start_refused(input))
    end
  end)

  it("runs a task and repeats a run with a callback", function()
    assert.same({ task_slug = "01TASK", callback_url = HOOK },
      body_of("taskRun", "runWorkerTask", with "runWorkerTask"))
    assert.same({ run_slug = RUN, callback_url = HOOK },
      body_of("rerun", "rerunWorkerRun", with "rerunWorkerRun"))
  end)

  it("needs that callback", function()
    for _, id in ipairs { "runWorkerTask", "rerunWorkerRun" } do
      local message = id .. ": callback_url is required by API v1: no task is run and no run "
        .. "repeated without one"
      assert.equal(message, why_not(id, { path = PATHS[id] }))
      assert.equal(message, why_not(id, { path = PATHS[id], body = { callback_url = "" } }))
    end
  end)

  it("does not send that a task or rerun is asynchronous, for it is; the contrary it refuses", function()
    for id, v1_id in pairs { runWorkerTask = "taskRun", rerunWorkerRun = "rerun" } do
      local body = body_of(v1_id, id, with(id, "is_async", true))
      assert.is_nil(body.is_async)
      assert.equal(id .. ": is_async cannot be honoured by API v1: it starts tasks and repeats runs "
        .. 'without waiting only; use api = "v2"', why_not(id, with(id, "is_async", false)))
    end
  end)

  it("has no window", function()
    for _, id in ipairs { "runWorker", "runWorkerTask", "rerunWorkerRun" } do
      for _, name in ipairs { "offset", "limit" } do
        assert.equal(id .. ": " .. name .. " cannot be honoured by API v1: it has no window on the "
          .. 'rows of a sync run; use api = "v2"', why_not(id, with(id, name, 1)))
      end
    end
  end)
end)
