--- Waits that go on at the same time: one look at the run list does for up to 100 of their runs.
--
-- Whoever comes first to the end of a pause looks for all those whose pause ends soon as well, and wakes
-- them with what the list says of their runs. Nobody depends on that: whom the list does not show, and
-- everybody where it cannot be had, reads his run himself when his own pause has ended.

local core = require "coreclaw.core"
local driver = require "coreclaw.driver"
local listed = require "coreclaw.listed"
local pool = require "coreclaw.driver.pool"

-- Fewer runs are asked for one by one: a page of the list is longer than their records.
local AT_LEAST = 4

-- How much of a pause may be cut off. Pauses are ± 20 %, so those that began together go on together; and of
-- two groups that come in turn one takes the other along, for not both can have more than this still to go.
local SOON = 0.7

-- Seconds: at most for the list, and at least; how long one waits for somebody else's look; how long a list that
-- failed is left alone; after which a pause that has not ended never will, since its coroutine was thrown away.
local LOOK, ENOUGH, PATIENCE, REST, LOST = 20, 5, 30, 60, 60

-- A run that the list did not show so often is read by its own wait from then on.
local MISSES = 2

local together = {}

---@class coreclaw.Pause
---@field watch coreclaw.Watch
---@field due number        when it ends by itself
---@field length number     seconds
---@field signal coreclaw.Record   ends it early
---@field taken boolean?    somebody is looking for its run
---@field late boolean?     it has ended, and waits for that look
---@field record table?     what the list said of it
---@field missed boolean?   the list did not show it

local function pauses_of(client)
  client.pauses = client.pauses or {}
  return client.pauses
end

-- Takes those that end soon, and forgets those that nobody comes back to.
local function take(client, now)
  local all, taken = pauses_of(client), {}
  for pause in pairs(all) do
    if pause.due < now - LOST then
      all[pause] = nil
    elseif pause.due - now <= SOON * pause.length then
      taken[#taken + 1] = pause
    end
  end
  return taken
end

-- When the run of a watch was started, as far as that is known.
local function since(watch)
  local at = watch.run.started_at
  return type(at) == "number" and at > 0 and math.min(at, watch.began) or watch.began
end

-- Seconds for the list; nil: this watch has not got time enough left to look for others as well.
local function time_for(watch)
  local usual, left = watch.run.client.settings.timeout, watch:budget()
  local enough = usual > 0 and math.min(usual, ENOUGH) or ENOUGH
  if left == 0 then return LOOK end
  return left >= enough and math.min(left, LOOK) or nil
end

local function may_look(watch, now)
  return now >= (watch.run.client.list_rests or 0) and watch.misses < MISSES
end

-- The slugs to look for, how many they are, and since when.
local function wanted(watch, taken)
  local slugs, count, first = { [watch.run.slug] = true }, 1, since(watch)
  for _, pause in ipairs(taken) do
    local slug = pause.watch.run.slug
    if not slugs[slug] then slugs[slug], count = true, count + 1 end
    first = math.min(first, since(pause.watch))
  end
  return slugs, count, first
end

local function hand_out(taken, found, err)
  for _, pause in ipairs(taken) do
    pause.record, pause.taken = found[pause.watch.run.slug], nil
    pause.missed = not pause.record and not err
    if pause.record or pause.late then pool.complete(pause.signal) end
  end
end

---Pauses; at the end the watch may have a record of its run, from somebody else's look.
---@param watch coreclaw.Watch
---@param seconds number
---@return coreclaw.Error?  of a task that was cancelled
function together.pause(watch, seconds)
  local all, host = pauses_of(watch.run.client), driver.current()
  local pause = { watch = watch, due = core.now() + seconds, length = seconds, signal = pool.signal() }
  if watch.misses < MISSES then all[pause] = true end
  local _, err = host.attend(pause.signal, seconds)
  if pause.taken and not err then
    pause.late = true
    _, err = host.attend(pause.signal, math.min(PATIENCE, watch.clock:left(watch.deadline)))
  end
  all[pause] = nil
  if err then return err end
  watch.record = pause.record
  if pause.missed then watch.misses = watch.misses + 1 end
end

---The record of a watch's run: somebody else's look has brought it, or one that does for others as well.
---nil: the watch reads its run itself.
---@param watch coreclaw.Watch
---@return table?
---@return coreclaw.Error?  of kind `cancelled`: somebody wants an end of it
function together.record(watch)
  local record, client, now = watch.record, watch.run.client, core.now()
  watch.record = nil
  if record or not may_look(watch, now) then return record end
  local taken, seconds = take(client, now), time_for(watch)
  if #taken + 1 < AT_LEAST or not seconds then return nil end
  for _, pause in ipairs(taken) do
    client.pauses[pause], pause.taken = nil, true
  end
  local slugs, count, first = wanted(watch, taken)
  local found, err = listed.find({ client = client }, slugs, count, first, seconds)
  hand_out(taken, found, err)
  if err and err.kind == "cancelled" then return nil, err end
  if err then client.list_rests = core.now() + REST end
  record = found[watch.run.slug]
  if not record and not err then watch.misses = watch.misses + 1 end
  return record
end

return together
