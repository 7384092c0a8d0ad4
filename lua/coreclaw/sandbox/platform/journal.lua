--- Memory that outlives the process: every change is a line appended to a file in data_dir before it is answered for,
-- and the lines are read again at the next start. A killed process loses nothing that it has acknowledged.

local codec = require("coreclaw.sandbox.codec")
local clock = require("coreclaw.sandbox.platform.clock")
local encode = require("coreclaw.sandbox.encode")
local queue = require("coreclaw.sandbox.platform.queue")
local registry = require("coreclaw.sandbox.platform.registry")
local runs = require("coreclaw.sandbox.platform.runs")
local span = require("coreclaw.sandbox.span")
local state = require("coreclaw.sandbox.platform.state")
local tasks = require("coreclaw.sandbox.platform.tasks")
local work = require("coreclaw.sandbox.platform.work")

local ffi = require("ffi")

pcall(ffi.cdef, "int flock(int fd, int operation);")
pcall(ffi.cdef, "int fileno(void *file);")

local LOCK_EX, LOCK_NB = 2, 4

local M = {}

local file

local function write(record)
  -- An input may come with line breaks of its own, which are blanks as good as others.
  file:write((encode.encode(record):gsub("[\r\n]", " ")), "\n")
end

local function names(text)
  local out = {}
  for name in text:gmatch("%S+") do
    out[#out + 1] = name
  end
  return out
end

local RUN = names([[number slug version origin callback_url status created_at started_at finished_at duration usage
  traffic group err_msg api operation queue_ref]])
local TASK = names("number platform_number slug title description version run_times last_run_id created_at updated_at")

local function copy(from, fields, to)
  for _, name in ipairs(fields) do
    to[name] = from[name]
  end
  return to
end

-- Numbers beyond 2^53 are strings of digits in memory, and in the journal too.
local function run_record(run)
  return copy(run, RUN, {
    kind = "run",
    account = run.account.name,
    balance = run.account.balance,
    account_traffic = run.account.traffic,
    worker = run.worker.path,
    input = run.input and encode.raw(run.input),
    columns = run.columns and encode.list(run.columns),
  })
end

local function order_record(item)
  return {
    kind = "queue",
    ref = item.ref,
    status = item.status,
    created_at = item.created_at,
    account = item.account.name,
    worker = item.order.worker.path,
    version = item.order.version,
    input = item.order.input and encode.raw(item.order.input),
    callback_url = item.order.callback_url,
  }
end

local function task_record(task)
  local record = copy(task, TASK, {
    kind = "task",
    account = task.account.name,
    worker = task.worker.path,
    input = encode.raw(task.input),
  })
  return copy(task, tasks.SCHEDULE, record)
end

local function on_task(task, gone)
  write(gone and { kind = "task_gone", slug = task.slug } or task_record(task))
end

local function on_queue(item, gone)
  write(gone and { kind = "queue_gone", ref = item.ref } or order_record(item))
end

local function on_row(run, row)
  write({ kind = "row", run = run.slug, row = encode.raw(row) })
end

local function on_note(run, entry)
  write({ kind = "log", run = run.slug, entry = entry })
end

local function listen()
  table.insert(runs.listeners, function(run)
    write(run_record(run))
  end)
  table.insert(tasks.listeners, on_task)
  table.insert(queue.listeners, on_queue)
  table.insert(work.row_listeners, on_row)
  table.insert(work.note_listeners, on_note)
end

local function account_of(name)
  for _, account in pairs(state.accounts) do
    if account.name == name then
      return account
    end
  end
  return nil
end

-- What a record belongs to; nil when this sandbox has no such account or Worker any more.
local function owners(record, slices)
  local account, worker = account_of(record.account), registry.find(record.worker)
  return account and worker and { account = account, worker = worker, input = slices.input } or nil
end

-- Each line's record, and its slices for what has to keep its digits.
local READ = {}

local function revive(record, slices)
  local order = owners(record, slices)
  if not order then
    return nil
  end
  order.operation = record.operation
  local run = runs.revive(order)
  state.runs[record.slug] = run
  table.insert(state.history, run)
  runs.count_paid(run, record.slug)
  return run
end

function READ.run(record, slices)
  local run = state.runs[record.slug] or revive(record, slices)
  if not run then
    return
  end
  copy(record, RUN, run)
  if record.queue_ref then
    READ.queue_gone({ ref = record.queue_ref })
  end
  run.columns = record.columns or run.columns
  run.account.balance = record.balance
  run.account.traffic = record.account_traffic or run.account.traffic
end

function READ.row(record, slices)
  local run = state.runs[record.run]
  if run then
    table.insert(run.rows, slices.row)
  end
end

function READ.log(record)
  local run = state.runs[record.run]
  if run then
    table.insert(run.log, record.entry)
  end
end

function READ.task(record, slices)
  local task = state.tasks[record.slug] or owners(record, slices)
  if not task then
    return
  elseif not state.tasks[record.slug] then
    state.tasks[record.slug] = task
    table.insert(state.task_list, task)
  end
  copy(record, TASK, task)
  copy(record, tasks.SCHEDULE, task)
  task.input = slices.input
end

function READ.task_gone(record)
  local task = state.tasks[record.slug]
  if task then
    tasks.delete(task)
  end
end

function READ.queue(record, slices)
  local order = owners(record, slices)
  if not order then
    return
  end
  order.version, order.callback_url, order.operation = record.version, record.callback_url, "queuedRunWorker"
  local item = copy(record, { "ref", "status", "created_at" }, { order = order, account = order.account })
  table.insert(state.queue, item)
  state.queue_number = math.max(state.queue_number or 0, tonumber(record.ref))
end

function READ.queue_gone(record)
  for i, item in ipairs(state.queue) do
    if item.ref == record.ref then
      table.remove(state.queue, i)
      return
    end
  end
end

local function read_line(line)
  local record = codec.decode(line)
  -- The last line may be cut: then nobody was answered for it.
  if record then
    READ[record.kind](record, (span.object(line)))
  end
end

local ENDED = { succeeded = true, failed = true, aborted = true }

-- What was going on when the process ended cannot go on. Written down, so that the next start finds the same.
local function close_runs()
  for _, run in ipairs(state.history) do
    run.ended = true
    if not ENDED[run.status] then
      run.status, run.err_msg, run.finished_at = "failed", "the sandbox ended during this run", clock.seconds()
      write(run_record(run))
    end
    run.column_of = {}
    for _, column in ipairs(run.columns or {}) do
      run.column_of[column.key] = column
    end
  end
end

--- Reads the journal of a folder, and appends to it from now on.
function M.begin(folder)
  local path = folder .. "/journal.jsonl"
  local old = io.open(path, "rb")
  local cut = false
  if old then
    for line in old:lines() do
      read_line(line)
    end
    old:seek("end", -1)
    cut = old:read(1) ~= "\n"
    old:close()
  end
  file = assert(io.open(path, "ab"))
  -- Two sandboxes in one folder would give out the same ids and read each other's lines.
  if ffi.C.flock(ffi.C.fileno(file), LOCK_EX + LOCK_NB) ~= 0 then
    error("data_dir is in use by another sandbox: " .. folder, 0)
  end
  -- Straight to the kernel, line by line: what has been written survives the death of the process.
  file:setvbuf("line")
  if cut then
    file:write("\n")
  end
  close_runs()
  listen()
end

return M
