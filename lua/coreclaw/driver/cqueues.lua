--- Waiting in cqueues: of all who wait one watches the engine's descriptor, the others wait for it.

local core = require "coreclaw.core"
local coroutines = require "coreclaw.driver.coroutines"
local pool = require "coreclaw.driver.pool"
local protect = require "coreclaw.driver.protect"

local driver = { name = "cqueues" }

local transfers = pool.new "direct"
local leader          -- the coroutine that watches
local followers = {}  -- record → condition of who waits for that transfer

-- Whoever leads may be thrown away by its controller. Nobody waits longer than that without a look.
local LOOK = 1

local count, ended = 0, nil

local function lib(name)
  return require(name)
end

---Does a cqueues coroutine run here, or a task that was started in one?
function driver.is_here()
  local cqueues = package.loaded.cqueues
  if not cqueues then return false end
  local controller, own = cqueues.running()
  local task = coroutines.task()
  return controller ~= nil and (own or (task ~= nil and task.driver == driver))
end

local function hand_over()
  local _, condition = next(followers)
  if condition then condition:signal() end
end

local function has_leader()
  return leader ~= nil and coroutine.status(leader) ~= "dead"
end

local function rest(deadline)
  return math.min(LOOK, math.max(0, deadline - core.now()))
end

-- Watches until its own transfer has ended.
local function lead(record, deadline)
  leader = coroutine.running()
  local watched = { pollfd = transfers:bind():fd(), events = "r" }
  while not record.done and core.now() < deadline do
    lib "cqueues".poll(watched, rest(deadline))
    transfers.engine:step()
    transfers:drain()
  end
  leader = nil
  hand_over()
end

local function follow(record, deadline)
  local condition = lib "cqueues.condition".new()
  pool.on_done(record, function() condition:signal() end)
  followers[record] = condition
  condition:wait(rest(deadline))
  followers[record] = nil
end

-- Outside of cqueues, for something that was begun inside.
local function block(record, deadline)
  while not record.done and core.now() < deadline do
    transfers:bind():wait(rest(deadline))
    transfers:drain()
  end
end

function driver.submit(request)
  return transfers:submit(request)
end

function driver.wait(record, seconds)
  local deadline = seconds and core.now() + seconds or math.huge
  if not driver.is_here() then
    block(record, deadline)
    return record.done
  end
  while not record.done and core.now() < deadline do
    if transfers:busy() and not has_leader() then lead(record, deadline) else follow(record, deadline) end
  end
  return record.done
end

function driver.poll()
  if not transfers:busy() then return end
  transfers.engine:step()
  transfers:drain()
end

function driver.cancel(record)
  transfers:cancel(record)
end

function driver.progress(record)
  return transfers:progress(record)
end

---Runs fn in a coroutine of the controller that runs here.
function driver.spawn(task, fn, failed)
  task.driver = driver
  count = count + 1
  local function last()
    count = count - 1
    if count == 0 and ended then pool.complete(ended) end
  end
  local run = protect.wrap(task, function()
    fn()
    last()
  end, function(...)
    last()
    failed(...)
  end)
  lib "cqueues".running():wrap(run)
end

function driver.all_ended()
  if not ended or ended.done then ended = pool.signal() end
  if count == 0 then ended.done = true end
  return ended
end

return driver
