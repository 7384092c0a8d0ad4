--- The run queue: runs that are held until somebody activates them. Knows nothing of HTTP.

local clock = require("coreclaw.sandbox.platform.clock")
local runs = require("coreclaw.sandbox.platform.runs")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

M.listeners = {}

local function tell(item, gone)
  for _, listener in ipairs(M.listeners) do
    listener(item, gone)
  end
end

local function next_ref()
  state.queue_number = (state.queue_number or 100200) + 1
  return tostring(state.queue_number)
end

--- Puts an order (see runs.create) into the queue: waiting, or inactive where there is no money for it.
function M.add(order)
  local item = {
    ref = next_ref(),
    status = order.account.balance > 0 and "waiting" or "inactive",
    order = order,
    account = order.account,
    created_at = clock.seconds(),
  }
  table.insert(state.queue, item)
  tell(item)
  return item
end

local function find(account, ref)
  for i, item in ipairs(state.queue) do
    if item.ref == ref and item.account == account then
      return item, i
    end
  end
  return nil
end

local function remove(item, index)
  table.remove(state.queue, index)
  tell(item, true)
end

--- Starts one item. Returns the run, or nil and the name of the refusal.
function M.activate(account, ref)
  local item, index = find(account, ref)
  if not item then
    return nil, "not_found"
  end
  local refusal = runs.refusal(account)
  if refusal then
    return nil, refusal
  end
  -- The run's own record tells which item it was: whoever keeps books loses neither in between.
  item.order.queue_ref = item.ref
  local run = runs.create(item.order)
  remove(item, index)
  return run
end

--- Removes one item for good. False when there is none.
function M.release(account, ref)
  local item, index = find(account, ref)
  if not item then
    return false
  end
  remove(item, index)
  return true
end

function M.select(account, status)
  local out = {}
  for _, item in ipairs(state.queue) do
    if item.account == account and (not status or item.status == status) then
      out[#out + 1] = item
    end
  end
  return out
end

return M
