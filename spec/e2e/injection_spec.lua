-- Nothing that a caller passes can become a header, another request, or another host; and a closed client.
local box = require "spec.support.box"
local coreclaw = require "coreclaw"

local KEY = "kEy9fQz7-Lm2xP4vB8wR5"

describe("a control character", function()
  local server, client, run

  setup(function()
    server = box.start { key = KEY }
    client = box.client(server)
    run = assert(client:worker "demo/rows":call { count = 1 })
  end)
  teardown(function() server:stop() end)
  before_each(function() server:reset_requests() end)

  local function new(name)
    return function(bad)
      return coreclaw.new { api_key = KEY, base_url = server.url, allow_http = true, [name] = bad }:account()
    end
  end

  -- Field → a text that is fine there, and a use of it.
  local fields = {
    api_key = { KEY, function(bad) return coreclaw.new { base_url = server.url, api_key = bad }:account() end },
    user_agent = { "agent", new "user_agent" },
    base_url = { "http://127.0.0.1:1", function(bad) return coreclaw.new { api_key = KEY, base_url = bad }:account() end },
    proxy = { "http://127.0.0.1:1", new "proxy" },
    no_proxy = { "127.0.0.1", new "no_proxy" },
    ca_file = { "ca.pem", new "ca_file" },
    journal = { "journal", new "journal" },
    ["Worker id"] = { "demo/rows", function(bad) return client:worker(bad):start {} end },
    ["run id"] = { "01KX", function(bad) return client:run(bad):reload() end },
    ["task"] = { "01KX", function(bad) return client:task(bad):run() end },
    ["queue item"] = { "01KX", function(bad) return client:queue_item(bad):reload() end },
    callback_url = { "https://example.com/x", function(bad)
      return client:worker "demo/rows":start({ count = 1 }, { callback_url = bad })
    end },
    label = { "label", function(bad) return client:worker "demo/rows":start({ count = 1 }, { label = bad }) end },
    language = { "en", function(bad) return client:proxy_regions(bad) end },
    keyword = { "shop", function(bad) return client:store { keyword = bad }() end },
    path = { "/api/v2/users/account", function(bad) return client:request { path = bad } end },
    method = { "GET", function(bad) return client:request { method = bad, path = "/api/v2/users/account" } end },
    from = { "token", function(bad) return run:results { from = bad }() end },
  }

  local CONTROLS = { "\r\nX-Evil: 1", "\n", "\r", "\0", "\1", "\t", "\27[2J", "\31", "\127" }

  for name, field in pairs(fields) do
    it("is refused in " .. name .. " before anything is sent", function()
      for _, control in ipairs(CONTROLS) do
        for _, bad in ipairs { field[1] .. control, control .. field[1], field[1]:sub(1, 2) .. control .. field[1]:sub(3) } do
          local ok, err = pcall(field[2], bad)
          assert.is_false(ok, ("%s: %q was taken"):format(name, bad))
          assert.is_string(err)
          assert.is_truthy(err:find(name, 1, true), err)
          assert.is_nil(err:find "[%z\1-\31\127]", err)
          assert.is_nil(err:find(KEY, 1, true), err)
          assert.is_nil(err:find("xP4vB8wR5", 1, true), err)
        end
      end
      assert.same({}, server:requests())
    end)
  end

  it("in a query value of one's own travels percent-encoded, and adds no header", function()
    client:request { path = "/api/v2/users/account", query = { ["a\r\nX-Evil: 1"] = "b\r\nX-Evil: 2\0" } }
    local list = server:requests()
    assert.equal(1, #list)
    assert.is_nil(list[1].headers["x-evil"])
  end)

  it("in an input travels inside of the JSON", function()
    assert(client:worker "demo/rows":call { count = 1, note = "a\r\nX-Evil: 1" })
    for _, record in ipairs(server:requests()) do assert.is_nil(record.headers["x-evil"]) end
  end)
end)

describe("a closed client", function()
  local server

  setup(function() server = box.start { key = KEY } end)
  teardown(function() server:stop() end)
  before_each(function() server:reset_requests() end)

  it("says so, and sends nothing any more", function()
    local client = box.client(server)
    local worker, run = client:worker "demo/rows", client:run "01KX"
    client:close()
    client:close()
    for _, fn in ipairs {
      function() return client:account() end, function() return worker:start {} end,
      function() return run:reload() end, function() return client:runs()() end,
      function() return client:store()() end,
      function() return client:request { path = "/api/v2/users/account" } end,
    } do
      assert.matches("was not sent: the client is closed", box.raised(fn))
    end
    assert.same({}, server:requests())
  end)

  it("is not confused with a client that never had a key", function()
    local without = coreclaw.new { base_url = server.url }
    assert.matches("needs an API key: pass api_key", box.raised(function() return without:account() end))
  end)

  it("may be closed by a hook: what was not sent is not sent", function()
    local client
    client = box.client(server, { on_request = function() client:close() end })
    assert.matches("the client is closed", box.raised(function() client:worker "demo/rows":start {} end))
    assert.same({}, server:requests())
    client = box.client(server, { on_response = function() client:close() end })
    assert(client:account())
    server:fault { operation = "getAccount", times = 9, status = 500 }
    client = box.client(server, { on_retry = function() client:close() end })
    server:reset_requests()
    assert.matches("the client is closed", box.raised(function() client:account() end))
    assert.equal(1, #server:requests())
    server:clear_faults()
  end)
end)
