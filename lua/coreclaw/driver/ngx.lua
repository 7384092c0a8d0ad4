--- Waiting in nginx: a thread does the transfers, and a unix socket tells a light thread of ours that
--- something has ended; whoever waits does so on a semaphore of its own.
--
-- The light thread is a timer that ends about a second after the last transfer: one that stayed would
-- hold up reload and quit, and with lua_code_cache off there would be one for each request.

local core = require "coreclaw.core"
local base = require "coreclaw.driver.base"
local errors = require "coreclaw.errors"
local pool = require "coreclaw.driver.pool"
local protect = require "coreclaw.driver.protect"
local validate = require "coreclaw.validate"

local transfers = pool.new "thread"
local driver = base.over("nginx", transfers)

local reading = false   -- there is a reader
local listening = false -- it is connected
local ask_again = 0     -- when to ask for one again: nginx may take a timer and never run it
-- The semaphore on which the reader waits for more to do. It stays here until the wait has ended: LuaJIT
-- collects what a suspended function does not use any more, and nginx never wakes who waits on nothing.
local lingering
local dropped = {}      -- how those learn of it who join a task that nginx has dropped

local CAN_WAIT = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Seconds. While nobody reads, whoever waits looks for itself: nginx may be out of timers, or going.
local SLICE, LOOK = 1, 0.02
-- How long the reader stays when there is nothing left to do, and until another is asked for.
local LINGER, PATIENCE = 1, 1
-- Milliseconds. nginx writes each timeout of a socket to the user's error log, so there is none.
local FOR_EVER = 2 ^ 31 - 1

---Raises where nobody can wait.
function driver.check()
  local phase = ngx.get_phase()
  if CAN_WAIT[phase] then return end
  validate.fail("coreclaw cannot wait in nginx's " .. phase .. " phase: it cannot be suspended there. "
    .. "coreclaw.spawn(function() … end) runs it in a timer")
end

-- ---- the reader -------------------------------------------------------------------------------

local function connect()
  local path = transfers.engine:listen()
  local socket = path and ngx.socket.tcp()
  if not socket or not socket:connect("unix:" .. path) or not transfers.engine:accept() then return nil end
  socket:settimeout(FOR_EVER)
  return socket
end

-- Waits for the next transfer; false: none came.
local function linger()
  lingering = require("ngx.semaphore").new(0)
  local woken = lingering:wait(LINGER)
  lingering = nil
  return woken or transfers:busy()
end

local function read(socket)
  while transfers:busy() or linger() do
    local _, err
    if transfers:busy() then _, err = socket:receiveany(4096) end
    transfers:drain()
    if err and err ~= "timeout" then return end
  end
end

local function serve()
  local socket = connect()
  if not socket then return end
  listening = true
  transfers:drain()
  read(socket)
  socket:close()
end

local function reader()
  if reading then return end
  reading = true
  local ok, err = pcall(serve)
  reading, listening, lingering = false, false, nil
  if not ok then ngx.log(ngx.ERR, "coreclaw: ", tostring(err)) end
end

local function ensure_reader()
  if lingering then lingering:post(1) end
  if reading or core.now() < ask_again then return end
  if ngx.timer.at(0, reader) then ask_again = core.now() + PATIENCE end
end

-- ---- the driver -------------------------------------------------------------------------------

function driver.is_here()
  local host = rawget(_G, "ngx")
  return type(host) == "table" and host.get_phase ~= nil
end

function driver.submit(request)
  driver.check()
  local record = transfers:submit(request)
  ensure_reader()
  return record
end

-- Semaphores that nobody waits on, each with the function that posts it: else both are made for each wait.
local idle, MOST_IDLE = {}, 1000

-- Not within `wait`: nginx wipes the stack of a request whose client has gone, and with it the locals
-- that a function made there refers to.
local function poster(semaphore)
  return function() semaphore:post(1) end
end

local function take_semaphore()
  local one = table.remove(idle)
  if one then return one end
  local semaphore = require("ngx.semaphore").new(0)
  return { semaphore = semaphore, post = poster(semaphore) }
end

-- Not one that was posted without waking anybody, for who looked for itself: another would take that for its own.
-- (Whoever nginx has dropped brings nothing back.)
local function give_semaphore(one, posted)
  if not posted and #idle < MOST_IDLE then idle[#idle + 1] = one end
end

-- Ends tasks that nginx has dropped, for those who join them. Whoever waits looks each second.
local function tell_of_dropped()
  while #dropped > 0 do
    table.remove(dropped)(errors.new {
      kind = "cancelled", sent = "unknown",
      message = "nginx dropped the task: its request has ended, by its client or by ngx.exit",
    }, "")
  end
end

function driver.wait(record, seconds)
  driver.check()
  local one, woken = take_semaphore(), nil
  local deadline = seconds and core.now() + seconds
  pool.on_done(record, one.post)
  while not record.done do
    local rest = seconds and deadline - core.now() or SLICE
    if rest <= 0 then break end
    woken = one.semaphore:wait(math.min(rest, (listening or not transfers:busy()) and SLICE or LOOK))
    tell_of_dropped()
    if not record.done and transfers:busy() and not listening then
      transfers:drain()
      ensure_reader()
    end
  end
  pool.off_done(record, one.post)
  give_semaphore(one, record.done and not woken)
  return record.done
end

---For specs: how many transfers have not been taken, and whether there is a reader.
---@return integer pending
---@return boolean reading
function driver.state()
  local pending = 0
  for _ in pairs(transfers.records) do pending = pending + 1 end
  return pending, reading
end

-- nginx uses coroutines again, also that of a task whose client has gone: it runs others' requests then.
local function here_in(request)
  return function() return ngx.ctx == request end
end

-- nginx drops a task together with its request and tells nobody. What stood on its stack is collected
-- then, which notes it down and no more: when a Lua closes, semaphores are gone before this is called.
local function on_drop(task, failed)
  local guard = newproxy(true)
  getmetatable(guard).__gc = function()
    if task.status == "running" then dropped[#dropped + 1] = failed end
  end
  return guard
end

---Runs fn in a light thread of the request, or in a timer where there is none to be had.
function driver.spawn(task, fn, failed)
  local protected = protect.wrap(task, function()
    task.is_here = here_in(ngx.ctx)
    fn()
  end, failed)
  local function run()
    local guard = on_drop(task, failed)
    protected()
    getmetatable(guard).__gc = nil -- and so LuaJIT keeps it until here
  end
  if CAN_WAIT[ngx.get_phase()] then
    ngx.thread.spawn(run)
    return
  end
  local called, ok, err = pcall(ngx.timer.at, 0, run)
  if called and ok then return end
  validate.fail("coreclaw.spawn: nginx gives no timer in its " .. ngx.get_phase() .. " phase: "
    .. tostring(called and err or ok))
end

return driver
