-- The cases of every host, in a plain Lua program.
local cases = require "spec.hosts.cases"
local sandbox = require "coreclaw.sandbox"

describe("in a plain program, coreclaw", function()
  local box

  setup(function() box = assert(sandbox.start {}) end)
  teardown(function() box:stop() end)

  for _, name in ipairs(cases.order) do
    it(name, function()
      assert.equal(true, cases.run(name, { url = box.url, key = box.key, secret = box.secret, path = os.tmpname() }))
    end)
  end
end)
