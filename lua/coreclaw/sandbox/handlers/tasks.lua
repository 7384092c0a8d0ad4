--- Saved tasks.

local encode = require("coreclaw.sandbox.encode")
local paging = require("coreclaw.sandbox.handlers.paging")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local schedule = require("coreclaw.sandbox.platform.schedule")
local tasks = require("coreclaw.sandbox.platform.tasks")

local M = {}

--- The task that the path names.
function M.of(request)
  local task = tasks.find(request.account, request.id.workerTaskId)
  if not task then
    reply.fail("task_unknown")
  end
  return task
end

local function worker_of(id)
  local worker = registry.find(id)
  if not worker then
    reply.fail("worker_unknown_here")
  end
  return worker
end

local function check_version(worker, version)
  if not registry.has_version(worker, version) then
    reply.fail("version")
  end
end

-- A task without a schedule shows type 0.
local function with_schedule(task, record)
  for _, name in ipairs(tasks.SCHEDULE) do
    record[name] = task[name]
  end
  record.schedule_enabled = task.schedule_enabled or 0
  record.schedule_type = task.schedule_type or 0
  return record
end

local function record(task)
  return with_schedule(task, {
    slug = task.slug,
    title = task.title,
    version = task.version,
    worker_title = task.worker.title,
    worker_slug = task.worker.slug,
    worker_path = task.worker.path,
    platform_actors_id = encode.integer(task.platform_number),
    input = encode.raw(task.input),
    run_times = task.run_times,
    last_run_id = encode.integer(task.last_run_id),
    last_modified_at = task.updated_at,
    created_at = task.created_at,
    updated_at = task.updated_at,
  })
end

local function listed(task)
  local out = record(task)
  out.description = task.description
  return out
end

-- The detail has the numeric ids and no description.
local function detailed(task)
  local out = record(task)
  out.id = encode.integer(task.number)
  out.worker_id = encode.integer(task.worker.number)
  return out
end

function M.list(request)
  local query = request.query
  local worker = query.worker_id and worker_of(query.worker_id)
  local found = tasks.select(request.account, worker, query.keyword)
  local list = paging.map(paging.slice(found, query.offset, query.limit), listed)
  return reply.ok(request, encode.fields("count", #found, "list", list, "page_index", paging.page(query.offset),
    "page_size", query.limit))
end

function M.detail(request)
  return reply.ok(request, detailed(M.of(request)))
end

local function check_schedule(fields)
  local details = schedule.complaints(fields)
  if #details > 0 then
    reply.fail("bad_request", details)
  end
end

local function check_title(title)
  if title and not title:find("%S") then
    reply.fail("bad_request", { "expected length >= 1 (body.title)" })
  end
end

--- The input is kept as it comes: a flat one is accepted here, and refused when the task is run.
function M.create(request)
  local fields = request.fields
  local worker = worker_of(fields.worker_id)
  check_version(worker, fields.version)
  check_title(fields.title)
  check_schedule(fields)
  local order = { account = request.account, worker = worker, input = request.raw.input }
  for name, value in pairs(fields) do
    order[name] = value
  end
  return reply.ok(request, encode.fields("slug", tasks.create(order).slug))
end

function M.update(request)
  local task = M.of(request)
  check_title(request.fields.title)
  local after = {}
  for _, name in ipairs(tasks.SCHEDULE) do
    after[name] = request.fields[name] or task[name]
  end
  check_schedule(after)
  tasks.update(task, request.fields)
  return reply.done(request)
end

function M.delete(request)
  tasks.delete(M.of(request))
  return reply.done(request)
end

function M.input(request)
  local task = M.of(request)
  return reply.ok(request, encode.fields("input", encode.raw(task.input), "version", task.version))
end

function M.set_input(request)
  local task = M.of(request)
  check_version(task.worker, request.fields.version)
  tasks.update(task, { input = request.raw.input, version = request.fields.version })
  return reply.done(request)
end

return M
