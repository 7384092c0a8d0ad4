--- Waiting in Neovim, and in programs that run luv's loop: the loop watches the engine's descriptor.
--
-- A task is suspended and the loop goes on. Outside of tasks a call waits by running the loop: in
-- Neovim by vim.wait, which keeps the editor alive. What the loop holds is let go of when nothing is
-- on its way any more, so that it can end.

local core = require "coreclaw.core"
local base = require "coreclaw.driver.base"
local coroutines = require "coreclaw.driver.coroutines"
local pool = require "coreclaw.driver.pool"
local scheduler = require "coreclaw.driver.scheduler"
local validate = require "coreclaw.validate"

local poll, polled -- the handle, and the engine whose descriptor it watches
local tasks
local scheduled = false

local function let_go()
  if poll and not poll:is_closing() then poll:close() end
  poll, polled = nil, nil
end

local transfers = pool.new("direct", let_go)
local uv_driver = base.over("uv", transfers)

local function vim_api()
  local vim = rawget(_G, "vim")
  return type(vim) == "table" and (vim.uv or vim.loop) and vim or nil
end

local function uv()
  local vim = vim_api()
  return vim and (vim.uv or vim.loop) or package.loaded.luv
end

-- Longest wait in one piece, milliseconds.
local SLICE = 1000

local function ms(seconds)
  return math.max(0, math.ceil(seconds * 1000))
end

-- ---- the loop ---------------------------------------------------------------------------------

local function run_tasks()
  scheduled = false
  tasks:run_ready()
end

-- Calls fn soon, from the loop, where it may use everything: in Neovim the editor's API too.
local function soon(fn)
  local vim = vim_api()
  if vim then return vim.schedule(fn) end
  local timer = uv().new_timer()
  timer:start(0, 0, function()
    timer:close()
    fn()
  end)
end

-- Tasks go on in no callback of libuv: there Neovim refuses most of its API.
tasks = scheduler.new(function() transfers:abandon() end, function()
  if scheduled then return end
  scheduled = true
  soon(run_tasks)
end)

-- The loop can only end when nothing is watched that nobody waits for.
local function rest()
  if poll and not transfers:busy() then poll:stop() end
end

local function on_readable()
  transfers:look()
  rest()
end

local function watch()
  local engine = transfers:bind()
  if polled ~= engine then
    let_go()
    poll, polled = uv().new_poll(engine:fd()), engine
  end
  if not poll:is_active() then poll:start("r", on_readable) end
end

-- Timers are stopped and used again, never closed: luv crashes where a program ends before its loop has
-- gone round once more after that.
local stopped = {}

local function set_timer(seconds)
  return function(call)
    local timer = table.remove(stopped) or uv().new_timer()
    uv().update_time() -- the loop's own time is that of its last turn: the timer would ring early
    timer:start(ms(seconds), 0, call)
    return timer
  end
end

local function clear_timer(timer)
  timer:stop()
  stopped[#stopped + 1] = timer
end

-- ---- waiting outside of tasks -----------------------------------------------------------------

local function refuse_fast(vim)
  if vim.in_fast_event() then
    validate.fail("coreclaw cannot wait inside a callback of the event loop; do it in coreclaw.spawn, "
      .. "or in vim.schedule")
  end
end

-- -2 is Ctrl-C: it ends the wait, as it does in every command of the editor.
local function wait_in_vim(vim, record, seconds)
  refuse_fast(vim)
  local left = seconds and ms(seconds) or math.huge
  while not record.done and left > 0 do
    local slice = math.min(left, SLICE)
    local _, why = vim.wait(slice, function() return record.done end, 20)
    if why == -2 then
      transfers:cancel(record)
      error("coreclaw: interrupted", 0)
    end
    left = left - slice
  end
  return record.done
end

-- Inside a callback the loop cannot be run; a transfer and the time can be waited for all the same.
local function block(record, seconds)
  local done, hopeless = transfers:block(record, seconds and core.now() + seconds or math.huge)
  rest()
  if hopeless then
    validate.fail "coreclaw cannot wait for a task inside a callback of the loop; use coreclaw.spawn there"
  end
  return done
end

-- The second value tells that nothing is left which could end this.
local function turn_until(record, is_up)
  while not record.done and not is_up() do
    if not uv().run "once" and not record.done and not is_up() then return false, true end
  end
  return record.done
end

-- As in a plain program, what interrupts the wait ends every transfer.
local function run_loop(record, seconds)
  local up, timer = false, nil
  if seconds then timer = set_timer(seconds)(function() up = true end) end
  local ok, done, stuck = pcall(turn_until, record, function() return up end)
  if timer then clear_timer(timer) end
  if stuck then validate.fail "coreclaw: this wait would never end: nothing is left in the loop" end
  if ok then return done end
  transfers:abandon()
  error(done, 0)
end

-- An editor command that nobody waits for must not fail in silence.
local GRACE = 200

local function tell_if_unseen(vim, task)
  vim.defer_fn(function()
    if task.joined or task.cancelled then return end
    local text = type(task.err) == "string" and task.err .. "\n" .. task.traceback or tostring(task.err)
    vim.notify("coreclaw.spawn: " .. text, vim.log.levels.ERROR)
  end, GRACE)
end

-- ---- the driver -------------------------------------------------------------------------------

---Is this the place for it? In Neovim always, else in programs that loaded luv.
function uv_driver.is_here()
  return uv() ~= nil
end

---Raises where nobody can wait.
function uv_driver.check()
  local vim = vim_api()
  if vim and not coroutines.task() then refuse_fast(vim) end
end

function uv_driver.submit(request)
  uv_driver.check()
  local record = transfers:submit(request)
  watch()
  return record
end

function uv_driver.wait(record, seconds, task)
  if tasks:may_suspend(task) then
    return tasks:wait(task, record, seconds and set_timer(seconds), clear_timer)
  end
  local vim = vim_api()
  if vim then return wait_in_vim(vim, record, seconds) end
  if uv().loop_mode and uv().loop_mode() then return block(record, seconds) end
  return run_loop(record, seconds)
end

uv_driver.poll = on_readable

function uv_driver.cancel(record)
  transfers:cancel(record)
  rest()
end

function uv_driver.spawn(task, fn, failed)
  local vim = vim_api()
  if not vim then return tasks:start(task, fn, failed) end
  tasks:start(task, fn, function(...)
    failed(...)
    tell_if_unseen(vim, task)
  end, vim.in_fast_event())
end

function uv_driver.all_ended()
  return tasks:all_ended()
end

return uv_driver
