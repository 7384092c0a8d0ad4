-- Hosts that nobody knew: what coreclaw.driver gives them and wants of them; limits of the process.

local box = require "spec.support.box"
local cases = require "spec.hosts.cases"
local coreclaw = require "coreclaw"
local core = require "coreclaw.core"

local has_cqueues, cqueues = pcall(require, "cqueues")

-- A loop of one's own: a list of coroutines, run one after the other.
local function new_loop()
  local loop = { list = {}, due = {}, here = nil, early = false }

  function loop.enter(fn)
    local co = coroutine.create(fn)
    loop.list[#loop.list + 1], loop.due[co] = co, 0
  end

  loop.plug = coreclaw.driver {
    name = "mine",
    is_here = function() return loop.due[coroutine.running() or 0] ~= nil end,
    wait = function(wake_me, seconds)
      local me = coroutine.running()
      loop.due[me] = seconds and core.now() + seconds or math.huge
      if loop.early then loop.due[me] = 0 end
      wake_me(function() loop.due[me] = 0 end)
      coroutine.yield()
    end,
    spawn = loop.enter,
  }

  local function turn()
    for i = #loop.list, 1, -1 do
      local co = loop.list[i]
      if loop.due[co] <= core.now() then assert(coroutine.resume(co)) end
      if coroutine.status(co) == "dead" then
        table.remove(loop.list, i)
        loop.due[co] = nil
      end
    end
  end

  -- Sleeps in poll(2) on the descriptor, if there is somebody who can.
  local function rest()
    if has_cqueues and loop.plug.busy() then
      cqueues.poll({ pollfd = loop.plug.fd(), events = "r" }, 0.05)
    else
      coreclaw.sleep(0.002)
    end
  end

  function loop.run()
    local deadline = core.now() + 60
    while #loop.list > 0 do
      assert(core.now() < deadline, "it did not end")
      loop.plug.step()
      turn()
      rest()
    end
  end

  return loop
end

describe("a host of one's own", function()
  local server, client

  setup(function()
    server = box.start()
    client = box.client(server)
  end)
  teardown(function() server:stop() end)
  before_each(function() server:clear_faults() end)

  for _, name in ipairs(cases.order) do
    it(name, function()
      local loop, result = new_loop(), nil
      loop.enter(function()
        result = cases.run(name, { url = server.url, key = server.key, secret = server.secret, path = os.tmpname() })
      end)
      loop.run()
      assert.equal(true, result)
      assert.is_false(loop.plug.busy())
    end)
  end

  it("may come back early from its wait", function()
    local loop, got = new_loop(), nil
    loop.early = true
    server:fault { operation = "getAccount", delay = 0.2, times = 1 }
    loop.enter(function() got = assert(client:account()).balance end)
    loop.run()
    assert.is_string(got)
  end)

  it("is asked only where it says that it is here", function()
    local loop = new_loop()
    assert.is_string(assert(client:account()).balance) -- the main program blocks, as without it
    assert.is_false(loop.plug.busy())
    loop.plug.step()
    local task = coreclaw.spawn(function() return assert(client:account()).balance end)
    assert.is_string(task:join())
  end)

  it("without spawn still waits", function()
    local waited
    local me, due = nil, 0
    local plug = coreclaw.driver {
      name = "bare",
      is_here = function() return me ~= nil and coroutine.running() == me end,
      wait = function(wake_me)
        due = math.huge
        wake_me(function() due = 0 end)
        coroutine.yield()
      end,
    }
    local refused
    me = coroutine.create(function()
      waited = assert(client:account()).balance
      refused = box.raised(coreclaw.spawn, function() end)
    end)
    local deadline = core.now() + 30
    while coroutine.status(me) ~= "dead" and core.now() < deadline do
      plug.step()
      if due == 0 then assert(coroutine.resume(me)) end
      coreclaw.sleep(0.002)
    end
    assert.is_string(waited)
    assert.matches("the driver bare has no spawn", refused)
  end)

  it("must bring what is needed", function()
    assert.matches("coreclaw.driver: field wait is required",
      box.raised(coreclaw.driver, { is_here = function() return false end }))
    assert.matches("field is_here is required", box.raised(coreclaw.driver, { wait = function() end }))
    assert.matches("unknown option wiat", box.raised(coreclaw.driver, { wiat = function() end }))
    assert.matches("wait must be", box.raised(coreclaw.driver, { is_here = function() end, wait = 1 }))
  end)
end)

describe("coreclaw.connections", function()
  local scripted = require "spec.support.scripted"
  local server

  setup(function()
    server = box.start()
    -- What specs before have left on its way, and the connections that they were allowed, end here.
    collectgarbage()
    collectgarbage()
    coreclaw.sleep(0.5)
    coreclaw.connections(1)
    coreclaw.connections(16)
  end)
  teardown(function()
    coreclaw.connections(16)
    server:stop()
  end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
  end)

  -- What the kernel knows: established connections to that port. It tells of some twice when others come and go
  -- meanwhile.
  local function established(port)
    local n, seen, want = 0, {}, ("%%x*:%04X"):format(port)
    for line in io.lines "/proc/net/tcp" do
      local mine, remote, state = line:match "^%s*%d+: (%x+:%x+) (%x+:%x+) (%x+)"
      if mine and state == "01" and not seen[mine] and remote:match("^" .. want .. "$") then
        n, seen[mine] = n + 1, true
      end
    end
    return n
  end

  -- The most connections that were open at a time while so many calls ran.
  local function peak(client, calls, delay)
    local port, most, over = tonumber(server.url:match ":(%d+)"), 0, false
    server:fault { operation = "getAccount", delay = delay, times = calls }
    local list = {}
    for i = 1, calls do list[i] = function() return assert(client:account()).balance end end
    local watcher = coreclaw.spawn(function()
      while not over do
        most = math.max(most, established(port))
        coreclaw.sleep(0.02)
      end
    end)
    assert.equal(calls, #coreclaw.all(list))
    over = true
    watcher:join()
    return most
  end

  it("are 16 to one host by default, what is over that waits; and are changed while the program runs", function()
    local client = box.client(server)
    local control = 2 -- what sets faults keeps a connection too
    local first = peak(client, 60, 0.2)
    assert.is_true(first >= 14 and first <= 16 + control, first)
    coreclaw.connections(4)
    local fewer = peak(client, 20, 0.1)
    assert.is_true(fewer >= 4 and fewer <= 4 + control, fewer)
    coreclaw.connections(0)
    peak(client, 60, 0.3)
    server:fault { operation = "getAccount", delay = 0.3, times = 1 }
    local under_way = coreclaw.spawn(function() return client:account() end)
    coreclaw.connections(4) -- while something is on its way
    under_way:join()
    assert(client:account()) -- the first call after that has a new engine
    fewer = peak(client, 20, 0.1)
    assert.is_true(fewer >= 4 and fewer <= 4 + control, fewer)
    coreclaw.connections(30)
    local more = peak(client, 60, 0.3)
    assert.is_true(more >= 25 and more <= 30 + control, more)
  end)

  it("in line: a call is cancelled and its deadline holds, and nothing of it is sent", function()
    coreclaw.connections(2)
    local client = box.client(server)
    server:fault { operation = "getAccount", stall_after = 0, times = 2 }
    local stalled = {}
    for i = 1, 2 do stalled[i] = coreclaw.spawn(function() return client:account() end) end
    coreclaw.sleep(0.3)
    local asked = #server:requests()
    local waiting = coreclaw.spawn(function() return client:proxy_regions() end)
    local late = coreclaw.spawn(function() return client:proxy_regions { timeout = 0.3 } end)
    coreclaw.sleep(0.1)
    waiting:cancel()
    local _, cancelled = waiting:join()
    assert.equal("cancelled", cancelled.kind)
    assert.equal("no", cancelled.sent)
    local _, timeout = late:join()
    assert.equal("timeout", timeout.kind)
    assert.equal(asked, #server:requests())
    for _, task in ipairs(stalled) do
      task:cancel()
      task:join()
    end
    coreclaw.connections(16)
  end)

  it("one that is slow does not hold up the others", function()
    local client, before = box.client(server), core.now()
    server:fault { operation = "getAccount", delay = 5, times = 1 }
    local slow = coreclaw.spawn(function() return assert(client:account()).balance end)
    coreclaw.sleep(0.2)
    local list = {}
    for i = 1, 30 do list[i] = function() return assert(client:proxy_regions()) end end
    coreclaw.all(list)
    assert.equal("running", slow.status)
    assert.is_true(core.now() - before < 5 * scripted.patience)
    slow:cancel()
  end)

  it("takes numbers alone", function()
    assert.matches("to_one_host must be", box.raised(coreclaw.connections, -1))
    assert.matches("to_one_host must be", box.raised(coreclaw.connections))
    assert.matches("in_all must be", box.raised(coreclaw.connections, 1, "x"))
  end)
end)
