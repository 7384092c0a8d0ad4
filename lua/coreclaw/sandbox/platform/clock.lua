--- The sandbox's time. Everything in it that waits, waits here, so that `advance` can move a whole run,
-- with all its sleeps in their order, within milliseconds.

local semaphore = require("ngx.semaphore")

-- luacheck: globals ngx
local M = {}

local offset, frozen = 0, nil
local sleepers = {}

-- Threads of `spawn` that are at work rather than waiting: time is not moved under their feet.
local busy = 0
local spawned = setmetatable({}, { __mode = "k" })

--- `virtual`: time stands still except for advance.
function M.start(virtual)
  ngx.update_time()
  frozen = virtual and ngx.now() or nil
end

function M.now()
  return (frozen or ngx.now()) + offset
end

function M.seconds()
  return math.floor(M.now())
end

--- A place to wait at. One waits, anybody may wake it.
function M.place()
  return { semaphore = semaphore.new(0) }
end

-- From here on the thread that waits there counts as being at work again.
local function resume(place)
  if place.spawned and not place.resumed then
    place.resumed = true
    busy = busy + 1
  end
  place.semaphore:post(1)
end

function M.wake(place)
  if place.waiting and not place.woken then
    place.woken = true
    resume(place)
  end
end

--- Runs a function beside everything else.
function M.spawn(fn)
  busy = busy + 1
  local ok, message = ngx.timer.at(0, function(premature)
    local thread, fine, trouble = coroutine.running(), true, nil
    spawned[thread] = true
    if not premature then
      fine, trouble = pcall(fn)
    end
    spawned[thread], busy = nil, busy - 1
    if not fine then
      ngx.log(ngx.ERR, trouble)
    end
  end)
  if not ok then
    busy = busy - 1
    error("no timer: " .. tostring(message), 0)
  end
end

-- With a frozen clock there is nothing to be late for; look again now and then all the same.
local function slice(left)
  if frozen then
    return 3600
  end
  return left < 3600 and left or 3600
end

local function wait_until(place, at)
  while not place.woken do
    -- nginx's idea of the time is that of its last event; a wait for less than a millisecond returns at once.
    ngx.update_time()
    local left = at - M.now()
    if left <= 0 then
      return false
    end
    place.semaphore:wait(math.max(0.001, slice(left)))
  end
  return true
end

--- Waits at a place, at most so many seconds of sandbox time.
---@return boolean woken
function M.wait(place, seconds)
  ngx.update_time()
  place.waiting, place.woken, place.due = true, false, false
  place.at = M.now() + seconds
  place.spawned, place.resumed = spawned[coroutine.running()], false
  busy = busy - (place.spawned and 1 or 0)
  sleepers[place] = true
  local woken = wait_until(place, place.at)
  sleepers[place], place.waiting = nil, false
  busy = busy + ((place.spawned and not place.resumed) and 1 or 0)
  return woken
end

function M.sleep(seconds)
  M.wait(M.place(), seconds)
end

local function earliest(limit)
  local first
  for place in pairs(sleepers) do
    if place.at <= limit and not place.due and (not first or place.at < first.at) then
      first = place
    end
  end
  return first
end

-- Lets whatever is at work come to its next wait; not for ever, since some of it may be waiting for the real world.
local function settle()
  local patience = 5000
  while busy > 0 and patience > 0 do
    ngx.sleep(0.001)
    patience = patience - 1
  end
end

--- Moves time forward, waking every sleeper at its own moment.
function M.advance(seconds)
  ngx.update_time()
  local target = M.now() + seconds
  settle()
  while true do
    local place = earliest(target)
    if not place then
      break
    end
    offset = offset + math.max(0, place.at - M.now())
    place.due = true
    resume(place)
    settle()
  end
  offset = offset + math.max(0, target - M.now())
  return M.now()
end

--- How far the sandbox's time is ahead of real time.
function M.offset()
  return M.now() - ngx.now()
end

return M
