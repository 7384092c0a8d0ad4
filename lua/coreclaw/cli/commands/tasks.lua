--- Saved tasks: a Worker with an input of its own, and perhaps a schedule.

local failure = require "coreclaw.cli.failure"
local job = require "coreclaw.cli.job"
local output = require "coreclaw.cli.output"
local shapes = require "coreclaw.cli.shapes"

local SCHEDULE = {
  { "--daily", "Every day at this time", argname = "HH:MM" },
  { "--weekly", "Every week on this day, with --at", argname = "WEEKDAY" },
  { "--monthly", "Every month on this day, with --at", argname = "DAY", type = "count" },
  { "--once", "On this day, with --at", argname = "YYYY-MM-DD" },
  { "--at", "Time of day", argname = "HH:MM" },
  { "--no-schedule", "Switch the schedule off", flag = true },
}

local NAMES = {
  { "--title", "Its title", argname = "TEXT" },
  { "--description", "What it is for", argname = "TEXT" },
}

-- The schedule that the options say; nil if none of them was given.
local function schedule_of(options)
  local schedule
  for _, word in ipairs { "daily", "weekly", "monthly", "once", "at" } do
    if options[word] ~= nil then
      schedule = schedule or {}
      schedule[word] = options[word]
    end
  end
  if not options.no_schedule then return schedule end
  if schedule then failure.usage "tasks: --no-schedule and a schedule contradict each other" end
  return false
end

local function show_one(ctx, task)
  ctx.out:record(shapes.TASK, shapes.task(task))
end

local function task_of(ctx, options)
  return ctx:client():task(options.task)
end

local function list(ctx, options)
  local out = ctx.out:list(shapes.TASK)
  for task in ctx:client():tasks { worker = options.worker, keyword = options.keyword } do
    out.add(shapes.task(task))
  end
  out.close()
end

local function show(ctx, options)
  show_one(ctx, ctx:check(task_of(ctx, options):reload()))
end

local function create(ctx, options)
  if not options.title then failure.usage "tasks create: --title is wanted" end
  local schedule, worker = schedule_of(options), ctx:client():worker(options.worker)
  local custom, given = job.input(ctx, worker)
  ctx.looking = { "tasks", "list", "--worker", worker.id }
  show_one(ctx, ctx:pay("saving a task", function()
    return ctx:client():create_task {
      worker = worker, title = options.title, description = options.description, schedule = schedule,
      input = custom, raw_input = given.raw_input, system = given.system, version = given.version,
      label = given.label,
    }
  end))
end

local function update(ctx, options)
  local changes = { title = options.title, description = options.description, schedule = schedule_of(options) }
  if next(changes) == nil then failure.usage "tasks update: nothing to change was given" end
  show_one(ctx, ctx:check(task_of(ctx, options):update(changes)))
end

local function delete(ctx, options)
  local task = task_of(ctx, options)
  ctx:check(task:delete())
  ctx:hint("deleted")
  ctx.out:document(shapes.TASK, { slug = task.slug, deleted = true })
end

local function input(ctx, options)
  ctx.out:write(output.object(ctx:check(task_of(ctx, options):input())) .. "\n")
end

local function set_input(ctx, options)
  local task = task_of(ctx, options)
  ctx:check(task:reload())
  if not task.worker_id then failure.usage "tasks set-input: the task does not tell its Worker; use --raw-input" end
  local custom, given = job.input(ctx, ctx:client():worker(task.worker_id))
  ctx:check(task:set_input(custom, { system = given.system, raw_input = given.raw_input, version = given.version }))
  ctx:hint("the input was replaced")
  ctx.out:document(shapes.TASK, shapes.task(task))
end

local function run(ctx, options)
  local task = task_of(ctx, options)
  job.check(ctx)
  ctx.looking = { "runs" }
  local started = ctx:pay("starting a run of task " .. task.slug, function()
    return task:start { callback_url = options.callback_url, label = options.label }
  end)
  ctx.run = started
  ctx:hint("run %s of task %s", started.slug, task.slug)
  return job.finish(ctx, started)
end

local TASK = { "task", "A task's id" }

local M = {
  name = "tasks", summary = "Saved tasks: list, show, create, update, delete, input, set-input, run",
  commands = {
    {
      name = "list", summary = "List them", run = list,
      options = {
        { "--worker", "Of this Worker", argname = "WORKER" },
        { "--keyword", "Words in the title", argname = "TEXT" },
      },
    },
    { name = "show", summary = "Show one", run = show, arguments = { TASK } },
    {
      name = "create", summary = "Save one", run = create,
      arguments = { { "worker", "owner/name, or a slug" }, job.PAIRS },
      options = job.options(NAMES, SCHEDULE, job.INPUT),
    },
    {
      name = "update", summary = "Change title, description or schedule", run = update, arguments = { TASK },
      options = job.options(NAMES, SCHEDULE),
    },
    { name = "delete", summary = "Delete one", run = delete, arguments = { TASK } },
    { name = "input", summary = "Print the input that is stored", run = input, arguments = { TASK } },
    {
      name = "set-input", summary = "Replace the input that is stored", run = set_input,
      arguments = { TASK, job.PAIRS },
      options = job.INPUT,
    },
    {
      name = "run", summary = "Start a run of it, and pay for it", run = run, arguments = { TASK },
      options = job.options({
        { "--callback-url", "Where the platform tells of the run's end", argname = "URL" },
        { "--label", "For the journal: what the start is for", argname = "TEXT" },
      }, job.OPTIONS),
    },
  },
}

return { M }
