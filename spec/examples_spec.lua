-- The examples are run as a person runs them.

describe("examples/quickstart.lua", function()
  local function shell(command)
    local pipe = io.popen(command)
    local output = pipe:read "*a"
    pipe:close()
    return (output:gsub("\n$", ""))
  end

  local function lua()
    local i = 0
    while arg[i - 1] do i = i - 1 end
    return arg[i]
  end

  local function run(prefix, arguments)
    return shell(string.format("%s %s examples/quickstart.lua %s 2>&1; echo \"exit $?\"; echo",
      prefix or "", lua(), arguments or ""))
  end

  it("runs a Worker of the sandbox and prints its rows", function()
    local output = run "CORECLAW_API_KEY="
    assert.matches("started   run %w+ of demo/page%-scraper", output)
    assert.matches("succeeded %d+ rows", output)
    assert.matches("\n%-%-%-+  %-%-%-", output)
    assert.matches("done      %d+ rows\nexit 0\n$", output)
  end)

  it("talks to the platform that the environment names, with the Worker and input given", function()
    local box = require "spec.support.box"
    local server = box.start()
    local output = run(
      string.format("CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s", server.key, server.url),
      [['demo/rows' '{"count": 3}']])
    assert.matches("done      3 rows\nexit 0\n$", output)
    assert.equal(1, server:paid())
    server:stop()
  end)

  it("says how it wants to be called", function()
    assert.matches("usage: .*exit 2", run "CORECLAW_API_KEY=k CORECLAW_BASE_URL=http://127.0.0.1:1")
    assert.matches("usage: .*exit 2", run("CORECLAW_API_KEY=k CORECLAW_BASE_URL=http://127.0.0.1:1", "--resume"))
  end)

  describe("after Ctrl-C", function()
    local box, coreclaw = require "spec.support.box", require "coreclaw"
    local server, folder
    before_each(function()
      server = box.start()
      folder = shell "mktemp -d"
    end)
    after_each(function()
      shell("rm -rf " .. folder)
      server:stop()
    end)

    local function read(name)
      local file = io.open(folder .. "/" .. name)
      local text = file and file:read "*a" or ""
      if file then file:close() end
      return text
    end

    -- Generous: the machine may have much to do.
    local function wait_for(name, pattern)
      for _ = 1, 600 do
        if read(name):find(pattern) then return read(name) end
        coreclaw.sleep(0.1)
      end
      error("never came: " .. pattern .. " in " .. read(name))
    end

    local function environment()
      return string.format("CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s", server.key, server.url)
    end

    -- In the background; its output in `out`, its process id in `pid`.
    local function launch(env, arguments)
      shell(string.format([[{ %s %s examples/quickstart.lua %s > %s/out 2>&1 & echo $! > %s/pid;
        wait $!; echo "exit $?" >> %s/out; } > %s/null 2>&1 &]], env, lua(), arguments, folder, folder, folder, folder))
    end

    local function interrupt()
      shell("kill -INT " .. wait_for("pid", "%d+"))
      return wait_for("out", "exit %d+")
    end

    it("says how to take the run up again, which was neither aborted nor paid twice", function()
      launch(environment(), [['demo/rows' '{"count": 30, "delay": 0.15}']])
      wait_for("out", "running")
      local output = interrupt()
      assert.matches("stopped   waiting; run %w+ was not aborted and goes on", output)
      assert.matches("exit 130\n$", output)
      assert.not_matches("traceback", output)
      assert.is_nil(output:find(server.key, 1, true))
      local command = output:match "\n  ([^\n]+ %-%-resume [^\n]+)\n"
      output = shell(environment() .. " " .. command .. " 2>&1; echo \"exit $?\"")
      assert.matches("resumed   run %w+", output)
      assert.matches("done      30 rows\nexit 0$", output)
      assert.equal(1, (server:paid()))
      for _, request in ipairs(server:requests()) do assert.not_matches("abort", request.operation) end
    end)

    it("during the start says that it may have happened, and sends nothing any more", function()
      server:fault { operation = "runWorker", stall_after = 0, stall_for = 30, work = true }
      launch(environment(), "'demo/rows'")
      for _ = 1, 600 do
        if #server:requests() > 0 then break end
        coreclaw.sleep(0.1)
      end
      coreclaw.sleep(0.3)
      local output = interrupt()
      assert.matches("stopped   while the run was being started: it may have been, once", output)
      assert.matches("exit 130\n$", output)
      coreclaw.sleep(0.5)
      assert.is_true(server:paid() <= 1)
      assert.equal(1, #server:requests())
    end)

    it("with a sandbox of its own leaves nothing behind", function()
      launch("CORECLAW_API_KEY=", [['demo/rows' '{"count": 100, "delay": 0.2}']])
      local url = wait_for("out", "running"):match "sandbox   (%S+)"
      assert.matches("stopped   the sandbox and run %w+ in it end with this program\nexit 130\n$", interrupt())
      for _ = 1, 100 do
        local _, err = coreclaw.new({ api_key = "k", base_url = url, retry = false }):account()
        if err.kind == "network" then return end
        coreclaw.sleep(0.1)
      end
      error "the sandbox is still there"
    end)
  end)
end)

describe("examples/own_loop.lua", function()
  it("draws its frames while its actors wait for Workers", function()
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local pipe = io.popen("CORECLAW_API_KEY= " .. arg[i] .. " examples/own_loop.lua 2>&1; echo \"exit $?\"")
    local output = pipe:read "*a"
    pipe:close()
    assert.matches("Ann has row 3 in frame %d+\n", output)
    assert.matches("Bob has row 5 in frame %d+\n", output)
    local frames = tonumber(output:match "done in (%d+) frames\nexit 0\n$")
    assert.is_true(frames and frames > 3, output)
  end)
end)
