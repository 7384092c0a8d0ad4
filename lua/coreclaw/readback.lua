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

-- Notes the items of a page. Was one of them new to this reading?
local function note(found, seen, list)
  local new = false
  for _, item in ipairs(list) do
    local ref = tostring(item.queue_ref)
    new, seen[ref], found[ref] = new or not seen[ref], true, true
  end
  return new
end

-- Reads the list to its end; returns how many pages it has.
local function read(client, deadline, found)
  local seen = {}
  for page = 1, client.settings.max_pages do
    local rest = client.clock:left(deadline)
    if rest <= 0 then return nil end
    local data, list = pages.fetch({
      client = client, operation = "listRunQueueItems", objects = true,
      options = { timeout = rest < math.huge and rest or 0 },
    }, page, 100)
    if not data then return nil end
    local new = note(found, seen, list)
    if #list < 100 then return page end
    if not new then return nil end
  end
end

---Which items does the queue hold? A list that repeats, or has no end within the time and `max_pages`,
---tells nothing.
---@param client table
---@param seconds fun(): number  asked once: what is left is for all pages
---@return table<string, true>?  nil when it cannot be read
function readback.queued(client, seconds)
  local found, deadline = {}, client.clock:deadline(seconds())
  local count = read(client, deadline, found)
  -- An item that leaves meanwhile lets another slip to a page that has been read: what two readings do
  -- not show is not there.
  if count and count > 1 then count = read(client, deadline, found) end
  return count and found or nil
end

return readback
