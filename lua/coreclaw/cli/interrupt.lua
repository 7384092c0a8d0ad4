--- Ctrl-C: once stops the waiting and says how to go on, twice asks the platform to abort, thrice ends the
--- program whatever it does.

local coreclaw = require "coreclaw"
local advice = require "coreclaw.cli.advice"
local core = require "coreclaw.core"
local exit = require "coreclaw.cli.exit"

local interrupt = { WORD = "interrupted!" } -- what a wait raises

local GRACE = 3 -- seconds for a second Ctrl-C, where a person is there to press it

---Is this what a wait raised because of Ctrl-C?
---@return boolean
function interrupt.is(err)
  return type(err) == "string" and err:find "interrupted!$" ~= nil
end

local function person()
  return core.terminal(0) or core.terminal(1) or core.terminal(2)
end

-- Was it pressed again, or is it now?
local function again(ctx)
  if core.interrupts() > 1 then return true end
  if not person() then return false end
  ctx:say("Ctrl-C again within %d seconds asks the platform to abort what goes on.", GRACE)
  return interrupt.is(select(2, pcall(coreclaw.sleep, GRACE)))
end

local function abort(ctx)
  ctx:say("asking the platform to abort run %s …", ctx.run.slug)
  local ok, err = ctx.run:abort { timeout = 20 }
  if ok then
    ctx:say("it will be aborted; what it has cost is paid. Its rows: %s", advice.command(ctx, "results", ctx.run.slug))
  else
    ctx:say("it was not aborted: %s", tostring(err))
  end
end

---After the first Ctrl-C.
---@param ctx coreclaw.cli.Context
---@return integer code
function interrupt.handle(ctx)
  ctx.progress:clear()
  if ctx.many then
    return ctx.many(again)
  elseif ctx.starting and ctx.refused then
    ctx:say("interrupted while %s: nothing was started", ctx.starting)
  elseif ctx.starting then
    ctx:say("interrupted while %s: it may have been, once. Look before you repeat it:", ctx.starting)
    ctx:say("  %s", advice.look(ctx))
    return exit.codes.unknown_outcome
  elseif ctx.run and ctx.run:is_final() then
    ctx:say("interrupted; run %s has ended. To go on:\n  %s", ctx.run.slug, advice.resume(ctx, ctx.run))
  elseif ctx.aborting then
    ctx:say("stopped waiting; run %s %s. To wait for its end:\n  %s", ctx.run.slug, ctx.aborting,
      advice.resume(ctx, ctx.run))
  elseif ctx.run then
    ctx:say("stopped waiting; run %s was not aborted and goes on. To take it up again:", ctx.run.slug)
    ctx:say("  %s", advice.resume(ctx, ctx.run))
    if again(ctx) then abort(ctx) end
  else
    ctx:say("interrupted%s", ctx.again and "; the same command goes on where it was" or "")
  end
  return exit.codes.interrupted
end

return interrupt
