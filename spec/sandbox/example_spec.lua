-- How to test a script of one's own against the sandbox; the ten lines between the marks stand in README.md.
describe("the sandbox in somebody's specs", function()
  -- begin of the example
  local coreclaw, sandbox = require("coreclaw"), require("coreclaw.sandbox")
  local box = assert(sandbox.start({ key = "test-key" }))
  local client = coreclaw.new({ base_url = box.url, api_key = box.key })
  it("reads all rows although the server stumbles", function()
    box:fault({ operation = "listWorkerRunResults", status = 503, nth = 2 })
    local run, count = assert(client:worker("demo/rows"):call({ count = 250 })), 0
    for _ in run:results() do count = count + 1 end
    assert.equal(250, count)
    assert.equal(1, (box:paid()))
  end)
  -- end of the example
  teardown(function()
    box:stop()
  end)
end)

describe("the example in README.md", function()
  local function between(path, from, to)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return assert(text:match(from .. "\n(.-)" .. to))
  end

  it("is this one", function()
    assert.equal(between("spec/sandbox/example_spec.lua", "%-%- begin of the example", "%s*%-%- end of the example"),
      between("README.md", "```busted", "%s*```"))
  end)
end)
