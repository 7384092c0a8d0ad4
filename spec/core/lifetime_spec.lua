-- Whatever is closed, collected, forked or ended at the wrong moment: nothing crashes, hangs or leaks.
-- Worth most under the sanitizers and valgrind, where make test runs it again.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local drain, finish, fetch = scripted.drain, scripted.finish, scripted.fetch
local has_ffi, ffi = pcall(require, "ffi")

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read("*a")
  pipe:close()
  return (out:gsub("%s+$", ""))
end

-- After a moment: right after the fork this process still holds both ends of the pipe.
local function count_fds() return tonumber(shell(("sleep 0.1; ls /proc/%d/fd | wc -l"):format(core.pid()))) end

-- An object whose finalizer calls f, on every Lua.
local function doomed(f)
  if newproxy then -- luacheck: ignore
    local proxy = newproxy(true) -- luacheck: ignore
    getmetatable(proxy).__gc = f
    return proxy
  end
  return setmetatable({}, { __gc = f })
end

describe("lifetime", function()
  local server, url

  setup(function()
    server = scripted.start()
    url = server.url
  end)

  teardown(function() server.stop() end)

  it("a closed engine says so, to every method", function()
    local engine = core.engine({})
    assert.equal("coreclaw.engine (open, 0 in flight)", tostring(engine))
    engine:submit({ url = url .. "/silent" })
    assert.equal("coreclaw.engine (open, 1 in flight)", tostring(engine))
    engine:close()
    engine:close()
    assert.equal("coreclaw.engine (closed)", tostring(engine))
    for _, method in ipairs({ "submit", "step", "wait", "next", "cancel", "fd", "inflight" }) do
      local ok, err = pcall(engine[method], engine, 1)
      assert.is_false(ok)
      assert.equal("coreclaw.engine is closed", err)
    end
    for _, method in ipairs({ "submit", "step", "wait", "next", "cancel", "fd", "inflight", "close" }) do
      assert.has_error(function() engine[method](io.stdout) end)
      assert.has_error(function() engine[method]({}) end)
      assert.has_error(function() engine[method]() end)
    end
  end)

  it("closing ends what is in flight, in every phase", function()
    local engine = core.engine({ max_host_connections = 4 })
    for _, path in ipairs({ "/silent", "/stall", "/endless", "/ok", "/ok", "/drip/100/10" }) do
      engine:submit({ url = url .. path })
    end
    engine:submit({ url = "http://127.0.0.1:" .. server.full .. "/" })
    engine:submit({ url = "https://127.0.0.1:" .. server.mute .. "/" })
    engine:submit({ url = "http://no-such-host.invalid/" })
    engine:wait(0.05)
    engine:close()
  end)

  it("gives every descriptor back, also when it is only forgotten", function()
    collectgarbage()
    local before = count_fds()
    for i = 1, 50 do
      local engine = core.engine({})
      engine:submit({ url = url .. "/silent" })
      engine:submit({ url = url .. "/ok" })
      if i % 2 == 0 then engine:wait(0.01) end
      if i % 3 == 0 then engine:close() end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before, count_fds())
  end)

  it("survives a thousand openings and closings", function()
    local before = count_fds()
    for _ = 1, 1000 do core.engine({}):close() end
    assert.equal(before, count_fds())
  end)

  it("survives a collector that never rests", function()
    local generational = pcall(collectgarbage, "generational")
    local pause = not generational and collectgarbage("setpause", 1)
    local engine = core.engine({})
    local expected = {}
    for i = 1, 60 do
      local size = i * 997
      local options = { url = url .. "/body/" .. size, headers = { "X-Number: " .. i }, timeout = 10 }
      expected[engine:submit(options)] = size
      collectgarbage("step")
    end
    for _, result in ipairs(finish(engine)) do
      assert.equal(("x"):rep(expected[result.id]), result.body)
    end
    engine:close()
    if generational then collectgarbage("incremental") else collectgarbage("setpause", pause) end
  end)

  it("what was collected before a finalizer that still uses it is refused", function()
    local engine, said = core.engine({}), {}
    local function leave() -- all of it to one collection
      local shared, meter
      doomed(function() -- made first: its turn comes last
        said[1] = select(2, pcall(engine.submit, engine, { url = url .. "/ok", common = shared }))
        said[2] = select(2, pcall(engine.submit, engine, { url = url .. "/ok", meter = meter }))
      end)
      meter = core.meter()
      shared = core.common({ headers = { "X: y" }, meter = meter })
    end
    leave()
    collectgarbage()
    collectgarbage()
    assert.same({
      'submit: field "common" must be a coreclaw.common, got userdata',
      'submit: field "meter" must be a coreclaw.meter, got userdata',
    }, said)
    assert.equal(0, engine:inflight())
    engine:close()
  end)

  it("needs nothing of the coroutine that made it", function()
    local engine = coroutine.wrap(function()
      local made = core.engine({})
      made:submit({ url = url .. "/ok" })
      return made
    end)()
    collectgarbage()
    local result
    coroutine.wrap(function() result = finish(engine)[1] end)()
    assert.equal("ok", result.body)
    engine:close()
  end)

  it("a finalizer may take the same result or close the engine while a result is handed out", function()
    local pause = collectgarbage("setpause", 1)
    for i = 1, 60 do
      local engine = core.engine({})
      engine:submit({ url = url .. "/body/" .. 50000 + i })
      while engine:wait(1) > 0 do end
      for _ = 1, 20 do
        doomed(function()
          if i % 2 == 0 then pcall(engine.next, engine) end
          engine:close()
        end)
      end
      local ok, id, status, body = pcall(engine.next, engine)
      if ok and id then
        assert.equal(200, status)
        assert.equal(("x"):rep(50000 + i), body)
      end
      engine:close()
    end
    collectgarbage("setpause", pause)
  end)

  it("closes itself at the end of its block", function()
    local compile = loadstring or load -- luacheck: ignore
    local chunk = compile([[
      local core, seen = ...
      do local engine <close> = core.engine({}); seen[1] = engine end
    ]])
    if not chunk then return end -- only 5.4 has such blocks
    local seen = {}
    chunk(core, seen)
    assert.equal("coreclaw.engine (closed)", tostring(seen[1]))
  end)

  describe("a process that ends", function()
    local interpreter = package.cpath:match("(lua[%w.]+)/%?%.so") -- the module's folder is named after it
    local folder

    setup(function()
      folder = shell("mktemp -d")
      local compiler = os.getenv("CC") or "cc"
      shell(("env -u LD_PRELOAD %s -shared -fPIC -o %s/slow_dns.so spec/support/slow_dns.c"):format(compiler, folder))
    end)

    teardown(function() shell("rm -rf '" .. folder .. "'") end)

    -- Runs a program that begins with a core and an engine; returns its exit code and how long it took.
    local function run(program, preload)
      local path = folder .. "/program.lua"
      local file = assert(io.open(path, "w"))
      file:write('local core = require("coreclaw.core")\nlocal engine = core.engine({})\n', program)
      file:close()
      local before = core.now()
      local loaded = os.getenv("LD_PRELOAD")
      local libraries = (loaded and loaded .. ":" or "") .. (preload and folder .. "/" .. preload or "")
      local code = shell(("LD_PRELOAD='%s' %s %s; echo $?"):format(libraries, interpreter, path))
      return code, core.now() - before
    end

    it("with transfers open ends at once and cleanly", function()
      local code, took = run(([[
        for _, path in ipairs({ "/silent", "/stall", "/endless" }) do
          engine:submit({ url = "%s" .. path })
        end
        engine:wait(0.1)
        kept = engine
      ]]):format(url))
      assert.equal("0", code)
      assert.truthy(took < 5, took)
    end)

    -- Of 5.1 os.exit closes no state, and so leaves all to the system.
    for _, where in ipairs({ "the program", "a coroutine", "a function that pcall called" }) do
      it("by an os.exit that closes the state, in " .. where .. ", ends cleanly", function()
        local code, took = run(([[
          local function leave()
            for _, path in ipairs({ "/silent", "/stall", "/endless" }) do
              engine:submit({ url = "%s" .. path })
            end
            engine:wait(0.1)
            os.exit(0, true)
          end
          local how = { ["a coroutine"] = coroutine.wrap(leave), ["the program"] = leave }
          pcall(how["%s"] or leave)
        ]]):format(url, where))
        assert.equal("0", code)
        assert.truthy(took < 20, took)
      end)
    end

    it("during a slow lookup ends at once, and does not crash when its libraries are unloaded", function()
      local code, took = run([[
        engine:submit({ url = "http://slow.invalid/" })
        engine:wait(0.1)
        kept = engine
      ]], "slow_dns.so")
      assert.equal("0", code)
      assert.truthy(took < 5, took)
    end)

    it("can cancel, close and time out during a slow lookup without waiting for it", function()
      local code, took = run([[
        local id = engine:submit({ url = "http://slow.invalid/" })
        engine:submit({ url = "http://slower.invalid/", connect_timeout = 0.2 })
        engine:submit({ url = "http://slowest.invalid/", timeout = 0.2 })
        engine:wait(0.1)
        assert(engine:cancel(id))
        local kinds = {}
        repeat
          local left = engine:wait(1)
          repeat
            local ended, _, failure = engine:next()
            if ended then kinds[#kinds + 1] = failure.kind .. " " .. failure.sent end
          until not ended
        until left == 0
        assert(table.concat(kinds, ",") == "cancelled no,timeout no,timeout no", table.concat(kinds, ","))
        engine:submit({ url = "http://slow.invalid/" })
        engine:wait(0.1)
        engine:close()
      ]], "slow_dns.so")
      assert.equal("0", code)
      assert.truthy(took < 5, took)
    end)
  end)

  it("starts no program that inherits its descriptors or connections", function()
    local engine = core.engine({})
    engine:submit({ url = url .. "/silent" })
    engine:wait(0.05)
    engine:fd()
    local list = shell("ls -l /proc/self/fd; cat /proc/self/net/tcp")
    assert.is_nil(list:find("anon_inode", 1, true), list)
    -- libcurl's own wake-up pair, a Unix socket without a peer outside, cannot be helped
    for inode in list:gmatch("socket:%[(%d+)%]") do
      assert.is_nil(list:find(" " .. inode .. " %d"), "a TCP connection is inherited")
    end
    engine:close()
  end)

  -- The same without Lua stands in cc_engine_test.c, for Luas without an FFI.
  if has_ffi then
    it("belongs to its process: a forked child makes its own", function()
      ffi.cdef("int fork(void); int waitpid(int, int *, int); void _exit(int);")
      local engine = core.engine({})
      engine:submit({ url = url .. "/slow/300" })
      engine:wait(0.05)
      local pid = ffi.C.fork()
      if pid == 0 then
        local ok = pcall(function()
          for _, method in ipairs({ "submit", "step", "wait", "next", "cancel", "fd", "inflight" }) do
            local fine, err = pcall(engine[method], engine, 1)
            assert(not fine and err:find("belongs to the parent process", 1, true), err)
          end
          assert(tostring(engine) == "coreclaw.engine (of the parent process)")
          engine:close()
          local own = core.engine({})
          assert(fetch(own, { url = url .. "/ok" }).body == "ok")
          own:close()
        end)
        ffi.C._exit(ok and 0 or 1)
      end
      local status = ffi.new("int[1]")
      ffi.C.waitpid(pid, status, 0)
      assert.equal(0, status[0])
      assert.equal("ok", finish(engine)[1].body)
      assert.same({}, drain(engine))
      engine:close()
    end)

    it("a forked child that forgets it, or ends with it, leaves the parent's transfers alone", function()
      for _, forgets in ipairs({ true, false }) do
        local holder = { core.engine({}) }
        holder[1]:submit({ url = url .. "/slow/300" })
        holder[1]:submit({ url = url .. "/drip/20/20" })
        holder[1]:wait(0.05)
        local pid = ffi.C.fork()
        if pid == 0 then
          if forgets then
            holder[1] = nil
            collectgarbage()
            collectgarbage()
          end
          ffi.C._exit(7)
        end
        local status = ffi.new("int[1]")
        ffi.C.waitpid(pid, status, 0)
        assert.equal(7 * 256, status[0])
        local results = finish(holder[1])
        assert.equal(2, #results)
        for _, result in ipairs(results) do assert.equal(200, result.status) end
        holder[1]:close()
      end
    end)
  end
end)
