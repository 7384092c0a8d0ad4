local json = require "coreclaw.json"
local schema = require "coreclaw.schema"

describe("schema.check_system", function()
  local function check(parameters)
    local list = {}
    for i, issue in ipairs(schema.check_system(parameters)) do list[i] = issue.message end
    return list
  end

  it("takes what fits", function()
    assert.same({}, check(nil))
    assert.same({}, check {})
    assert.same({}, check {
      cpus = 0.125, memory = 512, execute_limit_time_seconds = 1800, max_total_charge = 0,
      max_total_traffic = 1.5, proxy_region = "PT",
    })
    for memory, cpus in pairs {
      [512] = 0.125, [1024] = 0.25, [2048] = 0.5, [4096] = 1, [8192] = 2, [16384] = 4,
    } do
      assert.same({}, check { memory = memory, cpus = cpus })
      assert.same({}, check { memory = memory })
      assert.same({}, check { cpus = cpus })
    end
    assert.same({}, check { memory = json.null, proxy_region = json.null })
  end)

  it("knows which cpus and memory go together", function()
    assert.same({ "system.cpus must be 0.125 with memory 512 (or memory 4096 with cpus 1), got 1" },
      check { memory = 512, cpus = 1 })
    assert.matches("system.memory must be one of 512, 1024", check({ memory = 1000 })[1])
    assert.matches("system.memory must be one of", check({ memory = "512" })[1])
    assert.matches("system.cpus must be one of 0.125", check({ cpus = 3 })[1])
  end)

  it("checks types and ranges", function()
    for _, value in ipairs { 0, -1, 1.5, "1800", true } do
      assert.matches("system.execute_limit_time_seconds must be a whole number of seconds",
        check({ execute_limit_time_seconds = value })[1])
    end
    for _, name in ipairs { "max_total_charge", "max_total_traffic" } do
      for _, value in ipairs { -1, "5", {}, math.huge, 0 / 0 } do
        assert.matches("system." .. name .. " must be a number, 0 or more", check({ [name] = value })[1])
      end
    end
  end)

  it("checks the form of the region", function()
    local issue = schema.check_system({ proxy_region = "pt" })[1]
    assert.equal("PT", issue.did_you_mean)
    assert.equal("system.proxy_region must be the two capital letters of a region, such as US, "
      .. 'got the string "pt"; did you mean PT?', issue.message)
    assert.equal("GB", schema.check_system({ proxy_region = "UK" })[1].did_you_mean)
    assert.matches("two capital letters", check({ proxy_region = "Portugal" })[1])
    assert.matches("two capital letters", check({ proxy_region = 5 })[1])
  end)

  it("says what an unknown name may have meant", function()
    assert.same({
      "system.cpu is not known; did you mean cpus?", "system.memory_bytes is not known; did you mean memory?",
      "system.zzz is not known",
    }, check { cpu = 1, memory_bytes = 512, zzz = 1 })
  end)

  it("refuses what is no table of names", function()
    assert.has_error(function() schema.check_system { 1 } end)
    local ok, err = pcall(schema.check_system, "512")
    assert.is_false(ok)
    assert.matches("system_spec.lua:%d+: schema.check_system: system must be a table", err)
  end)
end)
