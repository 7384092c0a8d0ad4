local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox keys", function()
  local box
  local ACCOUNT = "/api/v2/users/account"

  setup(function()
    box = assert(sandbox.start({
      key = "good-key",
      accounts = {
        { key = "other", balance = 5, plan = "free" },
        { key = "old", state = "expired" },
        { key = "off", state = "disabled" },
      },
    }))
  end)

  teardown(function()
    box:stop()
  end)

  local function with(words, path)
    return http.new(box, words):get(path or ACCOUNT)
  end

  it("are taken in all three ways", function()
    assert.equal(200, with("-H 'Authorization: Bearer good-key'").status)
    assert.equal(200, with("-H 'authorization: bearer good-key'").status)
    assert.equal(200, with("-H 'api-key: good-key'").status)
    assert.equal(200, with("-A nobody", ACCOUNT .. "?token=good-key").status)
    assert.equal(200, with("-H 'Authorization: Bearer good-key' -H 'api-key: good-key'").status)
  end)

  it("are asked for", function()
    local answer = with("-A nobody")
    assert.equal(401, answer.status)
    assert.equal(12001, answer.code)
    assert.equal(12001, with("-H 'Authorization: Basic good-key'").code)
    assert.equal(12001, with("-A nobody", ACCOUNT .. "?token=").code)
  end)

  it("have to be good", function()
    for _, words in ipairs({ "Authorization: Bearer bad", "api-key: bad", "api-key: old", "api-key: off" }) do
      local answer = with("-H '" .. words .. "'")
      assert.equal(401, answer.status)
      assert.equal(12002, answer.code)
    end
    assert.equal(12002, with("-A nobody", ACCOUNT .. "?token=bad").code)
  end)

  it("are not looked at by public operations", function()
    assert.equal(200, with("-H 'api-key: bad'", "/api/v2/store").status)
    assert.equal(200, with("-A nobody", "/api/v2/store?token=bad").status)
  end)

  it("open one account each", function()
    assert.equal("5.0000", with("-H 'api-key: other'").data.balance)
    assert.equal("100.0000", with("-H 'api-key: good-key'").data.balance)
    local run = http.new(box):start('{"count":1}')
    assert.equal(70001, with("-H 'api-key: other'", "/api/v2/worker-runs/" .. run).code)
    assert.equal(0, with("-H 'api-key: other'", "/api/v2/worker-runs").data.count)
  end)
end)
