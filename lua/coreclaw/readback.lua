--- After a write whose answers were lost: what is true now?
--
-- A write may be sent again, but its last answer tells only of the last try: "no such task" after a
-- delete that was received, "cannot be aborted" after an abort that was. The state decides then.

local json = require "coreclaw.json"
local pages = require "coreclaw.pages"

local readback = {}

---May a try of this call have taken effect, though it ended with an error?
---@param err coreclaw.Error
---@return boolean
function readback.helps(err)
  if err.kind == "cancelled" then return false end
  return err.unsure == true or (err.sent == "unknown" and err.kind ~= "run_conflict")
end

---A function that tells how many seconds a call has left for reading; 0 = no limit.
---@param client table
---@param options { timeout: number? }  of the call, which begins now
---@return fun(): number
function readback.time(client, options)
  local deadline = client.clock:deadline(options.timeout or client.settings.timeout)
  return function()
    local rest = client.clock:left(deadline, 0.5)
    return rest < math.huge and rest or 0
  end
end

-- Does each field of one table stand in the other?
local function holds(wanted, found)
  if type(wanted) ~= "table" then return wanted == found end
  if type(found) ~= "table" then return false end
  for name, value in pairs(wanted) do
    if not holds(value, found[name]) or not holds(found[name], value) then return false end
  end
  return true
end

---Does an answer show everything that was sent?
---@param sent table
---@param data table
---@return boolean
function readback.shows(sent, data)
  -- As it comes back: big integers as digits, our tables for arrays as plain ones.
  local wanted = json.decode(json.encode(sent))
  return wanted ~= nil and holds(wanted, data)
end

---Which of these items does the queue hold?
---@param client table
---@param seconds fun(): number
---@return table<string, true>?  nil when it cannot be read
function readback.queued(client, seconds)
  local found, page = {}, 1
  while true do
    local data, list = pages.fetch({
      client = client, operation = "listRunQueueItems", objects = true, options = { timeout = seconds() },
    }, page, 100)
    if not data then return nil end
    for _, item in ipairs(list) do found[tostring(item.queue_ref)] = true end
    if #list < 100 then return found end
    page = page + 1
  end
end

return readback
