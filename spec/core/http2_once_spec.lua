-- A run start on HTTP/2, against servers that refuse, hang up and lie at every moment: libcurl
-- resends on its own what a server says that it did not take. Which is fine for a read.
local core = require("coreclaw.core")
local coreclaw = require("coreclaw")
local python = require("spec.support.python")
local scripted = require("spec.support.scripted")

local fetch = scripted.fetch

if not core.curl.http2 or not core.curl.guards then return end -- a start keeps to HTTP/1.1 then

describe("HTTP/2 that misbehaves", function()
  local server, engine

  setup(function() server = python.start("h2_server") end)
  teardown(function() server.stop() end)
  before_each(function() engine = core.engine({}) end)
  after_each(function() engine:close() end)

  -- HEADERS frames and connections that this habit has seen.
  local function seen(habit)
    local body = scripted.get(("http://127.0.0.1:%d/%s"):format(server.count, habit))
    local requests, connections = body:match("^(%d+) (%d+)$")
    return tonumber(requests), tonumber(connections)
  end

  local function base(habit) return ("https://127.0.0.1:%d"):format(server[habit]) end

  local function post(habit, once)
    local before = seen(habit)
    local result = fetch(engine, {
      url = base(habit) .. "/start", method = "POST", body = "{}", once = once, ca_file = server.ca, timeout = 3,
    })
    return seen(habit) - before, result
  end

  local HABITS = {
    "refuse", "refuse_first", "internal", "cancel", "calm", "want_http1", "goaway", "goaway_close",
    "goaway_once", "goaway_taken", "goaway_error", "goaway_first", "close", "reset", "half",
    "half_refuse", "unframed", "hangup", "garbage", "silent",
  }

  for _, habit in ipairs(HABITS) do
    it("gets a start at most once when it has the habit " .. habit, function()
      local times, result = post(habit, true)
      assert.is_true(times <= 1, times .. " starts")
      assert.is_nil(result.status)
      assert.equal("unknown", result.failure.sent, result.failure.message)
    end)
  end

  it("gets it once, on a connection of its own, when it behaves", function()
    for i = 1, 3 do
      local times, result = post("ok", true)
      local _, connections = seen("ok")
      assert.equal(1, times)
      assert.equal(200, result.status, result.failure and result.failure.message)
      assert.equal("HTTP/2", result.headers:match("^HTTP/2"))
      assert.equal(i, connections)
    end
  end)

  it("gets more from libcurl without once", function()
    local times, result = post("refuse_first", false)
    assert.equal(2, times) -- without this the tests above would show nothing
    assert.equal(200, result.status, result.failure and result.failure.message)
    assert.is_true(post("refuse", false) > 2)
  end)

  -- libcurl 7.88 overlooks the end of about one in ten of these answers.
  it("may answer before the body has come, and no answer is left lying", function()
    for habit, status in pairs({ eager = 200, eager_bare = 204 }) do
      local options = {
        url = base(habit), method = "POST", body = "{}", once = true, ca_file = server.ca, timeout = 10,
      }
      for _ = 1, 25 do
        local result = fetch(engine, options)
        assert.equal(status, result.status, result.failure and result.failure.message)
      end
    end
  end)

  it("has seen nothing of a start when TLS did not come about", function()
    local before = seen("ok")
    local result = fetch(engine, { url = base("ok"), method = "POST", body = "{}", once = true })
    assert.equal("no", result.failure.sent)
    assert.equal(before, seen("ok"))
  end)

  describe("through the client", function()
    local function client(habit)
      return coreclaw.new({
        base_url = base(habit), api_key = "k", ca_file = server.ca, timeout = 10, request_timeout = 3,
        retry = { base = 0.01 },
      })
    end

    it("reads are answered although it refuses the first stream", function()
      for _, habit in ipairs({ "refuse_first", "goaway_once" }) do
        local before = seen(habit)
        assert.equal("1", assert(client(habit):account()).balance)
        assert.equal(2, seen(habit) - before)
      end
    end)

    it("a start that was refused is not made again, and nobody claims to know", function()
      for _, habit in ipairs({ "refuse_first", "goaway_once", "close", "internal", "goaway_first" }) do
        local before = seen(habit)
        local run, err = client(habit):worker("a/b"):start({})
        assert.is_nil(run)
        assert.equal("unknown_outcome", err.kind, habit)
        assert.equal(1, err.attempts)
        assert.is_true(seen(habit) - before <= 1)
      end
    end)

    it("a start that is taken is a run", function()
      local before = seen("ok")
      assert.equal("01KZS4D8M2XW7Q5T9BHNVRC3EA", assert(client("ok"):worker("a/b"):start({})).slug)
      assert.equal(1, seen("ok") - before)
    end)
  end)
end)
