--- Runs: start them, wait for them, list, abort, run again.

local advice = require "coreclaw.cli.advice"
local core = require "coreclaw.core"
local exit = require "coreclaw.cli.exit"
local failure = require "coreclaw.cli.failure"
local job = require "coreclaw.cli.job"
local output = require "coreclaw.cli.output"
local shapes = require "coreclaw.cli.shapes"

local function hint_results(ctx, run)
  ctx:hint("results: %s", advice.command(ctx, "wait", run.slug, "--results"))
end

-- What would be sent, without sending it.
local function show_payload(ctx, custom, options, prepared)
  local payload = prepared and prepared.payload or options.raw_input
    or { parameters = { custom = custom, system = options.system } }
  if prepared and prepared.subtasks then ctx:hint("%d subtasks", prepared.subtasks) end
  ctx.out:write(output.object(payload) .. "\n")
end

local function start(ctx, options)
  local worker = ctx:client():worker(options.worker)
  local custom, given, prepared = job.input(ctx, worker)
  if options.dry_run then return show_payload(ctx, custom, given, prepared) end
  job.check(ctx)
  ctx.looking = { "runs", "--worker", worker.id }
  local run = ctx:pay("starting a run of " .. worker.id, function() return worker:start(custom, given) end)
  ctx.run, run.scraper_slug = run, run.scraper_slug or worker.id
  ctx:hint("run %s of %s", run.slug, worker.id)
  local code = job.finish(ctx, run)
  if not run:is_final() then hint_results(ctx, run) end
  return code
end

local function wait(ctx, options)
  options.wait = true
  job.check(ctx)
  return job.finish(ctx, ctx:run_of(options.run))
end

local function list(ctx, options)
  local out, count = ctx.out:list(shapes.RUN), 0
  if not options.run then
    for run in ctx:client():runs {
      worker = options.worker, status = options.status, from = options.from, to = options.to,
      limit = math.min(100, options.max or 100),
    } do
      out.add(shapes.run(run))
      count = count + 1
      if count >= (options.max or math.huge) then break end
    end
    out.close()
    return
  end
  local run = ctx:run_of(options.run)
  ctx.out:record(shapes.RUN, shapes.run(ctx:check(run:reload())))
end

local function abort(ctx, options)
  local run = ctx:run_of(options.run)
  if options.wait then
    core.catch_interrupts(0)
    ctx.run, ctx.aborting = run, "may have been asked to abort"
  end
  ctx:check(run:abort())
  ctx:hint("accepted; it takes a moment until the run has ended")
  if not options.wait then
    run:reload()
    return ctx.out:record(shapes.RUN, shapes.run(run))
  end
  ctx.aborting, ctx.waiting = "will be aborted", true
  ctx:check(run:wait { timeout = options.timeout, on_update = function(r) ctx.progress:run(r) end })
  ctx.out:record(shapes.RUN, shapes.run(run))
end

local function rerun(ctx, options)
  job.check(ctx)
  local before = ctx:run_of(options.run)
  ctx.looking = { "runs" }
  local run = ctx:pay("starting a run again", function()
    return before:rerun { callback_url = options.callback_url, label = options.label }
  end)
  ctx.run = run
  ctx:hint("run %s", run.slug)
  return job.finish(ctx, run)
end

local INTENT = {
  { key = "id", label = "intent", always = true }, { key = "operation", label = "operation" },
  { key = "label", label = "label" }, { key = "state", label = "state", always = true },
  { key = "run", label = "run" }, { key = "message", label = "message" },
}

local OPEN = { found = true, several = true, none = true, unknown = true }

-- Settles the intents that the options name.
local function settle(ctx, items, options)
  local names = { adopt = options.adopt, dismiss = options.dismiss }
  for _, item in ipairs(items) do
    if names.adopt == item.id then
      if not (options.run or item.run) then failure.usage "recover: which run was it? Say --run RUN" end
      ctx:check(item:adopt(options.run))
      names.adopt = nil
    elseif names.dismiss == item.id then
      ctx:check(item:dismiss())
      names.dismiss = nil
    end
  end
  local word, id = next(names)
  if word then failure.usage("recover --%s: there is no such intent: %s", word, id) end
end

local function recover(ctx, options)
  if not options.journal then failure.usage "recover: --journal FILE is wanted" end
  local items, open = ctx:check(ctx:client():recover { all = options.all }), 0
  settle(ctx, items, options)
  local out = ctx.out:list(INTENT)
  for _, item in ipairs(items) do
    if OPEN[item.state] then open = open + 1 end
    out.add {
      id = item.id, operation = item.operation, label = item.label, state = item.state, message = item.message,
      run = item.run and item.run.slug,
    }
  end
  out.close()
  return open > 0 and exit.codes.unknown_outcome or exit.codes.ok
end

local RUN = { "run", "A run's id, or last" }

return {
  {
    name = "run", summary = "Start a run of a Worker, and pay for it", run = start,
    arguments = {
      { "worker", "owner/name, or a slug" },
      job.PAIRS,
    },
    options = job.options(job.INPUT, job.OPTIONS, {
      { "--dry-run", "Print what would be sent, and start nothing", flag = true },
    }),
  },
  {
    name = "wait", summary = "Wait for a run", run = wait, arguments = { RUN }, options = job.OPTIONS,
  },
  {
    name = "runs", summary = "List runs, or show one", run = list,
    arguments = { { "run", "A run's id, or last", args = "?" } },
    options = {
      { "--worker", "Of this Worker", argname = "WORKER" },
      { "--status", "In this state", choices = { "ready", "running", "succeeded", "failed", "aborting" } },
      { "--from", "Since this day, YYYY-MM-DD (default: this month)", argname = "DAY" },
      { "--to", "Up to this day", argname = "DAY" },
      { "--max", "So many at most", argname = "N", type = "count" },
    },
  },
  {
    name = "abort", summary = "Ask the platform to abort a run", run = abort, arguments = { RUN },
    options = {
      { "--wait", "Wait for its end", flag = true },
      { "--timeout", "How long to wait, in seconds", argname = "SECONDS", type = "seconds" },
      { "--poll", "Seconds between two looks at the run", argname = "SECONDS", type = "seconds" },
    },
  },
  {
    name = "rerun", summary = "Start a run with the input of an earlier one, and pay for it", run = rerun,
    arguments = { RUN },
    options = job.options({
      { "--callback-url", "Where the platform tells of the run's end", argname = "URL" },
      { "--label", "For the journal: what the start is for", argname = "TEXT" },
    }, job.OPTIONS),
  },
  {
    name = "recover", summary = "After a crash: what the paid calls in a journal came to", run = recover,
    options = {
      { "--all", "Those that are settled, too", flag = true },
      { "--adopt", "This intent's run is known now: not listed again", argname = "INTENT" },
      { "--run", "Which run --adopt means, where there are several", argname = "RUN" },
      { "--dismiss", "Nothing came of this intent: not listed again", argname = "INTENT" },
    },
  },
}
