local callback = require "coreclaw.callback"
local coreclaw = require "coreclaw"
local json = require "coreclaw.json"

local function fault(body, headers)
  local event, err = callback.parse(body, headers)
  assert.is_nil(event)
  assert.is_true(coreclaw.is_error(err))
  assert.equal("bad_response", err.kind)
  return err.message
end

local V2 = [[{"run_slug": "01KZS4D8M2XW7Q5T9BHNVRC3EA", "run_status": "succeeded", "error_message": "",
  "execution_start_timestamp": 1786201200, "execution_end_timestamp": 1786201219, "running_duration": 19,
  "result_count": 38, "result_message": "done"}]]
local EARLY = [[{"run_id": 1791234567890123457, "run_status": "aborted", "error_message": "stopped by user",
  "execution_start_timestamp": 1786190000, "execution_end_timestamp": 1786190044, "running_duration": 44,
  "result_count": 5, "result_message": ""}]]
local V1 = [[{"run_slug": "01KSGT5P0W8B3E7QZ6NDVXKM4R", "status": 3, "results": 20, "usage": "0.11"}]]

-- What an event holds, without `raw`.
local function plain(event)
  local copy = {}
  for name, value in pairs(event) do copy[name] = value end
  copy.raw = nil
  return copy
end

describe("callback.parse", function()
  it("reads the body of v2", function()
    local event = assert(callback.parse(V2, { ["Content-Type"] = "application/json" }))
    assert.same({
      variant = "v2", run_slug = "01KZS4D8M2XW7Q5T9BHNVRC3EA", status = "succeeded", final = true,
      started_at = 1786201200, finished_at = 1786201219, duration = 19, results_count = 38,
      result_message = "done",
    }, plain(event))
    assert.equal("done", event.raw.result_message)
    assert.equal("coreclaw.Event 01KZS4D8M2XW7Q5T9BHNVRC3EA succeeded (v2)", tostring(event))
  end)

  it("reads the early body of v2, with every digit of the number", function()
    local event = assert(callback.parse(EARLY))
    assert.same({
      variant = "v2-early", run_id = "1791234567890123457", status = "aborted", final = true,
      started_at = 1786190000, finished_at = 1786190044, duration = 44, results_count = 5,
      error_message = "stopped by user",
    }, plain(event))
    assert.equal("coreclaw.Event run 1791234567890123457 aborted (v2-early)", tostring(event))
  end)

  it("reads the body of v1", function()
    local event = assert(callback.parse(V1))
    assert.same({
      variant = "v1", run_slug = "01KSGT5P0W8B3E7QZ6NDVXKM4R", status = "succeeded", final = true,
      results_count = 20, usage = "0.11",
    }, plain(event))
  end)

  it("says the status in words, whether final or not", function()
    for number, word in ipairs { "ready", "running", "succeeded", "failed", "aborting" } do
      local final = word == "succeeded" or word == "failed"
      local v1 = assert(callback.parse(('{"run_slug":"A","status":%d}'):format(number)))
      local v2 = assert(callback.parse(('{"run_slug":"A","run_status":"%s"}'):format(word)))
      assert.same({ word, final, word, final }, { v1.status, v1.final, v2.status, v2.final })
    end
    local odd = assert(callback.parse '{"run_slug":"A","run_status":"paused"}')
    assert.same({ "paused", false }, { odd.status, odd.final })
    assert.equal("9", assert(callback.parse '{"run_slug":"A","status":9}').status)
  end)

  it("keeps ids of any size", function()
    for _, id in ipairs {
      "0", "7", "9007199254740993", "123456789012345", "9223372036854775807", "18446744073709551615",
    } do
      assert.equal(id, assert(callback.parse('{"run_id":' .. id .. ',"run_status":"ready"}')).run_id)
      assert.equal(id, assert(callback.parse('{"run_id":"' .. id .. '","run_status":"ready"}')).run_id)
    end
    local slug = assert(callback.parse '{"run_id":"01KZS4D8M2","run_status":"ready"}')
    assert.same({ "v2-early", "01KZS4D8M2" }, { slug.variant, slug.run_slug })
    assert.is_nil(slug.run_id)
  end)

  it("needs only run and status, and passes odd fields over", function()
    local event = assert(callback.parse [[{"run_slug":"A","run_status":"failed","result_count":"many",
      "error_message":null,"execution_start_timestamp":null,"running_duration":{},"more":[1]}]])
    assert.same({ variant = "v2", run_slug = "A", status = "failed", final = true }, plain(event))
    assert.same({ 1 }, event.raw.more)
  end)

  it("takes milliseconds for what they are", function()
    local event = assert(callback.parse [[{"run_slug":"A","run_status":"failed",
      "execution_start_timestamp":1786201200999,"execution_end_timestamp":0}]])
    assert.equal("1786201200", tostring(event.started_at))
    assert.equal(0, event.finished_at)
  end)

  it("refuses what is no callback", function()
    assert.matches("no body", fault(nil))
    assert.matches("no body", fault "")
    assert.matches("no JSON object: ", fault "run_slug=A&run_status=ready")
    assert.matches("no JSON object", fault "5")
    assert.matches("no JSON object", fault "null")
    assert.matches("no run status", fault "[]")
    assert.matches("no run status", fault '{"run_slug":"A"}')
    assert.matches("no run status", fault '{"run_slug":"A","run_status":null}')
    assert.matches("no run status", fault '{"run_slug":"A","run_status":{}}')
    assert.matches("no run status", fault '{"run_slug":"A","status":""}')
    assert.matches("no run_slug", fault '{"run_status":"ready"}')
    assert.matches("no run_slug", fault '{"run_id":1.5,"run_status":"ready"}')
    assert.matches("no run_slug", fault '{"run_id":-1,"run_status":"ready"}')
    assert.matches("no run_slug", fault '{"run_id":1e300,"run_status":"ready"}')
    assert.matches("no run_slug", fault '{"run_id":1e17,"run_status":"ready"}') -- no digits, a guess
  end)

  it("does not let a forged body name what no run is named", function()
    for _, slug in ipairs { "last", "../account", "a/b", "a?b", "a b", "a%2fb", "a\\nb", "" } do
      assert.matches("no run_slug", fault('{"run_status":"ready","run_slug":"' .. slug .. '"}'))
    end
  end)

  it("knows a compressed body by its headers", function()
    assert.matches("compressed %(gzip%)", fault("\31\139", { ["content-encoding"] = "gzip" }))
    assert.matches("compressed %(br%)", fault(V2, { ["Content-Encoding"] = { "br" } }))
    assert.is_truthy(callback.parse(V2, { ["CONTENT-ENCODING"] = "Identity", [1] = "x" }))
  end)

  it("raises on a body that is no text", function()
    local ok, err = pcall(callback.parse, json.decode(V2))
    assert.is_false(ok)
    assert.matches("callback_spec.lua:%d+: callback.parse: body must be the text", err)
  end)
end)

describe("an event", function()
  local client = coreclaw.new { api_key = "key", base_url = "http://127.0.0.1:1" }

  it("leads to its run", function()
    local run = assert(assert(callback.parse(V2)):run(client))
    assert.equal("01KZS4D8M2XW7Q5T9BHNVRC3EA", run.slug)
    assert.equal("01KSGT5P0W8B3E7QZ6NDVXKM4R", assert(callback.parse(V1)):run(client).slug)
  end)

  it("says so where the run is known by number only", function()
    local run, err = assert(callback.parse(EARLY)):run(client)
    assert.is_nil(run)
    assert.is_true(coreclaw.is_error(err))
    assert.matches("by the number 1791234567890123457 only", err.message)
  end)

  it("has a key of run and status", function()
    assert.equal("01KZS4D8M2XW7Q5T9BHNVRC3EA succeeded", assert(callback.parse(V2)):key())
    assert.equal("1791234567890123457 aborted", assert(callback.parse(EARLY)):key())
  end)
end)
