-- The client of this tree.
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local growth = require "spec.bench.clients.growth"
local line = require "spec.bench.clients.line"
local times = line.times

local client = coreclaw.new { api_key = "bench-key", base_url = line.url, poll_intervals = { 0.1 } }

local works = {}

function works.get(n, path)
  local request = { path = path }
  times(n, function() assert(client:request(request)) end)
end

-- A POST that may be repeated; a paid one opens a connection each time, so that it cannot be sent twice.
function works.post(n, path)
  local request = { method = "POST", path = path, class = "read", body = { keywords = { "coffee" } } }
  times(n, function() assert(client:request(request)) end)
end

function works.reload(n)
  local run = client:run "detail"
  times(n, function() assert(run:reload()) end)
end

---Every row a table, of a run that has ended, as behind `run:wait()`; `ahead`: as it is, unless given.
function works.rows(name, ahead)
  local count, run = 0, assert(client:run(name):reload())
  for _ in run:results { ahead = ahead } do count = count + 1 end
  return { rows = count }
end

-- Requests of `width` tasks; to a server of HTTP/2 if `secure`, where few connections carry them all.
function works.tasks(n, width, path, secure)
  coreclaw.connections(secure and 8 or width, width)
  local to = secure and coreclaw.new { api_key = "bench-key", base_url = os.getenv "BENCH_TLS",
    ca_file = os.getenv "BENCH_CA" } or client
  local request, left = { path = path }, n
  coreclaw.run(function()
    for _ = 1, width do
      coreclaw.spawn(function()
        while left > 0 do
          left = left - 1
          assert(to:request(request))
        end
      end)
    end
  end)
end

function works.download(path, sync)
  local file = assert(client:run "file":export(path, { format = "csv", sync = sync == "sync" }))
  return { bytes = file.bytes }
end

-- Each request opens a connection to a server that has a certificate; "none" does not verify it.
function works.connect(n, mode)
  local to = coreclaw.new { api_key = "bench-key", base_url = os.getenv "BENCH_FRESH", verify = mode ~= "none",
    ca_file = mode ~= "none" and os.getenv "BENCH_CA" or nil, on_warning = function() end }
  local request = { path = "/tiny" }
  times(n, function() assert(to:request(request)) end)
end

-- n tasks that do the same.
local function together(n, fn)
  local tasks = {}
  for i = 1, n do
    tasks[i] = function() fn(i) end
  end
  coreclaw.all(tasks)
end

-- Many runs, each started and waited for in a task of its own; or by client:map.
function works.wait(n)
  local worker = client:worker "polled"
  together(n, function() assert(assert(worker:start {}):wait()) end)
end

function works.map(n)
  local inputs = {}
  for i = 1, n do inputs[i] = { i = i } end
  for item in client:map("polled", inputs, { concurrency = n }) do assert(item.run, item.err) end
end

-- What everybody would write: each run for itself, at the same pace.
function works.each(n)
  together(n, function(i)
    local run = client:run("polled-" .. i)
    repeat
      coreclaw.sleep(0.08 + 0.04 * math.random())
      assert(run:reload())
    until run:is_final()
  end)
end

function works.spawned(n)
  times(n, function() coreclaw.spawn(function() coreclaw.sleep(0) end):join() end)
end

function works.clients(n)
  times(n, function()
    local one = coreclaw.new { api_key = "bench-key", base_url = line.url }
    assert(one:request { path = "/tiny" })
    one:close()
  end)
end

works.growth = growth(works, core.now)

line.serve(works, core.now)
