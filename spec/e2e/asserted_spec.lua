-- assert(client:anything()) raises the error object, where assert takes one. LuaJIT's raises the last value that it
-- was given: so there is no third one on failure.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

local lua_assert = (loadstring or load) "return assert"() -- luacheck: ignore 113

-- That of PUC Lua 5.1 and 5.2 takes texts only, and complains of our object instead of raising it.
local TEXTS_ONLY = not rawget(_G, "jit") and (_VERSION == "Lua 5.1" or _VERSION == "Lua 5.2")

local RUN = "01KZS4D8M2XW7Q5T9BHNVRC3EA"

local CALLS = {
  account = function(c) return c:account() end,
  proxy_regions = function(c) return c:proxy_regions() end,
  operation = function(c) return c:operation("getAccount", {}) end,
  request = function(c) return c:request { path = "/api/v2/users/account" } end,
  last_run = function(c) return c:last_run() end,
  create_task = function(c) return c:create_task { worker = "demo/rows", title = "t", input = {} } end,
  activate = function(c) return c:activate { "1" } end,
  release = function(c) return c:release { "1" } end,
  ["worker:detail"] = function(_, w) return w:detail() end,
  ["worker:input_schema"] = function(_, w) return w:input_schema() end,
  ["worker:versions"] = function(_, w) return w:versions() end,
  ["worker:last_run"] = function(_, w) return w:last_run() end,
  ["worker:prepare"] = function(_, w) return w:prepare {} end,
  ["worker:start"] = function(_, w) return w:start {} end,
  ["worker:start checked"] = function(_, w) return w:start({}, { check = true }) end,
  ["worker:call"] = function(_, w) return w:call {} end,
  ["worker:run_sync"] = function(_, w) return w:run_sync {} end,
  ["worker:queue"] = function(_, w) return w:queue {} end,
  ["run:reload"] = function(c) return c:run(RUN):reload() end,
  ["run:wait"] = function(c) return c:run(RUN):wait { timeout = 0.1 } end,
  ["run:abort"] = function(c) return c:run(RUN):abort() end,
  ["run:rerun"] = function(c) return c:run(RUN):rerun() end,
  ["run:log"] = function(c) return c:run(RUN):log() end,
  ["run:verdict"] = function(c) return c:run(RUN):verdict() end,
  ["run:results_page"] = function(c) return c:run(RUN):results_page() end,
  ["run:export_url"] = function(c) return c:run(RUN):export_url() end,
  ["run:export"] = function(c) return c:run(RUN):export "/nonexistent/file.csv" end,
  ["run:download_log"] = function(c) return c:run(RUN):download_log "/nonexistent/file.log" end,
  ["task:reload"] = function(c) return c:task("t"):reload() end,
  ["task:update"] = function(c) return c:task("t"):update { title = "x" } end,
  ["task:delete"] = function(c) return c:task("t"):delete() end,
  ["task:input"] = function(c) return c:task("t"):input() end,
  ["task:set_input"] = function(c) return c:task("t"):set_input {} end,
  ["task:start"] = function(c) return c:task("t"):start() end,
  ["task:run_sync"] = function(c) return c:task("t"):run_sync() end,
  ["item:activate"] = function(c) return c:queue_item("1"):activate() end,
  ["item:release"] = function(c) return c:queue_item("1"):release() end,
}

describe("a call that fails inside assert", function()
  local server
  setup(function() server = box.start() end)
  teardown(function() server:stop() end)

  -- Nobody there; a refusal; a success whose data cannot be used.
  local function failing(name, fault, base_url)
    it("raises the error object: " .. name, function()
      local client = box.client(server, { retry = false, base_url = base_url and server[base_url] or nil })
      local failures = 0
      for call, fn in pairs(CALLS) do
        server:clear_faults()
        if fault then server:fault(fault) end
        local list = { n = 0 }
        local function keep(...) list = { n = select("#", ...), ... } end
        keep(fn(client, client:worker "demo/rows"))
        if list[1] == nil then
          failures = failures + 1
          assert.equal(2, list.n, call)
          assert.is_true(coreclaw.is_error(list[2]), call)
          local ok, raised = pcall(lua_assert, list[1], list[2])
          assert.is_false(ok)
          if not TEXTS_ONLY then assert.equal(list[2], raised, call) end
          ok, raised = pcall(coreclaw.assert, list[1], list[2])
          assert.is_false(ok)
          assert.equal(list[2], raised, call)
        end
      end
      assert.is_true(failures > 25)
    end)
  end

  it("passes everything on when there is no failure", function()
    assert.same({ 1, nil, 3, n = 3 }, { n = select("#", coreclaw.assert(1, nil, 3)), coreclaw.assert(1, nil, 3) })
    assert.has_error(function() coreclaw.assert(false) end, "assertion failed!")
  end)

  failing("nobody answers", nil, "refused_url")
  failing("it is refused", { times = 99, status = 401, code = 12002 })
  failing("its data is a number", { times = 99, status = 200, body = '{"code":0,"data":7}' })
end)
