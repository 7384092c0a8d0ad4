-- Where waiting in nginx may go wrong: phases, several workers, reload and quit, clients that hang up,
-- no code cache, no timers, and what else nginx has to do meanwhile. nginx' settings are its defaults.
local nginx = require "spec.hosts.nginx"
local sandbox = require "coreclaw.sandbox"
local traffic = require "spec.hosts.traffic"

if not rawget(_G, "jit") then return end

local SITE = 'local site = require "spec.hosts.nginx_site"\n'

-- location = /name with that Lua in its phase.
local function location(name, code, phase)
  return ("location = /%s { %s_by_lua_block { %s%s } }\n"):format(name, phase or "content", SITE, code)
end

local STATE = location("state", "ngx.print(site.state())")
local BALANCE = location("balance", "ngx.print(site.balance())")
local PROBE = location("probe", 'ngx.print "here"')

-- Asks until `want` is the answer, which takes a while.
local function settles(get, want, seconds)
  local got
  for _ = 1, (seconds or 10) * 20 do
    got = get()
    if got == want then return end
    os.execute "sleep 0.05"
  end
  assert.equal(want, got)
end

local function numbers(text)
  local names, state, i = { "pending", "reading", "lua", "heap", "rss", "threads", "fds" }, {}, 0
  for word in text:gmatch "%S+" do
    i = i + 1
    state[names[i]] = tonumber(word) or word
  end
  assert.equal(7, i, text)
  return state
end

-- The state of the only worker after all has come to rest.
local function state_at_rest(client)
  settles(function() return client:get "/state":match "^%d+ %a+" end, "0 false")
  return numbers(client:get "/state")
end

describe("in nginx, with its default settings, coreclaw", function()
  local box, server, client

  local CONFIG = BALANCE .. STATE .. PROBE
    .. location("rewrite", "ngx.print(site.balance()) ngx.exit(200)", "rewrite")
    .. location("access", "ngx.print(site.balance()) ngx.exit(200)", "access")
    .. location("timer", [[
        local done, said = require "ngx.semaphore".new(0)
        ngx.timer.at(0, function() said = site.balance() done:post(1) end)
        done:wait(20)
        ngx.print(said)]])
    .. location("threads", [[
        local threads, good = {}, 0
        for i = 1, 8 do threads[i] = ngx.thread.spawn(site.balance) end
        for i = 1, 8 do
          local ok, said = ngx.thread.wait(threads[i])
          if ok and said == "ok" then good = good + 1 end
        end
        ngx.print(good)]])
    .. location("coroutine", "ngx.print(coroutine.wrap(site.balance)())")
    .. location("tls", "ngx.print(site.tls_balance())")
    .. location("many", 'require "coreclaw".connections(400) ngx.print "set"')
    .. location("abandoned", "ngx.print(site.abandoned())")
    .. location("collected", "ngx.print(site.collected())")
    .. location("read_on", "ngx.print(site.read_on())")
    .. location("join_kept", "ngx.print(site.join_kept())")
    .. location("keep_abandoned", "site.kept = require 'coreclaw'.spawn(site.abandoned) site.kept:join()")
    .. location("cancel_kept", "ngx.print(site.cancel_kept())")
    .. location("said", "ngx.print(tostring(site.said[ngx.var.arg_phase]))")
    .. [[
    lua_check_client_abort on;
    location = /set { set_by_lua_block $said { return require "spec.hosts.nginx_site".refusal() }
      content_by_lua_block { ngx.print(ngx.var.said) } }
    location = /header_filter { header_filter_by_lua_block { require "spec.hosts.nginx_site".note() }
      content_by_lua_block { ngx.print "sent" } }
    location = /body_filter { body_filter_by_lua_block { require "spec.hosts.nginx_site".note() }
      content_by_lua_block { ngx.print "sent" } }
    location = /log { log_by_lua_block { require "spec.hosts.nginx_site".note() }
      content_by_lua_block { ngx.print "sent" } }
    location = /balancer { proxy_pass http://balanced/probe; }
    location = /cancelled_task { log_by_lua_block { require "spec.hosts.nginx_site".cancelled_task() }
      content_by_lua_block { ngx.print "sent" } }
    location = /left_task { log_by_lua_block { require "spec.hosts.nginx_site".left_task() }
      content_by_lua_block { ngx.print "sent" } }
    location = /start_later { content_by_lua_block { ngx.print "sent" }
      log_by_lua_block {
        local site = require "spec.hosts.nginx_site"
        site.said.start_later = site.start_later(ngx.var.arg_count)
      } }
    location = /journal { content_by_lua_block { ngx.print "sent" }
      log_by_lua_block {
        local site = require "spec.hosts.nginx_site"
        local client = site.client("journal", { journal = os.getenv "BOX_FILE" })
        local ok, err = pcall(function() return client:worker "demo/rows":start { count = 1 } end)
        site.said.journal = ok and "it did not fail" or tostring(err)
      } }
  ]]

  local HTTP = [[
    init_by_lua_block { require "spec.hosts.nginx_site".note()
      local site = require "spec.hosts.nginx_site"
      site.said.spawn_in_init = site.start_later(1) }
    init_worker_by_lua_block { require "spec.hosts.nginx_site".note() }
    upstream balanced {
      server 127.0.0.1:1;
      balancer_by_lua_block {
        require "spec.hosts.nginx_site".note()
        require "ngx.balancer".set_current_peer("127.0.0.1", ngx.var.server_port)
      }
    }
  ]]

  setup(function()
    box = assert(sandbox.start { tls = true })
    server = nginx.start { box = box, http = HTTP, server = CONFIG }
    client = traffic.new(server)
  end)

  teardown(function()
    client:close()
    server:stop()
    box:stop()
  end)

  before_each(function() box:clear_faults() end)
  after_each(function() assert.equal("", server:log()) end)

  for _, where in ipairs { "rewrite", "access", "balance", "timer", "coroutine" } do
    it("waits in " .. (where == "balance" and "content" or where), function()
      assert.equal("ok", client:get("/" .. where))
    end)
  end

  it("waits in light threads of the program's own", function()
    assert.equal("8", client:get "/threads")
  end)

  for _, phase in ipairs { "set", "header_filter", "body_filter", "log", "balancer", "init", "init_worker" } do
    it("refuses to wait in " .. phase .. ", and says what to do", function()
      local said = phase == "set" and client:get "/set"
      if not phase:find "^init" and phase ~= "set" then client:get("/" .. phase) end
      if not said then
        settles(function() return client:get("/said?phase=" .. phase) ~= "nil" end, true)
        said = client:get("/said?phase=" .. phase)
      end
      assert.matches("nginx's " .. phase .. " phase", said, 1, true)
      assert.matches("coreclaw.spawn", said, 1, true)
      assert.not_matches("BUT", said, 1, true)
    end)
  end

  it("says where there are no tasks either", function()
    assert.matches("coreclaw.spawn.* init phase", client:get "/said?phase=spawn_in_init")
  end)

  it("means nothing, in the journal, where nothing can be sent", function()
    client:get "/journal"
    settles(function() return client:get "/said?phase=journal" ~= "nil" end, true)
    assert.matches("nginx's log phase", client:get "/said?phase=journal", 1, true)
    local file = io.open(server.folder .. "/out")
    local text = file and file:read "*a" or ""
    if file then file:close() end
    assert.not_matches("demo/rows", text, 1, true)
  end)

  it("starts a run in the log phase, in a timer, and nobody waits for it", function()
    local before = box:paid()
    assert.equal("sent", client:get "/start_later?count=7")
    settles(function() return (box:paid()) - before end, 1)
    assert.equal("ok", client:get "/said?phase=start_later")
    settles(function() return client:get "/state":match "^%d+" end, "0")
  end)

  it("writes nothing to the error log while it waits for seconds", function()
    box:fault { operation = "getAccount", delay = 2.5 }
    assert.equal("ok", client:get "/balance")
  end)

  it("ends its reader a second or so after the last transfer", function()
    assert.equal("ok", client:get "/balance")
    assert.equal("0 true", client:get "/state":match "^%d+ %a+")
    state_at_rest(client)
    assert.equal("ok", client:get "/balance")
  end)

  -- LuaJIT forgets, once it has compiled a function, what that does not use any more.
  it("wakes its reader when everything is collected meanwhile", function()
    for _ = 1, 30 do
      assert.equal("ok", client:get "/balance")
      client:pass(0.01)
      assert.equal("ok", client:get "/collected")
      client:pass(0.01)
    end
  end)

  describe("leaves the worker responsive during", function()
    local SLOW = 1

    local function measure(what, path, n)
      client:get "/many"
      box:fault { operation = "getAccount", delay = SLOW, times = n }
      local ids = client:send_many(path, n)
      local times = client:probe("/probe", ids)
      io.stderr:write(("nginx, %s: %d probes, median %.2f ms, max %.2f ms\n"):format(what, times.n,
        times.median * 1000, times.max * 1000))
      assert.same({ ok = n }, client:bodies(ids))
      -- who blocks lets a probe wait for a slow request, at least
      assert.is_true(times.max < SLOW, "a probe took " .. times.max)
      assert.is_true(times.median < SLOW / 4, "probes took " .. times.median)
    end

    it("a slow request", function() measure("1 slow request", "/balance", 1) end)
    it("200 requests at a time", function() measure("200 slow requests", "/balance", 200) end)
    it("100 new TLS connections", function() measure("100 new TLS connections", "/tls", 100) end)
  end)

  it("takes nobody for a task whose coroutine nginx uses again", function()
    client:get "/cancelled_task"
    client:pass(0.2)
    assert.same({ ok = 30 }, client:bodies(client:send_many("/balance", 30)))
    client:get "/left_task"
    client:pass(0.5)
    assert.equal("ok", client:get "/cancel_kept")
    assert.same({ ok = 30 }, client:bodies(client:send_many("/balance", 30)))
  end)

  it("ends for who joins it a task that nginx has thrown away", function()
    local DROPPED = "cancelled: nginx dropped the task: its request has ended, by its client or by ngx.exit"
    client:get "/left_task"
    client:pass(0.3)
    assert.equal(DROPPED, client:get "/join_kept")
    box:fault { operation = "getWorker", stall_after = 0, times = 1 }
    local id = client:send "/keep_abandoned"
    client:pass(0.2)
    client:drop(id)
    client:pass(0.2)
    assert.equal(DROPPED, client:get "/join_kept")
  end)

  it("goes on when clients hang up, and nothing stays", function()
    box:fault { operation = "getWorker", stall_after = 0, times = 1000 }
    client:get "/balance"
    local before = state_at_rest(client)
    local ids = client:send_many("/abandoned", 50)
    client:pass(0.1)
    for _, id in ipairs(ids) do client:drop(id) end
    assert.equal("ok", client:get "/balance")
    local after = state_at_rest(client)
    assert.equal(before.threads, after.threads)
    assert.equal("ok", client:get "/balance")
  end)

  it("reads on from an iterator whose reader nginx has thrown away, and from no other's", function()
    assert.equal("1", client:get "/read_on")
    box:fault { operation = "listWorkerRunResults", stall_after = 0, times = 1 }
    local id = client:send "/read_on"
    client:pass(0.2)
    assert.matches("this iterator is being read from already", client:get "/read_on")
    client:drop(id)
    client:pass(0.2)
    assert.equal("2", client:get "/read_on")
  end)
end)

describe("in nginx with three workers, coreclaw", function()
  local box, server, client, pids

  local CONFIG = PROBE .. location("balance", [[ngx.print(site.balance(made_in_init), " ", ngx.worker.pid())]])
  local HTTP = 'init_by_lua_block { made_in_init = require "spec.hosts.nginx_site".new_client() }'

  before_each(function()
    box = assert(sandbox.start {})
    server = nginx.start { box = box, http = HTTP, server = CONFIG, workers = 3 }
    client = traffic.new(server)
    pids = server:workers()
    box:fault { operation = "getAccount", delay = 1, times = 60 }
  end)

  after_each(function()
    client:close()
    server:stop()
    box:stop()
  end)

  -- How many of these ended well, and in how many workers.
  local function outcome(ids)
    local good, workers = 0, 0
    for body, n in pairs(client:bodies(ids)) do
      if body:find "^ok %d+$" then good, workers = good + n, workers + 1 end
    end
    return good, workers
  end

  local function gone()
    for _, pid in ipairs(pids) do
      if nginx.alive(pid) then return false end
    end
    return true
  end

  it("works in all of them with a client that was made in init_by_lua", function()
    local ids = client:send_many("/balance", 60)
    local good, workers = outcome(ids)
    assert.equal(60, good)
    assert.is_true(workers > 1, "all in one worker")
    assert.equal("", server:log())
  end)

  it("ends what is on its way before the workers of a reload go, and they do go", function()
    local ids = client:send_many("/balance", 40)
    client:pass(0.4)
    server:signal "HUP"
    assert.equal(40, (outcome(ids)))
    settles(gone, true)
    local again = client:send_many("/balance", 20)
    assert.equal(20, (outcome(again)))
    assert.equal(3, #server:workers())
    assert.equal("", server:log())
  end)

  it("ends what is on its way before nginx quits, and it does quit", function()
    local ids = client:send_many("/balance", 40)
    client:pass(0.4)
    server:signal "QUIT"
    assert.equal(40, (outcome(ids)))
    settles(gone, true)
    assert.equal("", server:log())
  end)
end)

describe("in nginx, coreclaw", function()
  local box, server, client

  local function start(options)
    options.box = box
    server = nginx.start(options)
    client = traffic.new(server)
  end

  setup(function() box = assert(sandbox.start {}) end)
  teardown(function() box:stop() end)

  after_each(function()
    client:close()
    server:stop()
  end)

  it("works without a code cache, where each request has a Lua of its own", function()
    start { http = "lua_code_cache off;", server = BALANCE }
    local worker = server:workers()[1]
    local function holds() return nginx.entries(worker, "task"), nginx.entries(worker, "fd") end
    for _ = 1, 3 do assert.equal("ok", client:get "/balance") end
    settles(function() return (holds()) end, 1)
    local _, fds = holds()
    for _ = 1, 2 do assert.same({ ok = 10 }, client:bodies(client:send_many("/balance", 10))) end
    settles(function() return (holds()) end, 1)
    local _, after = holds()
    assert.is_true(after <= fds + 9, ("%d descriptors, then %d"):format(fds, after)) -- connections of ours
  end)

  it("ends calls where nginx takes timers and does not run them, and reads as soon as it does", function()
    start { http = [[
        lua_max_running_timers 1;
        init_worker_by_lua_block {
          ngx.timer.at(0, function()
            local site = require "spec.hosts.nginx_site"
            while not site.said.enough do ngx.sleep(0.05) end
          end)
        }
      ]], server = BALANCE .. STATE .. location("enough", 'site.said.enough = true ngx.print "yes"') }
    assert.same({ ok = 20 }, client:bodies(client:send_many("/balance", 20)))
    assert.equal("0 false", client:get "/state":match "^%d+ %a+")
    assert.equal("yes", client:get "/enough")
    box:fault { operation = "getAccount", delay = 2.5 }
    local slow = client:send "/balance"
    settles(function() return client:get "/state":match "^%d+ %a+" end, "1 true")
    assert.equal("ok", client:wait(slow).body)
  end)

  it("ends calls where nginx gives no timers", function()
    start { http = [[
        lua_max_pending_timers 1;
        init_worker_by_lua_block { ngx.timer.at(1000, function() end) }
      ]], server = BALANCE .. STATE }
    assert.same({ ok = 20 }, client:bodies(client:send_many("/balance", 20)))
    assert.equal("0 false", client:get "/state":match "^%d+ %a+")
    assert.equal("", server:log())
  end)

  it("ends calls where there is no place for its socket", function()
    start { env = "TMPDIR=/proc/self", server = BALANCE .. STATE }
    assert.same({ ok = 20 }, client:bodies(client:send_many("/balance", 20)))
    assert.equal("", server:log())
  end)
end)

describe("in nginx, coreclaw", function()
  it("keeps nothing of thousands of calls that end in every way", function()
    local box = assert(sandbox.start {})
    require "spec.hosts.nginx_leaks".run(box, 5000)
    box:stop()
  end)
end)
