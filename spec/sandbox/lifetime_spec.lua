local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

local function alive(pid)
  return http.shell("kill -0 " .. pid .. " 2>/dev/null && echo yes") ~= ""
end

local function exists(path)
  return http.shell("[ -e " .. path .. " ] && echo yes") ~= ""
end

-- The Lua that runs this spec.
local LUA = http.shell("readlink /proc/$PPID/exe"):gsub("\n", "")

local TRY = " -e 'print(select(2, require(\"coreclaw.sandbox\").start()))'"

-- A process of its own that starts a sandbox, prints pid and folder, and then does `more`.
local function child(more)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write([[
    local box = assert(require("coreclaw.sandbox").start())
    io.stdout:write(io.open("/proc/self/stat"):read("*a"):match("^%d+"), " ", box.pid, " ", box.dir, "\n")
    io.stdout:flush()
  ]] .. more)
  file:close()
  local pipe = io.popen(LUA .. " " .. name .. " 2>/dev/null", "r")
  local own, pid, dir = pipe:read("*l"):match("^(%d+) (%d+) (.*)$")
  os.remove(name)
  return { pipe = pipe, own = own, pid = pid, dir = dir }
end

local function gone(process)
  return http.eventually(function()
    return not alive(process.pid) and not exists(process.dir)
  end)
end

describe("sandbox lifetime", function()
  it("answers as soon as start returns, and leaves nothing behind", function()
    local box = assert(sandbox.start())
    assert.equal(200, http.new(box):get("/api/v2/users/account").status)
    assert.is_true(exists(box.dir))
    assert.equal("coreclaw.sandbox (" .. box.url .. ")", tostring(box))
    box:stop()
    assert.is_false(alive(box.pid))
    assert.is_false(exists(box.dir))
    assert.equal(7, http.new(box):get("/api/v2/store").exit)
    box:stop()
  end)

  it("keeps its folder to its owner", function()
    local box = assert(sandbox.start())
    assert.equal("drwx------", http.shell("ls -ld " .. box.dir):sub(1, 10))
    box:stop()
  end)

  it("gives every sandbox ports, state and a key of its own", function()
    local one, two = assert(sandbox.start()), assert(sandbox.start())
    assert.not_equal(one.url, two.url)
    assert.not_equal(one.key, two.key)
    assert.equal(401, http.new(two, "-H 'api-key: " .. one.key .. "'"):get("/api/v2/users/account").status)
    one:stop()
    assert.equal(200, http.new(two):get("/api/v2/users/account").status)
    two:stop()
  end)

  it("takes a port, and says so when it is in use", function()
    local first = assert(sandbox.start())
    local port = tonumber(first.url:match(":(%d+)$"))
    local second, message = sandbox.start({ port = port })
    assert.is_nil(second)
    assert.matches("port " .. port .. " is in use", message)
    first:stop()
    local again = assert(sandbox.start({ port = port, key = "my-key" }))
    assert.equal("http://127.0.0.1:" .. port, again.url)
    assert.equal("my-key", again.key)
    again:stop()
  end)

  it("tries another port when somebody was quicker", function()
    local ports = require("coreclaw.sandbox.ports")
    local first, choose, calls = assert(sandbox.start()), ports.choose, 0
    ports.choose = function(port) -- luacheck: ignore
      calls = calls + 1
      local chosen = choose(port)
      if calls == 1 then
        chosen.port = tonumber(first.url:match(":(%d+)$"))
      end
      return chosen
    end
    local box = assert(sandbox.start())
    ports.choose = choose -- luacheck: ignore
    assert.equal(2, calls)
    assert.not_equal(first.url, box.url)
    box:stop()
    first:stop()
  end)

  it("refuses what it does not know", function()
    local function raises(pattern, options)
      local ok, message = pcall(function()
        sandbox.start(options)
      end)
      assert.is_false(ok)
      assert.matches(pattern, message)
      assert.matches("lifetime_spec.lua", message)
    end
    raises('unknown option "prot"', { prot = 1 })
    raises('"port" must be a number', { port = "80" })
    raises("integer from 0 to 65535", { port = 70000 })
    raises('"plan" must be one of', { plan = "gold" })
    raises('"ready_for" must not be negative', { ready_for = -1 })
    raises('"balance" must be an amount', { balance = "much" })
    raises("takes a table", "port")
    raises("list of tables with a key", { accounts = { {} } })
    raises('unknown field "balanse"', { accounts = { { key = "a", balanse = 1 } } })
    raises("state of an account", { accounts = { { key = "a", state = "dead" } } })
    raises('"plan" must be one of', { accounts = { { key = "a", plan = "gold" } } })
  end)

  it("reports a folder that cannot be made", function()
    local text = http.shell("TMPDIR=/nowhere " .. LUA .. TRY)
    assert.matches("no folder could be made", text)
  end)

  it("says what to install where nginx is missing", function()
    local text = http.shell("CORECLAW_NGINX=/nowhere/nginx " .. LUA .. TRY)
    assert.matches("nginx is not installed", text)
    assert.matches("apt%-get install nginx libnginx%-mod%-http%-lua", text)
  end)

  it("says what it misses where LuaJIT finds no core", function()
    local box, message = sandbox.start({ cpath = "/nowhere/?.so" })
    assert.is_nil(box)
    assert.matches("coreclaw.core", message)
  end)

  it("reports a Worker file that does not load, and is gone", function()
    local folder = http.shell("mktemp -d"):gsub("\n", "")
    local file = assert(io.open(folder .. "/bad.lua", "w"))
    file:write("return {")
    file:close()
    local box, message = sandbox.start({ workers = folder })
    http.shell("rm -r " .. folder)
    assert.is_nil(box)
    assert.matches("bad.lua", message)
  end)

  it("ends when its parent ends without a word", function()
    local process = child("")
    process.pipe:read("*a")
    process.pipe:close()
    assert.is_true(gone(process))
  end)

  it("ends when its parent is killed", function()
    local process = child("os.execute('sleep 5 >/dev/null 2>&1')")
    assert.is_true(alive(process.pid))
    http.shell("kill -9 " .. process.own)
    assert.is_true(gone(process))
    process.pipe:close()
  end)

  it("ends when its parent is killed and a child of the parent holds the pipe", function()
    local process = child("os.execute('sleep 20 >/dev/null 2>&1 & echo $!') io.stdout:flush() "
      .. "os.execute('sleep 5 >/dev/null 2>&1')")
    local sleeper = process.pipe:read("*l")
    http.shell("kill -9 " .. process.own)
    assert.is_true(gone(process))
    assert.is_true(alive(sleeper))
    http.shell("kill " .. sleeper)
    process.pipe:close()
  end)

  it("stops although a child of the parent holds the pipe", function()
    local box = assert(sandbox.start())
    local sleeper = http.shell("sleep 20 >/dev/null 2>&1 & echo $!")
    box:stop()
    assert.is_false(alive(box.pid))
    http.shell("kill " .. sleeper)
  end)

  it("ends when its handle is forgotten", function()
    local box = assert(sandbox.start())
    local pid, dir = box.pid, box.dir
    box = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_false(alive(pid))
    assert.is_false(exists(dir))
  end)

  it("survives the death of its server", function()
    local box = assert(sandbox.start())
    http.shell("kill -9 " .. box.pid)
    assert.is_true(http.eventually(function()
      return not exists(box.dir)
    end))
    assert.has_error(function()
      box:requests()
    end, nil)
    box:stop()
  end)
end)

describe("a Worker that never lets go", function()
  it("cannot keep the sandbox alive", function()
    local folder = http.shell("mktemp -d"):gsub("\n", "")
    local file = assert(io.open(folder .. "/stuck.lua", "w"))
    file:write("return { path = 'me/stuck', run = function() while true do end end }")
    file:close()
    local box = assert(sandbox.start({ workers = folder }))
    http.shell("rm -r " .. folder)
    local caller = http.new(box)
    assert.equal(0, caller:post("/api/v2/workers/me~stuck/runs", "{}").code)
    http.shell("sleep 0.1")
    box:stop()
    assert.is_false(alive(box.pid))
    assert.is_false(exists(box.dir))
  end)
end)

describe("the sandbox as a command", function()
  local function start(words)
    local pipe = io.popen(LUA .. " lua/coreclaw/sandbox/main.lua " .. words .. " 2>&1 & echo $!; wait", "r")
    return pipe, pipe:read("*l")
  end

  for _, signal in ipairs({ "TERM", "INT" }) do
  it("prints url and key first, and ends on " .. signal, function()
    local pipe, pid = start("--key my-key --plan free")
    local url = pipe:read("*l"):match("^url: (http://127.0.0.1:%d+)$")
    assert.equal("key: my-key", pipe:read("*l"))
    assert.matches("^site: ", pipe:read("*l"))
    local caller = http.new({ url = url, key = "my-key" })
    assert.equal(200, caller:get("/api/v2/users/account").status)
    http.shell("kill -" .. signal .. " " .. pid)
    assert.is_true(http.eventually(function()
      return caller:get("/api/v2/store").exit == 7 and not alive(pid)
    end))
    pipe:close()
  end)
  end

  it("explains itself", function()
    local command = LUA .. " lua/coreclaw/sandbox/main.lua %s 2>&1; echo exit $?"
    local text = http.shell(command:format("--what"))
    assert.matches("usage: lua main.lua", text)
    assert.matches("exit 2\n$", text)
    text = http.shell(command:format("--plan gold"))
    assert.matches('"plan" must be one of', text)
    assert.matches("exit 1\n$", text)
  end)
end)
