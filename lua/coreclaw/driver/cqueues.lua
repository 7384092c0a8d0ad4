--- Waiting in cqueues: of all who wait one watches the engine's descriptor, the others wait for it.

local core = require "coreclaw.core"
local base = require "coreclaw.driver.base"
local coroutines = require "coreclaw.driver.coroutines"
local pool = require "coreclaw.driver.pool"
local protect = require "coreclaw.driver.protect"
local validate = require "coreclaw.validate"
local leader, led_at  -- the coroutine that watches, and when it last did
local followers = {}  -- conditions of those who wait

-- Whoever leads looks that often. Its controller may be thrown away, or not be run any more: then
-- another one leads.
local LOOK = 1

local count, ended = 0, nil

local function lib(name)
  return require(name)
end

-- A new descriptor may get the old one's number, and the controllers would take it for that.
local transfers = pool.new("direct", function(engine) lib "cqueues".cancel(engine:fd()) end)
local driver = base.over("cqueues", transfers)

---Does a cqueues coroutine run here, or a task that was started in one?
function driver.is_here()
  local cqueues = package.loaded.cqueues
  if not cqueues then return false end
  local controller, own = cqueues.running()
  local task = coroutines.task()
  return controller ~= nil and (own or (task ~= nil and task.driver == driver))
end

local function hand_over()
  local condition = next(followers)
  if condition then condition:signal() end
end

local function has_leader()
  return leader ~= nil and coroutine.status(leader) ~= "dead" and core.now() - led_at < 2 * LOOK
end

local function rest(deadline)
  return math.min(LOOK, math.max(0, deadline - core.now()))
end

-- Watches until its own transfer has ended.
local function lead(record, deadline)
  local me = coroutine.running()
  leader = me
  local engine = transfers:bind()
  local watched = { pollfd = engine:fd(), events = "r" }
  while leader == me and not record.done and core.now() < deadline do
    led_at = core.now()
    lib "cqueues".poll(watched, rest(deadline))
    if transfers.engine ~= engine then break end -- renewed meanwhile, with nothing on its way
    engine:step()
    transfers:drain()
  end
  if leader ~= me then return end
  leader = nil
  hand_over()
end

local function follow(condition, deadline)
  followers[condition] = true
  condition:wait(rest(deadline))
  followers[condition] = nil
end

local function condition_of(record)
  local condition = lib "cqueues.condition".new()
  return condition, pool.on_done(record, function() condition:signal() end)
end

-- Outside of cqueues, for something that was begun inside; and where PUC Lua 5.1 cannot suspend.
local function block(record, deadline)
  local done, hopeless = transfers:block(record, deadline)
  if hopeless then
    validate.fail("coreclaw: this wait would never end: a task of cqueues goes on in its controller alone, "
      .. "which cannot run meanwhile")
  end
  return done
end

function driver.wait(record, seconds)
  local deadline = seconds and core.now() + seconds or math.huge
  if not driver.is_here() or not coroutines.may_yield() then
    return block(record, deadline)
  end
  local condition, wake
  while not record.done and core.now() < deadline do
    if transfers:busy() and not has_leader() then
      lead(record, deadline)
    else
      if not condition then condition, wake = condition_of(record) end
      follow(condition, deadline)
    end
  end
  pool.off_done(record, wake)
  return record.done
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
