-- The cases of every host, in a plain Lua program.
local cases = require "spec.hosts.cases"
local coreclaw = require "coreclaw"
local driver = require "coreclaw.driver"
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

  local function client() return coreclaw.new { api_key = box.key, base_url = box.url } end

  it("a call that a finalizer makes takes nothing of the call in which it comes", function()
    local c, inner = client(), 0
    local function leave()
      local function call() if c:account() then inner = inner + 1 end end
      local proxy = rawget(_G, "newproxy")
      if not proxy then return setmetatable({}, { __gc = call }) end
      getmetatable(proxy(true)).__gc = call
    end
    for i = 1, 400 do
      if i % 3 == 0 then leave() end
      assert.is_string(assert(c:account()).balance)
    end
    collectgarbage()
    assert.is_true(inner > 0)
  end)

  it("what the core refuses to send costs no connection", function()
    local c = client()
    assert(c:account())
    local before = c:stats().connections
    local ok, why = pcall(driver.current().exchange, { url = "ftp://127.0.0.1/" })
    assert.is_false(ok)
    assert.matches('field "url"', why)
    assert(c:account())
    assert.equal(before, c:stats().connections)
  end)
end)
