--- The run queue: runs that wait to be activated.

local advice = require "coreclaw.cli.advice"
local exit = require "coreclaw.cli.exit"
local job = require "coreclaw.cli.job"
local shapes = require "coreclaw.cli.shapes"

local function list(ctx, options)
  local out = ctx.out:list(shapes.ITEM)
  for item in ctx:client():queue { status = options.status } do out.add(shapes.item(item)) end
  out.close()
end

local function add(ctx, options)
  local worker = ctx:client():worker(options.worker)
  local custom, given = job.input(ctx, worker)
  ctx.looking = { "queue", "list" }
  local item = ctx:pay("queueing a run of " .. worker.id, function() return worker:queue(custom, given) end)
  ctx.out:record(shapes.ITEM, shapes.item(item))
  ctx:hint("it waits until it is activated: coreclaw queue activate %s", item.queue_ref)
end

-- What became of each; a refusal of one is one of the command.
local function tell(ctx, outcomes, all)
  local out = ctx.out:list(shapes.OUTCOME)
  local unknown = false
  for _, outcome in ipairs(outcomes) do
    out.add(outcome)
    unknown = unknown or outcome.sent == "unknown"
  end
  out.close()
  if unknown and not all then
    ctx:say("An answer was lost: it may have been done. Look before you repeat it:\n  %s",
      advice.command(ctx, "queue", "list"))
  end
  return all and exit.codes.ok or unknown and exit.codes.unknown_outcome or exit.codes.refused
end

local function activate(ctx, options)
  ctx.looking = { "queue", "list" }
  local client, all = ctx:client(), nil
  local outcomes = ctx:pay("activating queued runs", function()
    local done, err, each = client:activate(options.items)
    all = each
    return done, err
  end)
  return tell(ctx, outcomes, all)
end

local function release(ctx, options)
  local outcomes, err, all = ctx:client():release(options.items, { reason = options.reason })
  return tell(ctx, ctx:check(outcomes, err), all)
end

local ITEMS = { "items", "Ids of queue items", args = "+", argname = "ITEM" }

return {
  {
    name = "queue", summary = "Runs that wait to be activated: list, add, activate, release",
    commands = {
      {
        name = "list", summary = "List them", run = list,
        options = { { "--status", "In this state", choices = { "waiting", "inactive" } } },
      },
      {
        name = "add", summary = "Queue a run", run = add,
        arguments = { { "worker", "owner/name, or a slug" }, job.PAIRS },
        options = job.INPUT,
      },
      { name = "activate", summary = "Start queued runs, and pay for them", run = activate, arguments = { ITEMS } },
      {
        name = "release", summary = "Remove queued runs for good", run = release, arguments = { ITEMS },
        options = { { "--reason", "Why", argname = "TEXT" } },
      },
    },
  },
}
