-- What must work the same in every host: the same words in a plain program, nginx, Neovim, luv and
-- cqueues. spec/hosts/*_spec.lua run this file in each of them, unmodified.
--
-- A case gets `t`: coreclaw, client, box (controls of the sandbox), equal(want, got), path (a file that
-- may be written). It fails by raising. Each runs in a task where the host has any.

local cases, order = {}, {}

local function case(name, fn)
  order[#order + 1] = name
  cases[name] = fn
end

local function count(iterator)
  local n = 0
  for _ in iterator do n = n + 1 end
  return n
end

case("starts a run, waits for it and reads its rows", function(t)
  local run = assert(t.client:worker "demo/rows":start { count = 5 })
  assert(run:wait { timeout = 20 })
  t.equal("succeeded", run.status)
  t.equal(5, count(run:results()))
  t.equal(1, (t.box:paid()))
end)

case("waits for many runs at a time", function(t)
  local worker, fns = t.client:worker "demo/rows", {}
  local slowly = { timeout = 20, poll_intervals = { 0.3 } }
  for i = 1, 8 do
    fns[i] = function() return assert(assert(worker:start { count = i, wait = 1 }):wait(slowly)).results_count end
  end
  for i, n in ipairs(t.coreclaw.all(fns)) do t.equal(i, n) end
  local listed = 0
  for _, request in ipairs(t.box:requests()) do
    if request.operation == "listWorkerRuns" then listed = listed + 1 end
  end
  t.equal(true, listed > 0)
end)

case("calls a Worker in one go", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 3 })
  t.equal(3, run.results_count)
end)

case("iterates with read-ahead, in order, each row once", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 1050 })
  for _, ahead in ipairs { 0, 1, 4, 16 } do
    local n = 0
    for row in run:results { ahead = ahead, limit = 50 } do
      n = n + 1
      t.equal(n, row.index)
    end
    t.equal(1050, n)
  end
end)

case("raises an error of read-ahead at its place in the order", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 500 })
  t.box:fault { operation = "listWorkerRunResults", nth = 4, times = 1, status = 400, code = 11000 }
  local n = 0
  local next_row = run:results { ahead = 1, limit = 50 }
  local ok, err = t.pcall(function()
    for row in next_row do n = row.index end
  end)
  t.equal(false, ok)
  t.equal("bad_request", err.kind)
  t.equal(150, n)
end)

case("follows rows that are still to come", function(t)
  local run = assert(t.client:worker "demo/rows":start { count = 120, wait = 0.3 })
  t.equal(120, count(run:results { follow = true, timeout = 20 }))
  t.equal("succeeded", run.status)
end)

case("exports to a file", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 40 })
  local file = assert(run:export(t.path, { format = "csv" }))
  local handle = assert(io.open(t.path, "rb"))
  local text = handle:read "*a"
  handle:close()
  os.remove(t.path)
  t.equal(file.bytes, #text)
  t.equal(41, select(2, text:gsub("\n", "\n")))
end)

case("tells of an error of the platform", function(t)
  local run, err = t.client:worker("nobody/nothing"):start {}
  t.equal(nil, run)
  t.equal("not_found", err.kind)
end)

case("tries a read again", function(t)
  t.box:fault { operation = "getAccount", status = 503, times = 2 }
  t.equal("string", type(assert(t.client:account()).balance))
end)

case("ends a call at its deadline", function(t)
  t.box:fault { operation = "getAccount", stall_after = 0, times = 9 }
  local account, err = t.client:account { timeout = 0.3 }
  t.equal(nil, account)
  t.equal("timeout", err.kind)
end)

case("gives up waiting for a run in time, with the run in the error", function(t)
  local run = assert(t.client:worker "demo/rows":start { count = 1, wait = 5 })
  local ended, err = run:wait { timeout = 0.3 }
  t.equal(nil, ended)
  t.equal("wait_timeout", err.kind)
  t.equal(run, err.run)
  run:abort()
end)

case("sleeps", function(t)
  local before = t.now()
  t.coreclaw.sleep(0.2)
  t.equal(true, t.now() - before >= 0.19)
end)

case("runs 200 calls at a time", function(t)
  t.coreclaw.connections(200)
  t.box:fault { operation = "getAccount", delay = 0.3, times = 200 }
  local list, before = {}, t.now()
  for i = 1, 200 do
    list[i] = t.coreclaw.spawn(function() return assert(t.client:account()).balance end)
  end
  for _, task in ipairs(list) do t.equal("string", type(task:join())) end
  t.coreclaw.connections(16)
  t.equal(true, t.now() - before < 30) -- one after the other it would be 60
end)

case("runs functions at the same time and gives their results in order", function(t)
  local results = t.coreclaw.all {
    function() t.coreclaw.sleep(0.1) return "late" end,
    function() return (t.client:account()).balance end,
    function() return "soon" end,
  }
  t.equal("late", results[1])
  t.equal("string", type(results[2]))
  t.equal("soon", results[3])
end)

case("brings a task's error to whoever joins it, with its traceback", function(t)
  local bad = t.coreclaw.spawn(function()
    t.coreclaw.sleep(0.01)
    error "on purpose"
  end)
  local good = t.coreclaw.spawn(function() return (assert(t.client:account())).balance end)
  local ok, err = t.pcall(function() return bad:join() end)
  t.equal(false, ok)
  t.equal("string", type(err:match "on purpose.*traceback"))
  t.equal("string", type(good:join()))
  t.equal("failed", bad.status)
end)

case("cancels a request on its way", function(t)
  t.box:fault { operation = "getAccount", stall_after = 0, times = 9 }
  local task = t.coreclaw.spawn(function() return t.client:account { timeout = 20 } end)
  t.coreclaw.sleep(0.1)
  local before = t.now()
  task:cancel()
  local account, err = task:join()
  t.equal(nil, account)
  t.equal("cancelled", err.kind)
  t.equal(true, t.now() - before < 5)
end)

case("cancels a sleep", function(t)
  local task = t.coreclaw.spawn(function() t.coreclaw.sleep(30) end)
  t.coreclaw.sleep(0.02)
  task:cancel()
  local ok, err = t.pcall(function() return task:join() end)
  t.equal(false, ok)
  t.equal("cancelled", err.kind)
end)

case("says what nobody can know of a start that was cancelled", function(t)
  t.box:fault { operation = "runWorker", delay = 5 }
  local task = t.coreclaw.spawn(function() return t.client:worker "demo/rows":start { count = 1 } end)
  t.coreclaw.sleep(0.2)
  task:cancel()
  local run, err = task:join()
  t.equal(nil, run)
  t.equal("unknown_outcome", err.kind)
  t.equal("unknown", err.sent)
end)

case("reads from an iterator in one task at a time, and in the next one where the last has stopped", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 60 })
  t.box:fault { operation = "listWorkerRunResults", delay = 0.3, times = 1 }
  local next_row, last = run:results { ahead = 2, limit = 20 }, nil
  local first = t.coreclaw.spawn(function()
    for _ = 1, 25 do last = next_row().index end
  end)
  t.coreclaw.sleep(0.02) -- cqueues begins tasks later; then it waits for the first page
  local ok, err = t.coreclaw.spawn(function() return pcall(next_row) end):join()
  first:join()
  t.equal(false, ok)
  t.equal("string", type(tostring(err):match "this iterator is being read from already"))
  for row in next_row do
    t.equal(last + 1, row.index)
    last = row.index
  end
  t.equal(60, last)
end)

case("leaves a loop early without anything in flight", function(t)
  local run = assert(t.client:worker "demo/rows":call { count = 900 })
  for row in run:results { ahead = 8, limit = 20 } do
    if row.index == 3 then break end
  end
  collectgarbage()
  t.equal("string", type(assert(t.client:account()).balance))
end)

case("lets go of tasks that have ended", function(t)
  local list, left = setmetatable({}, { __mode = "k" }), 0
  for _ = 1, 50 do
    local task = t.coreclaw.spawn(function() t.coreclaw.sleep(0.001) end)
    list[task] = true
    task:join()
  end
  collectgarbage()
  collectgarbage()
  for _ in pairs(list) do left = left + 1 end
  t.equal(true, left <= 5)
end)

case("waits for many runs", function(t)
  local inputs, n = {}, 0
  for i = 1, 12 do inputs[i] = { count = i } end
  for item in t.client:map("demo/rows", inputs, { concurrency = 6, timeout = 30 }) do
    t.equal(nil, item.err)
    t.equal(item.index, item.run.results_count)
    n = n + 1
  end
  t.equal(12, n)
end)

case("keeps nothing of a wait that is over, however long what it waited for goes on", function(t)
  local sleeper = t.coreclaw.spawn(function() t.coreclaw.sleep(60) end)
  local function kilobytes(waits)
    for _ = 1, waits do sleeper:wait(0) end
    t.coreclaw.sleep(0.01) -- luv frees its handles when its loop has gone round
    collectgarbage()
    collectgarbage()
    return collectgarbage "count"
  end
  local before = kilobytes(5000) -- as many, for what is used again grows to what is needed at once
  local more = kilobytes(5000) - before
  sleeper:cancel()
  if more > 200 then error(("%.0f KiB more"):format(more), 0) end
end)

-- PUC Lua 5.1 cannot suspend across pcall; a task catches errors too.
local function pcall_5_1(fn)
  local task = require("coreclaw").spawn(fn)
  task:wait(60)
  return task.status == "done", task.err
end

local is_5_1 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function context(options)
  local coreclaw = require "coreclaw"
  local core = require "coreclaw.core"
  local control = require("coreclaw.sandbox").attach { url = options.url, secret = options.secret }
  return {
    coreclaw = coreclaw, box = control, now = core.now, pcall = is_5_1 and pcall_5_1 or pcall, path = options.path,
    client = coreclaw.new {
      api_key = options.key, base_url = options.url, poll_intervals = { 0.05 }, timeout = 30,
      retry = { base = 0.01, throttle_base = 0.01 },
    },
    equal = function(want, got)
      if want ~= got then error("wanted " .. tostring(want) .. ", got " .. tostring(got), 2) end
    end,
  }
end

local M = { order = order }

---Runs one case. `options`: url, key, secret, path.
---@return true|string  why it failed
function M.run(name, options)
  local t = context(options)
  t.box:clear_faults()
  t.box:reset_requests()
  local paid = t.box:paid()
  local real = t.box
  t.box = setmetatable({ paid = function() return (real:paid()) - paid end }, {
    __index = function(_, method)
      return function(_, ...) return real[method](real, ...) end
    end,
  })
  local task = t.coreclaw.spawn(cases[name], t)
  local ended = task:wait(60)
  real:clear_faults()
  if not ended then return "it did not end" end
  if task.status == "done" then return true end
  return tostring(task.err) .. "\n" .. tostring(task.traceback)
end

return M
