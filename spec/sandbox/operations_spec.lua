-- Every operation once: its answer against the sandbox's table of shapes, and its request against the client's table.
local http = require("spec.sandbox.http")
local routes = require("coreclaw.sandbox.routes")
local sandbox = require("coreclaw.sandbox")
local shapes = require("coreclaw.sandbox.shapes")
local span = require("coreclaw.sandbox.span")

-- Shapes are compared with the text of the answer, where 1.0 is no integer and big ones are whole.
local compare

local SIMPLE = { string = true, integer = true, boolean = true, object = true }

local function compare_list(shape, raw, place, out)
  local items = span.array(raw)
  if not items then
    out[#out + 1] = place .. " is no list"
    return
  end
  for i, item in ipairs(items) do
    compare(shape[1], item, place .. "[" .. i .. "]", out)
  end
end

local function compare_object(shape, raw, place, out)
  local slices = span.object(raw)
  if not slices then
    out[#out + 1] = place .. " is no object"
    return
  end
  local known = {}
  for name, inner in pairs(shape) do
    local optional = name:find("?", 1, true) ~= nil
    name = name:gsub("%?", "")
    known[name] = true
    if slices[name] then
      compare(inner, slices[name], place .. "." .. name, out)
    elseif not optional then
      out[#out + 1] = place .. "." .. name .. " is missing"
    end
  end
  for name in pairs(slices) do
    if not known[name] then
      out[#out + 1] = place .. "." .. name .. " is unknown"
    end
  end
end

function compare(shape, raw, place, out)
  if type(shape) == "table" then
    return (shape[1] and compare_list or compare_object)(shape, raw, place, out)
  elseif shape == "any" then
    return
  elseif shape == "decimal" then
    if not raw:find('^"%d+%.?%d*"$') then
      out[#out + 1] = place .. " is no decimal in a string: " .. raw
    end
  elseif SIMPLE[shape] and span.kind(raw) ~= shape then
    out[#out + 1] = place .. " is " .. span.kind(raw) .. ", not " .. shape
  end
end

local function faults_of(shape, answer)
  local out, envelope = {}, span.object(answer.body)
  if answer.code ~= 0 then
    return { answer.body }
  elseif shape == false then
    return (envelope.data == nil or envelope.data == "null") and {} or { "data is not absent" }
  end
  compare(shape, envelope.data, "data", out)
  table.sort(out)
  return out
end

local SYSTEM = '"system":{"cpus":0.125,"memory":512,"execute_limit_time_seconds":1800,"max_total_charge":0,'
  .. '"max_total_traffic":0}'

describe("sandbox operation", function()
  local box, api, ids

  setup(function()
    local folder = http.shell("mktemp -d"):gsub("\n", "")
    local file = assert(io.open(folder .. "/own.lua", "w"))
    file:write("return { path = 'me/own', run = function() end }")
    file:close()
    box = assert(sandbox.start({ workers = folder }))
    http.shell("rm -r " .. folder)
    api = http.new(box)
    ids = {}
  end)

  teardown(function()
    box:stop()
  end)

  -- Things that operations need: made anew where the operation uses them up.
  local function long_run()
    return (api:start('{"count":1,"wait":60}'))
  end

  local function prepare()
    ids.run = select(2, api:start('{"count":3,"kind":"nested"}', '"is_async":false')).data.run_slug
    ids.task = api:post("/api/v2/worker-tasks",
      '{"worker_id":"demo~rows","title":"T","input":{"parameters":{"custom":{"count":1}}}}').data.slug
    ids.queue = api:post("/api/v2/workers/demo~rows/queued-runs", http.input('{"count":1}')).data.queue_ref
  end

  local BODIES = {
    runWorker = http.input('{"count":1}'),
    queuedRunWorker = http.input('{"count":1}'),
    createWorkerTask = '{"worker_id":"demo~rows","title":"T","input":{}}',
    updateWorkerTaskInput = '{"input":{"parameters":{"custom":{"count":1}}}}',
    activateRunQueueItems = '{"queue_refs":["%queue","1"]}',
    releaseRunQueueItems = '{"queue_refs":["%queue","1"]}',
    scraperRun = '{"scraper_slug":"demo/rows","is_async":true,"input":{"parameters":{"custom":{"count":1},' .. SYSTEM
      .. "}}}",
    runList = '{"page_index":1,"page_size":5}',
    runResultExport = '{"run_slug":"%run","format":"csv","filter_keys":[]}',
    rerun = '{"run_slug":"%run","callback_url":"%hook"}',
    taskRun = '{"task_slug":"%task","callback_url":"%hook"}',
  }
  local QUERIES = { scraperDetail = "?slug=demo/rows", storeSearch = "?search=demo" }

  local function body_of(operation)
    local body = BODIES[operation.id] or (operation.body and operation.body.run_slug and '{"run_slug":"%run"}')
    body = body or (operation.body and "{}") or nil
    return body and body:gsub("%%(%a+)", { run = ids.run, task = ids.task, queue = ids.queue, hook = box.hook_url })
  end

  local function call(operation)
    local path = operation.path:gsub("{(%w+)}", {
      workerId = "demo~rows",
      workerTaskId = ids.task,
      runId = ids.run,
      queueId = ids.queue,
    })
    path = path .. (QUERIES[operation.id] or "")
    local body = body_of(operation)
    if body then
      return api:send(operation.method, path, body)
    elseif operation.method == "GET" then
      return api:get(path)
    end
    return api:curl("-X " .. operation.method, path)
  end

  for _, operation in ipairs(routes) do
    it(operation.id .. " answers in its shape", function()
      prepare()
      if operation.id:find("[aA]bort") then
        ids.run = long_run()
      end
      local shape = shapes[operation.api][operation.id]
      assert.is_not_nil(shape)
      assert.same({}, faults_of(shape, call(operation)))
    end)

    it(operation.id .. " is asked for as the client does", function()
      local client = require("coreclaw.operations." .. operation.api)[operation.id]
      assert.equal(client.method, operation.method)
      assert.equal(client.path, operation.path)
      assert.equal(client.public or false, operation.public or false)
      for _, part in ipairs({ "query", "body" }) do
        local theirs, ours = client[part] or {}, operation[part] or {}
        for name, rule in pairs(theirs) do
          assert.is_table(ours[name], part .. "." .. name)
          assert.equal(rule.required or false, ours[name].required or false, part .. "." .. name)
        end
        for name in pairs(ours) do
          assert.is_table(theirs[name], part .. "." .. name)
        end
      end
    end)
  end

  it("runWorker and reruns answer in the long shape when they wait", function()
    local run = select(2, api:start('{"count":3}', '"is_async":false'))
    assert.same({}, faults_of(shapes.sync_run, run))
    local path = "/api/v2/worker-runs/" .. run.data.run_slug .. "/rerun"
    assert.same({}, faults_of(shapes.sync_rerun, api:post(path, '{"is_async":false}')))
  end)

  it("comparison finds what is missing, unknown or of another type", function()
    local out = {}
    local shape = { a = "integer", ["b?"] = "string", c = { { d = "boolean" } } }
    compare(shape, '{"a":1.0,"c":[{"d":1}],"x":2}', "data", out)
    table.sort(out)
    assert.same({ "data.a is number, not integer", "data.c[1].d is integer, not boolean", "data.x is unknown" }, out)
  end)
end)
