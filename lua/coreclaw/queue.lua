--- The run queue: runs that wait to be activated. A queued run does not start by itself, and the
--- platform tells no run id when one is activated.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local json = require "coreclaw.json"
local paging = require "coreclaw.paging"
local readback = require "coreclaw.readback"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

---@class coreclaw.QueueItem
---@field queue_ref string     the item's id
---@field queue_status string?  "waiting" or "inactive"; nil until it was read
---@field raw table            as it came
local Item = { __name = "coreclaw.QueueItem" }
Item.__index = Item

---@class coreclaw.QueueOutcome
---@field queue_ref string
---@field success boolean
---@field error string?
---@field sent coreclaw.Sent   "yes", "refused"; "unknown" where an earlier attempt may have done it

local TIMEOUT = { type = "seconds" }
local ONLY_TIMEOUT = { timeout = TIMEOUT }
local RELEASE = { reason = { type = "string" }, timeout = TIMEOUT }
local LIST = {
  status = { type = "string", enum = { "waiting", "inactive" } },
  limit = { type = "integer", min = 1, max = 100, default = 100 },
  page = { type = "integer", min = 1, default = 1 },
  timeout = TIMEOUT,
}

local queue = {}

local function text(value)
  return (type(value) == "string" or type(value) == "number") and tostring(value) or nil
end

local function item_of(client, data)
  return setmetatable({
    client = client, queue_ref = text(data.queue_ref), queue_status = text(data.queue_status), raw = data,
  }, Item)
end

function Item:__tostring()
  return string.format("coreclaw.QueueItem %s (%s)", self.queue_ref, self.queue_status or "unread")
end

---Queues a run: `worker:queue`.
function queue.add(client, params, options)
  local since = math.floor(core.time())
  local data, err, behind = http.data(client, "queuedRunWorker", params,
    { timeout = options.timeout, label = options.label })
  if not data then return nil, err end
  if not url.usable(text(data.queue_ref)) then
    return nil, http.unknown_outcome(answer.unusable("the platform queued the run but gave no usable queue_ref",
      "queuedRunWorker"), { params = params, intent = behind and behind.intent }, since)
  end
  return item_of(client, data), nil, behind
end

-- References of items: handles or ids.
local function refs_of(where, items)
  if type(items) ~= "table" or getmetatable(items) == Item or #items == 0 then
    validate.fail(where .. ": a list of queue items is wanted, and at least one")
  end
  local list = json.array {}
  for i, item in ipairs(items) do
    list[i] = url.queue_id(getmetatable(item) == Item and item.queue_ref or item, where)
  end
  return list
end

local function outcomes_of(client, operation, data, behind)
  local results, err = answer.list(data, "results", operation, true)
  if not results then return nil, err end
  local list, all, key = {}, true, config.secret(client.settings)
  for i, item in ipairs(results) do
    local why = text(item.error)
    list[i] = {
      queue_ref = text(item.queue_ref), success = item.success == true, error = why and errors.mask(why, key),
    }
    list[i].sent = list[i].success and "yes" or behind.unsure and "unknown" or "refused"
    all = all and list[i].success
  end
  return list, all
end

-- What the call says of this item: did it succeed, and if not, why not.
local function outcome_for(self, list)
  for _, outcome in ipairs(list) do
    if outcome.queue_ref == self.queue_ref then return outcome.success, outcome.error end
  end
  return false, list[1] and list[1].error
end

local function not_done(self, operation, why, said)
  return errors.new {
    kind = said and "run_conflict" or "bad_response", operation = operation, sent = "refused",
    message = "queue item " .. self.queue_ref .. ": " .. (why or "the platform did not do it and gave no reason"),
  }
end

-- Has the item left the queue? nil where that cannot be seen.
local function is_gone(self, seconds)
  local queued = readback.queued(self.client, seconds)
  return queued and not queued[self.queue_ref]
end

-- One item's outcome is the call's: `code: 0` alone says nothing. A try whose answer was lost may have
-- done it, and the next one finds no item: an item that has gone tells. One that is there tells nothing
-- then, for the platform may still be at work on that try.
local function single(self, operation, data, behind, seconds)
  local list, err = outcomes_of(self.client, operation, data, behind)
  local success, why = outcome_for(self, list or {})
  if success then return self, nil, behind end
  if list and #list > 0 and not behind.unsure then return nil, not_done(self, operation, why, true) end
  local gone = is_gone(self, seconds)
  if gone then return self, nil, behind end
  err = list and not_done(self, operation, why, #list > 0) or err
  err.sent = gone == false and not behind.unsure and "refused" or "unknown"
  return nil, err
end

-- Does something to the item, and looks what came of it.
local function act(self, operation, params, options)
  local seconds = readback.time(self.client, options)
  local data, err, behind = http.data(self.client, operation, params, { timeout = options.timeout })
  if data then return single(self, operation, data, behind, seconds) end
  if err.sent == "yes" then err.sent = "unknown" end -- a success that tells of no item
  if readback.helps(err) and is_gone(self, seconds) then return self end
  return nil, err
end

-- The same for a list: what is no longer in the queue is done.
local function correct(client, list, seconds)
  local queued, all = readback.queued(client, seconds), true
  for _, outcome in ipairs(list) do
    if queued and outcome.queue_ref and not outcome.success then
      local gone = not queued[outcome.queue_ref]
      outcome.success, outcome.sent = gone, gone and "yes" or "unknown"
      if gone then outcome.error = nil end
    end
    all = all and outcome.success
  end
  return all
end

-- Does something to many items: what became of each, and of all.
local function act_on(client, operation, refs, params, options)
  local seconds = readback.time(client, options)
  local data, err, behind = http.data(client, operation, params, { timeout = options.timeout })
  if data then
    local list, all = outcomes_of(client, operation, data, behind)
    if not list then return nil, all end
    if not all and behind.unsure then all = correct(client, list, seconds) end
    return list, nil, all, behind
  end
  local list = {}
  for i, ref in ipairs(refs) do list[i] = { queue_ref = ref, success = false } end
  if readback.helps(err) and correct(client, list, seconds) then return list, nil, true end
  return nil, err
end

---Starts the queued run. Tells no run id: the platform has none to give.
---Calls `activateRunQueueItems`.
---@param options { timeout: number? }?
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Item:activate(options)
  options = validate.options("item:activate", options, ONLY_TIMEOUT)
  return act(self, "activateRunQueueItems", { body = { queue_refs = json.array { self.queue_ref } } }, options)
end

---Removes the item for good. Calls `releaseRunQueueItem`.
---@param options { reason: string?, timeout: number? }?
---@return coreclaw.QueueItem?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Item:release(options)
  options = validate.options("item:release", options, RELEASE)
  return act(self, "releaseRunQueueItem",
    { path = { queueId = self.queue_ref }, body = { reason = options.reason } }, options)
end

-- Methods of the client.
queue.methods = {}

---Iterates over the queue's items. Raises the error object. Calls `listRunQueueItems`.
---@param options { status: "waiting"|"inactive"?, limit: integer?, page: integer?, timeout: number? }?
---@return fun(): coreclaw.QueueItem?
function queue.methods:queue(options)
  options = validate.options("client:queue", options, LIST)
  local next_item = paging.items(paging.each({
    client = self, operation = "listRunQueueItems", objects = true,
    query = { status = options.status }, options = { timeout = options.timeout },
  }, options.page, options.limit, false))
  return function()
    local item = next_item()
    if item and not url.usable(text(item.queue_ref)) then
      error(answer.unusable("an item of the queue has no usable queue_ref", "listRunQueueItems"), 0)
    end
    return item and item_of(self, item)
  end
end

---A handle to a queue item by its id. Sends nothing.
---@param queue_ref string
---@return coreclaw.QueueItem
function queue.methods:queue_item(queue_ref)
  local item = item_of(self, { queue_ref = url.queue_id(queue_ref, "client:queue_item") })
  return item
end

---Starts queued runs. Look at each outcome: the call succeeds even if items do not.
---Calls `activateRunQueueItems`.
---@param items (coreclaw.QueueItem|string)[]
---@param options { timeout: number? }?
---@return coreclaw.QueueOutcome[]?
---@return coreclaw.Error?
---@return boolean? all  did every item succeed?
---@return coreclaw.Response?
function queue.methods:activate(items, options)
  options = validate.options("client:activate", options, ONLY_TIMEOUT)
  local refs = refs_of("client:activate", items)
  return act_on(self, "activateRunQueueItems", refs, { body = { queue_refs = refs } }, options)
end

---Removes queued runs for good. Look at each outcome. Calls `releaseRunQueueItems`.
---@param items (coreclaw.QueueItem|string)[]
---@param options { reason: string?, timeout: number? }?
---@return coreclaw.QueueOutcome[]?
---@return coreclaw.Error?
---@return boolean? all
---@return coreclaw.Response?
function queue.methods:release(items, options)
  options = validate.options("client:release", options, RELEASE)
  local refs = refs_of("client:release", items)
  return act_on(self, "releaseRunQueueItems", refs, { body = { queue_refs = refs, reason = options.reason } }, options)
end

return queue
