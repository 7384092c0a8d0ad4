-- The examples are run as a person runs them.

describe("examples/quickstart.lua", function()
  local function run(prefix, arguments)
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local pipe = io.popen(string.format("%s %s examples/quickstart.lua %s 2>&1; echo \"exit $?\"",
      prefix or "", arg[i], arguments or ""))
    local output = pipe:read "*a"
    pipe:close()
    return output
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
  end)
end)
