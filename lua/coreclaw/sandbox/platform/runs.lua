--- Runs and their life: ready → running → succeeded | failed | aborting. Knows nothing of HTTP.

local clock = require("coreclaw.sandbox.platform.clock")
local ids = require("coreclaw.sandbox.platform.ids")
local input_rules = require("coreclaw.sandbox.platform.input")
local limits = require("coreclaw.sandbox.platform.limits")
local money = require("coreclaw.sandbox.platform.money")
local registry = require("coreclaw.sandbox.platform.registry")
local state = require("coreclaw.sandbox.platform.state")
local work = require("coreclaw.sandbox.platform.work")

local M = {}

-- Who wants to hear of status changes (callbacks, journal): functions of the run.
M.listeners = {}

local FOREVER = 366 * 86400

local function tell(run)
  for _, listener in ipairs(M.listeners) do
    listener(run)
  end
end

local function set_status(run, status)
  run.status = status
  tell(run)
end

local function wake_waiters(run)
  for _, place in ipairs(run.waiters) do
    clock.wake(place)
  end
  run.waiters = {}
end

-- A run that is ready may be waiting for the place that another one leaves.
local function leave_place(run)
  if run.holds_place then
    run.holds_place = false
    limits.occupy(run.account, -1)
    local first = table.remove(run.account.in_line, 1)
    if first then
      clock.wake(first.place)
    end
  end
end

local function take_place(run)
  while not run.abort and not limits.has_place(run.account) do
    table.insert(run.account.in_line, run)
    clock.wait(run.place, FOREVER)
  end
  if not run.abort then
    run.holds_place = true
    limits.occupy(run.account, 1)
  end
end

local function settle_up(run)
  run.finished_at = clock.seconds()
  run.duration = run.started_at > 0 and run.finished_at - run.started_at or 0
  if run.started_at > 0 then
    run.usage = money.usage(run.duration, #run.rows, run.system.cpus)
    money.charge(run.account, run.usage)
    run.traffic = run.bytes
    run.account.traffic = math.max(0, run.account.traffic - run.bytes)
  end
end

local function end_aborted(run)
  local settings = state.settings
  settle_up(run)
  clock.sleep(settings.abort_for)
  if settings.abort_ends ~= "never" then
    run.err_msg = "aborted by user"
    set_status(run, settings.abort_ends)
  else
    tell(run) -- it has been charged: whoever keeps books must hear of it
  end
end

local function do_work(run)
  run.started_at = clock.seconds()
  set_status(run, "running")
  local ok, message = work.perform(run)
  leave_place(run)
  if run.abort then
    return
  end
  run.err_msg = not ok and message or nil
  settle_up(run)
  set_status(run, ok and "succeeded" or "failed")
end

local function live(run)
  if not run.abort then
    clock.wait(run.place, state.settings.ready_for)
  end
  take_place(run)
  if not run.abort then
    do_work(run)
  end
  if run.abort then
    end_aborted(run)
  end
  run.ended = true
  wake_waiters(run)
end

--- Can this account start a run now? Returns the name of the refusal, or nil.
function M.refusal(account)
  if account.balance <= 0 then
    return "no_balance"
  elseif account.traffic <= 0 then
    return "no_traffic"
  elseif not limits.has_place(account) then
    return "plan_limit"
  end
  return nil
end

--- Can this Worker run this? Returns refusal name, and details or a message.
function M.misfit(worker, version, input)
  if not registry.has_version(worker, version) then
    return "version"
  end
  return input_rules.check(worker, input)
end

local function new_run(order, now)
  return {
    number = ids.big(),
    slug = ids.slug(now),
    account = order.account,
    worker = order.worker,
    version = order.version or order.worker.version,
    input = order.input,
    system = input_rules.system(order.worker, order.input),
    origin = order.origin or "openapi",
    callback_url = order.callback_url,
    operation = order.operation,
    queue_ref = order.queue_ref,
    api = order.api or "v2",
    status = "ready",
    created_at = now,
    started_at = 0,
    finished_at = 0,
    duration = 0,
    usage = 0,
    traffic = 0,
    bytes = 0,
    rows = {},
    log = {},
    group = ids.big(),
    place = clock.place(),
    waiters = {},
  }
end

--- A run as it was, for the journal to fill in; it does not live again.
function M.revive(order)
  return new_run(order, 0)
end

--- Notes that a run was really started.
function M.count_paid(run, slug)
  state.paid[#state.paid + 1] = {
    operation = run.operation,
    worker = run.worker.path,
    input = run.input,
    run_slug = slug,
  }
end

--- Starts a run. The order: account, worker, version?, input? (its JSON), origin?, callback_url?, operation.
function M.create(order)
  local run = new_run(order, clock.now())
  state.runs[run.slug] = run
  state.history[#state.history + 1] = run
  M.count_paid(run, run.slug)
  tell(run)
  clock.spawn(function()
    live(run)
  end)
  return run
end

--- Asks a run to stop. False when it has ended.
function M.abort(run)
  if run.status ~= "ready" and run.status ~= "running" and run.status ~= "aborting" then
    return false
  end
  if not run.abort then
    run.abort = true
    leave_place(run)
    set_status(run, "aborting")
    clock.wake(run.place)
  end
  return true
end

--- Waits for the end of a run, at most so many seconds.
function M.await(run, seconds)
  if run.ended then
    return true
  end
  local place = clock.place()
  run.waiters[#run.waiters + 1] = place
  return clock.wait(place, seconds)
end

--- The account's run of this id, or nil.
function M.find(account, slug)
  local run = state.runs[slug]
  return run and run.account == account and run or nil
end

--- The newest run of the account, of one Worker when given.
function M.last(account, worker)
  for i = #state.history, 1, -1 do
    local run = state.history[i]
    if run.account == account and (not worker or run.worker == worker) then
      return run
    end
  end
  return nil
end

return M
