-- Thousands of calls in one nginx worker that end in every way: well, with an error, in a timeout,
-- cancelled, or with their caller gone. Nothing of them may stay.
local assert = require "luassert"
local core = require "coreclaw.core"
local nginx = require "spec.hosts.nginx"
local traffic = require "spec.hosts.traffic"

local M = {}

local WIDTH = 100
-- Calls in one request of nginx; a larger one only holds more at its peak.
local ROUND = 7000

local SERVER = [[
  lua_check_client_abort on;
  location = /mixture { content_by_lua_block {
    require "coreclaw".connections(200)
    ngx.print(require "spec.hosts.nginx_site".mixture(tonumber(ngx.var.arg_n), tonumber(ngx.var.arg_width)))
  } }
  location = /abandoned { content_by_lua_block { ngx.print(require "spec.hosts.nginx_site".abandoned()) } }
  location = /state { content_by_lua_block { ngx.print(require "spec.hosts.nginx_site".state()) } }
]]

-- Until then all 200 connections have been in use at once.
local WARM = 8 * ROUND

-- n calls, of which one in ten is made by a client that hangs up.
local function round(client, n)
  local mixed = n * 0.9
  local id, left = client:send(("/mixture?n=%d&width=%d"):format(mixed, WIDTH)), n - mixed
  while left > 0 do
    local some = math.min(left, 25)
    local ids = client:send_many("/abandoned", some)
    client:pass(0.02)
    for _, each in ipairs(ids) do client:drop(each) end
    left = left - some
  end
  local tenth = mixed / 10
  assert.equal(("cancelled=%d not_found=%d ok=%d timeout=%d"):format(2 * tenth, tenth, 6 * tenth, tenth),
    client:wait(id).body)
end

local function rounds(client, n)
  for first = 0, n - 1, ROUND do round(client, math.min(ROUND, n - first)) end
end

-- kB of Lua, of malloc, resident; threads, descriptors; when all has come to rest
local function state(client)
  local text
  for _ = 1, 200 do
    text = client:get "/state"
    if text:find "^0 false" then break end
    client:pass(0.05)
  end
  local pending, reading, lua, heap, rss, threads, fds = text:match "^(%d+) (%a+) (%d+) (%d+) (%d+) (%d+) (%d+)$"
  assert.equal("0 false", ("%s %s"):format(pending, reading), text)
  return { lua = tonumber(lua), heap = tonumber(heap), rss = tonumber(rss), threads = tonumber(threads), fds = tonumber(fds) }
end

---@param box coreclaw.Sandbox
---@param n integer
function M.run(box, n)
  local server = nginx.start { box = box, server = SERVER }
  local client = traffic.new(server)
  client.timeout = 600
  box:fault { operation = "getWorker", stall_after = 0, stall_for = 3, times = 2 * n + WARM }
  local begin = core.now()
  local long = n >= 20000
  rounds(client, long and WARM or 2000)
  local before = state(client)
  rounds(client, n)
  local after = state(client)
  local log = server:log()
  client:close()
  server:stop()
  io.stderr:write(("nginx, %d mixed calls in %.1f s: Lua %d → %d kB, malloc %d → %d kB, "
    .. "resident %d → %d kB, threads %d → %d, descriptors %d → %d\n"):format(n, core.now() - begin, before.lua,
    after.lua, before.heap, after.heap, before.rss, after.rss, before.threads, after.threads, before.fds, after.fds))
  assert.equal("", log)
  assert.is_true(after.lua < before.lua + 512, "Lua's memory grew")
  assert.is_true(after.heap < before.heap + 512, "memory grew")
  assert.is_true(after.rss < before.rss + 4096, "resident memory grew")
  assert.equal(before.threads, after.threads)
  -- How many idle connections are kept, ours and the clients', differs by dozens; of thousands of calls a
  -- leak would show more.
  assert.is_true(after.fds <= before.fds + 200, "descriptors grew")
end

return M
