--- Waiting in nginx: a thread does the transfers, and a unix socket tells a light thread of ours that
--- something has ended; whoever waits does so on a semaphore of its own.
--
-- The light thread is a timer that ends about a second after the last transfer: one that stayed would
-- hold up reload and quit, and with lua_code_cache off there would be one for each request.

local core = require "coreclaw.core"
local pool = require "coreclaw.driver.pool"
local protect = require "coreclaw.driver.protect"
local validate = require "coreclaw.validate"

local driver = { name = "nginx" }

local transfers = pool.new "thread"
local reading = false   -- there is a reader, or one will start
local listening = false -- it is connected

local CAN_WAIT = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Seconds. While nobody reads, whoever waits looks for itself: nginx may be out of timers, or going.
local SLICE, LOOK = 1, 0.02

local function check_phase()
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
  socket:settimeout(1000)
  return socket
end

local function read(socket)
  repeat
    local _, err = socket:receiveany(4096)
    transfers:drain()
  until err and (err ~= "timeout" or not transfers:busy())
end

local function reader()
  local ok, err = pcall(function()
    local socket = connect()
    if not socket then return end
    listening = true
    transfers:drain()
    read(socket)
    socket:close()
  end)
  reading, listening = false, false
  if not ok then ngx.log(ngx.ERR, "coreclaw: ", tostring(err)) end
end

local function ensure_reader()
  if not reading then reading = ngx.timer.at(0, reader) and true or false end
end

-- ---- the driver -------------------------------------------------------------------------------

function driver.is_here()
  local host = rawget(_G, "ngx")
  return type(host) == "table" and host.get_phase ~= nil
end

function driver.submit(request)
  check_phase()
  local _, fresh = transfers:bind()
  if fresh then reading, listening = false, false end
  local record = transfers:submit(request)
  ensure_reader()
  return record
end

function driver.wait(record, seconds)
  check_phase()
  local semaphore = require("ngx.semaphore").new(0)
  local deadline = seconds and core.now() + seconds or math.huge
  pool.on_done(record, function() semaphore:post(1) end)
  while not record.done do
    local rest = deadline - core.now()
    if rest <= 0 then break end
    semaphore:wait(math.min(rest, (listening or not transfers:busy()) and SLICE or LOOK))
    if not record.done and transfers:busy() and not listening then
      transfers:drain()
      ensure_reader()
    end
  end
  return record.done
end

function driver.poll()
  if transfers:busy() then transfers:drain() end
end

function driver.cancel(record)
  transfers:cancel(record)
end

function driver.progress(record)
  return transfers:progress(record)
end

---Runs fn in a light thread of the request, or in a timer where there is none to be had.
function driver.spawn(task, fn, failed)
  local run = protect.wrap(task, fn, failed)
  if CAN_WAIT[ngx.get_phase()] then
    task.thread = ngx.thread.spawn(run)
    return
  end
  local ok, err = ngx.timer.at(0, run)
  if not ok then validate.fail("coreclaw.spawn: nginx gives no timer: " .. tostring(err)) end
end

return driver
