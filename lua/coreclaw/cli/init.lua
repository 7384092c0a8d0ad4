--- The command line: words in, exit code out. One room for each noun in commands/.

local arguments = require "coreclaw.cli.arguments"
local context = require "coreclaw.cli.context"
local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local exit = require "coreclaw.cli.exit"
local advice = require "coreclaw.cli.advice"
local failure = require "coreclaw.cli.failure"
local interrupt = require "coreclaw.cli.interrupt"
local shapes = require "coreclaw.cli.shapes"

local cli = {}

-- An error with its place, unless it says all by itself.
local function traced(err)
  if type(err) ~= "string" or interrupt.is(err) or failure.misuse(err) then return err end
  return debug.traceback(err, 2)
end

-- Machines that waited for a run get its record, however the waiting ended.
local function show_run(ctx)
  if ctx.waiting and ctx.out.mode ~= "table" and not ctx.out.used then
    ctx.out:record(shapes.RUN, shapes.run(ctx.run))
    ctx.out:finish()
  end
end

-- What an error means for whoever called: words on stderr, and a code.
local function settle(ctx, err)
  if interrupt.is(err) then return interrupt.handle(ctx) end
  ctx.progress:clear()
  if ctx.many then ctx.many(function() return false end) end
  if failure.is(err) then
    ctx:say("coreclaw: %s", err.message)
    return exit.codes[err.code]
  elseif errors.is(err) then
    ctx:say("%s", tostring(err))
    if advice.nothing_there(ctx, err) then ctx.waiting = false end
    advice.give(ctx, err)
    show_run(ctx)
    return exit.of(err, err == ctx.start_error)
  end
  local misuse, code = failure.misuse(err)
  ctx:say("coreclaw: %s", misuse or "this should not have happened: " .. tostring(err))
  if code == "authentication" then advice.give(ctx, { kind = code }) end
  return exit.codes[code or "error"]
end

local function work(ctx)
  local code = ctx.command.run(ctx, ctx.options)
  ctx.out:finish()
  ctx.progress:clear()
  return code or exit.codes.ok
end

---Runs one command.
---@param words string[]  as `arg`; at [0] and below how the program was called
---@return integer code
function cli.main(words)
  local command, options = arguments.parse(words)
  if not command then
    io.stderr:write(options, "\n")
    return exit.codes.usage
  end
  core.catch_interrupts() -- who waits for something catches them again
  local ctx = context.new(command, options, words)
  local ok, result = xpcall(function() return work(ctx) end, traced)
  if ok then return result end
  -- What comes after a failure may fail, too, or be interrupted.
  local settled, code = xpcall(function() return settle(ctx, result) end, traced)
  if settled then return code end
  ctx:say("coreclaw: %s", tostring(code))
  return interrupt.is(code) and exit.codes.interrupted or exit.codes.error
end

return cli
