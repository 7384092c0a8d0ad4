--- What to do after a failure, in commands that can be typed.

local advice = {}

local spread = unpack or table.unpack -- luacheck: ignore 113 143

-- Options that the next command needs as well.
local SAME = { "base_url", "profile", "key_file", "api", "attempts", "ca_file", "journal" }

-- For a shell to read again.
local function quoted(text)
  return text:find "^[%w/._=:,~@%%+-]+$" and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

-- How the program was called: by its name, or as a file of a source tree.
local function program(words)
  local file = words[0] or ""
  if not ("/" .. file):find "/lua/coreclaw/cli/main%.lua$" then return "coreclaw" end
  return quoted(words[-1] or "lua") .. " " .. quoted(file)
end

---A command line, with the options of this one that it needs as well.
---@param ctx coreclaw.cli.Context
---@param ... string
---@return string
function advice.command(ctx, ...)
  local list = { program(ctx.words) }
  for _, word in ipairs { ... } do list[#list + 1] = quoted(word) end
  for _, name in ipairs(SAME) do
    local value = ctx.options[name]
    if value and value ~= "-" then
      list[#list + 1] = "--" .. name:gsub("_", "-") .. " " .. quoted(tostring(value))
    end
  end
  return table.concat(list, " ")
end

---The command that goes on with a run, and does with it what was asked for.
---@param ctx coreclaw.cli.Context
---@param run coreclaw.Run
---@return string
function advice.resume(ctx, run)
  if ctx.resume then return advice.command(ctx, spread(ctx.resume(run))) end
  local options, words = ctx.options, { "wait", run.slug }
  local function add(...)
    for _, word in ipairs { ... } do words[#words + 1] = word end
  end
  if options.follow_log then add "--follow-log" end
  if options.require_data then add "--require-data" end
  if options.export then add("--export", options.export) end
  if options.format then add("--format", options.format) end
  if options.fields then add("--fields", options.fields) end
  if options.results then add "--results" end
  return advice.command(ctx, spread(words))
end

---The command that shows what may have been started.
---@param ctx coreclaw.cli.Context
---@return string
function advice.look(ctx)
  return advice.command(ctx, spread(ctx.looking or { "runs" }))
end

local function unknown_outcome(ctx, err)
  ctx:say("It may have been done, once, and paid for. Nothing was repeated. Look before you repeat it:")
  ctx:say("  %s", advice.look(ctx))
  if ctx.options.journal then
    ctx:say("  %s", advice.command(ctx, "recover"))
    return
  end
  if not (err.path and (err.path.workerId or err.path.runId or err.path.workerTaskId)) then return end
  local ok, found, why = pcall(function() return ctx:client():reconcile(err, { timeout = 20 }) end)
  if not ok then return end
  if found then
    ctx:say("One run of that time is to be seen: it is this call's, unless another program started it:\n  %s",
      advice.resume(ctx, found))
  elseif why.candidates then
    ctx:say("%d runs of that time are to be seen now.", #why.candidates)
    for _, run in ipairs(why.candidates) do ctx:say("  %s", run.slug) end
  end
end

local GIVE = {
  unknown_outcome = unknown_outcome,
  authentication = function(ctx)
    ctx:say("The key is taken from --key-file, a profile, or CORECLAW_API_KEY: %s", advice.command(ctx, "doctor"))
  end,
  plan_limit = function(ctx)
    ctx:say("What is running: %s", advice.command(ctx, "runs", "--status", "running"))
  end,
  run_failed = function(ctx, err)
    ctx:hint("its log:  %s\nits rows: %s", advice.command(ctx, "logs", err.run.slug),
      advice.command(ctx, "results", err.run.slug))
  end,
  wait_timeout = function(ctx, err)
    if err.run then ctx:say("To take it up again:\n  %s", advice.resume(ctx, err.run)) end
  end,
}

-- The answer of a start was lost, and it was repeated, or never may have arrived.
local function unsure(ctx)
  ctx:say("It may have been done, and paid for. Look before you repeat it:\n  %s", advice.look(ctx))
end

local NOTHING = { not_found = true, bad_request = true, authentication = true, forbidden = true }

---Does the error say that there is no such run, or none for this key? Nothing was seen of it, then, and it
---was not started here.
---@param ctx coreclaw.cli.Context
---@param err coreclaw.Error
---@return boolean
function advice.nothing_there(ctx, err)
  return NOTHING[err.kind] ~= nil and not ctx.bought and not (ctx.run and ctx.run.status)
end

-- Trouble with a run that was paid for: how not to pay for it again.
local function of_run(ctx)
  local run = ctx.run
  if not run or not ctx.waiting then return end
  ctx:say("Run %s %s. To take it up again:\n  %s", run.slug, run:is_final() and "has ended as " .. run.status
    or "goes on", advice.resume(ctx, run))
end

---Says on stderr what can be done about an error.
---@param ctx coreclaw.cli.Context
---@param err coreclaw.Error
function advice.give(ctx, err)
  local give = GIVE[err.kind] or of_run
  if err == ctx.start_error and err.sent == "unknown" and err.kind ~= "unknown_outcome" then give = unsure end
  give(ctx, err)
end

return advice
