local codec = require("coreclaw.sandbox.codec")
local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

local function statuses(box)
  local out = {}
  for _, request in ipairs(box:requests()) do
    if request.origin == "hook" then
      local body = codec.decode(request.body)
      out[#out + 1] = body.run_status or tostring(body.status)
    end
  end
  return table.concat(out, " ")
end

local function with(options, fn)
  local box = assert(sandbox.start(options))
  local ok, message = pcall(fn, box, http.new(box))
  box:stop()
  assert(ok, message)
end

local function start(box, api, custom)
  return api:start(custom or '{"count":3}', '"callback_url":"' .. box.hook_url .. 'a?x=1"')
end

local function arrive(box, wanted)
  return http.eventually(function()
    return statuses(box) == wanted
  end), statuses(box)
end

describe("sandbox callbacks", function()
  it("are really posted, after every change and at the end", function()
    with({}, function(box, api)
      local run = start(box, api)
      assert.is_true(arrive(box, "running succeeded"))
      local list = box:requests()
      local last = list[#list]
      assert.equal("POST", last.method)
      assert.equal("/hook/a", last.path)
      assert.equal("x=1", last.query)
      assert.equal("application/json", last.headers["content-type"])
      local body = codec.decode(last.body)
      assert.equal(run, body.run_slug)
      assert.equal(3, body.result_count)
      assert.equal("", body.error_message)
      assert.equal("done", body.result_message)
      for _, field in ipairs({ "execution_start_timestamp", "execution_end_timestamp", "running_duration" }) do
        assert.is_number(body[field])
      end
      assert.is_nil(body.run_id)
      assert.is_true(http.eventually(function()
        return #box:callbacks() == 2
      end))
      local calls = box:callbacks()
      assert.equal(204, calls[2].status)
      assert.equal("succeeded", calls[2].run_status)
    end)
  end)

  it("tell of failures and aborts", function()
    with({ abort_for = 0 }, function(box, api)
      start(box, api, '{"count":3,"fail_at":1}')
      assert.is_true(arrive(box, "running failed"))
      box:reset_requests()
      local run = start(box, api, '{"count":1,"wait":20}')
      assert.is_true(api:await(run, "running"))
      api:poke("/api/v2/worker-runs/" .. run .. "/abort")
      assert.is_true(arrive(box, "running aborting failed"))
    end)
  end)

  it("have an older form with a number for the run", function()
    with({ callback_variant = "v2-early" }, function(box, api)
      start(box, api)
      assert.is_true(http.eventually(function()
        return #box:callbacks() == 2
      end))
      local body = box:callbacks()[1].body
      assert.matches('"run_id":179%d+', body)
      assert.is_nil(body:find("run_slug", 1, true))
    end)
  end)

  it("have the form of v1", function()
    with({ callback_variant = "v1" }, function(box, api)
      start(box, api)
      assert.is_true(arrive(box, "2 3"))
      assert.is_true(http.eventually(function()
        return #box:callbacks() == 2
      end))
      local body = codec.decode(box:callbacks()[2].body)
      assert.equal(3, body.results)
      assert.matches("^0%.%d+$", body.usage)
    end)
  end)

  it("come twice, or in the wrong order, on demand", function()
    with({ callback_copies = 2 }, function(box, api)
      start(box, api)
      assert.is_true(arrive(box, "running running succeeded succeeded"))
    end)
    with({ callback_order = "reversed" }, function(box, api)
      start(box, api)
      assert.is_true(arrive(box, "succeeded running"))
    end)
  end)

  it("that cannot be delivered are noted and not repeated", function()
    with({}, function(box, api)
      api:start('{"count":1}', '"callback_url":"' .. box.refused_url .. '/"')
      assert.is_true(http.eventually(function()
        return #box:callbacks() == 2
      end))
      assert.matches("connect", box:callbacks()[1].error)
    end)
  end)

  it("are not sent where nobody asked for them", function()
    with({}, function(box, api)
      api:start('{"count":1}', '"is_async":false')
      assert.same({}, box:callbacks())
    end)
  end)
end)
