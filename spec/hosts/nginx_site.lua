-- What the nginx of the specs serves.
local coreclaw = require "coreclaw"
local driver = require "coreclaw.driver.ngx"

local M = { said = {} }

---A client of the sandbox in the environment. `options` override.
function M.new_client(options)
  local all = {
    api_key = os.getenv "BOX_KEY", base_url = os.getenv "BOX_URL", poll_intervals = { 0.05 }, timeout = 30,
    retry = { base = 0.01, throttle_base = 0.01 },
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return coreclaw.new(all)
end

local clients = {}

---The client of this name, made once.
function M.client(name, options)
  name = name or "plain"
  clients[name] = clients[name] or M.new_client(options)
  return clients[name]
end

---"ok", or why not.
function M.balance(client, options)
  local account, err = (client or M.client()):account(options)
  return account and "ok" or tostring(err)
end

function M.tls_balance()
  return M.balance(M.client("tls", { base_url = os.getenv "BOX_TLS", ca_file = os.getenv "BOX_CA" }))
end

---What is raised where nobody can wait, by a call and by a sleep.
function M.refusal()
  local texts = {}
  for i, fn in ipairs {
    function() return M.client():account() end,
    function() coreclaw.sleep(0.01) end,
  } do
    local ok, err = pcall(fn)
    texts[i] = ok and "it did not fail" or tostring(err):gsub("^[^ ]*:%d+: ", "")
  end
  return texts[1] == texts[2] and texts[1] or table.concat(texts, " BUT ")
end

---Keeps what was raised, for phases without a body.
function M.note()
  M.said[ngx.get_phase()] = M.refusal()
end

---Starts a run and does not wait: returns whether that was possible.
function M.start_later(count)
  local ok, err = pcall(coreclaw.spawn, function() return M.client():worker "demo/rows":start { count = tonumber(count) } end)
  return ok and "ok" or tostring(err)
end

---A task that is cancelled and ends, and that somebody keeps.
function M.cancelled_task()
  M.kept = coreclaw.spawn(function() coreclaw.sleep(20) end)
  M.kept:cancel()
end

---A task that nginx throws away, and somebody keeps.
function M.left_task()
  M.kept = coreclaw.spawn(function()
    coreclaw.sleep(0.05)
    ngx.exit(ngx.OK)
  end)
end

function M.cancel_kept()
  M.kept:cancel()
  return "ok"
end

---A call on its way while all that nobody refers to is collected.
function M.collected()
  local task = coreclaw.spawn(M.balance)
  collectgarbage()
  collectgarbage()
  return task:join()
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmRSS:%s*(%d+)"
    if kb then return tonumber(kb) end
  end
end

local function entries(folder)
  local pipe = assert(io.popen("ls " .. folder))
  local _, n = pipe:read "*a":gsub("\n", "")
  pipe:close()
  return n
end

---What a task ended with that nginx has thrown away.
function M.join_kept()
  collectgarbage()
  collectgarbage()
  local ok, err = pcall(M.kept.join, M.kept)
  return ok and "it did not fail" or err.kind .. ": " .. err.message
end

local ffi = require "ffi"
ffi.cdef [[
  struct coreclaw_spec_heap { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost; };
  struct coreclaw_spec_heap mallinfo2(void);
]]

-- kB that malloc has given and not got back, ours and nginx's; LuaJIT has its own.
local function heap()
  local all = ffi.C.mallinfo2()
  return tonumber(all.uordblks + all.hblkhd) / 1024
end

---pending, reading, kB of Lua, kB of malloc, kB resident, threads, descriptors.
function M.state()
  local pending, reading = driver.state()
  collectgarbage()
  collectgarbage()
  local folder = "/proc/" .. ngx.worker.pid()
  return ("%d %s %d %d %d %d %d"):format(pending, tostring(reading), collectgarbage "count", heap(), resident(),
    entries(folder .. "/task"), entries(folder .. "/fd"))
end

-- ---- a mixture that ends in every way -----------------------------------------------------------

local function kind_of(value, err)
  return value and "ok" or type(err) == "table" and err.kind or tostring(err)
end

-- getWorker is stalled by the spec.
local function stalled(timeout)
  return kind_of(M.client():worker "demo/rows":detail { timeout = timeout })
end

local WAYS = {
  function() return stalled(0.02) end,
  function()
    local task = coreclaw.spawn(stalled, 20)
    coreclaw.sleep(0.005)
    task:cancel()
    return task:join()
  end,
  function()
    local task = coreclaw.spawn(stalled, 20)
    task:cancel() -- before it has left
    return task:join()
  end,
  function() return kind_of(M.client():worker "nobody/nothing":start {}) end,
}

local function one(i)
  local way = WAYS[i % 10 + 1]
  if way then return way() end
  return kind_of(M.client():account())
end

---Runs n calls, many at a time; kind → how many.
function M.mixture(n, width)
  local counts, i, tasks = {}, 0, {}
  local function work()
    while i < n do
      i = i + 1
      local ok, kind = pcall(one, i)
      kind = ok and kind or "raised " .. tostring(kind)
      counts[kind] = (counts[kind] or 0) + 1
    end
  end
  for k = 1, width do tasks[k] = work end
  coreclaw.all(tasks)
  local list = {}
  for kind, count in pairs(counts) do list[#list + 1] = kind .. "=" .. count end
  table.sort(list)
  return table.concat(list, " ")
end

---The next row from an iterator that outlives requests; each row is a page.
function M.read_on()
  M.rows = M.rows or assert(M.client():worker "demo/rows":call { count = 5 }):results { ahead = 0, limit = 1, timeout = 20 }
  local ok, row = pcall(M.rows)
  return ok and row.index or row
end

---A call whose caller goes away.
function M.abandoned()
  return stalled(0.5)
end

return M
