--- Many inputs: a run for each, some at a time. One that fails never loses the others.

local advice = require "coreclaw.cli.advice"
local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local exit = require "coreclaw.cli.exit"
local export = require "coreclaw.export"
local failure = require "coreclaw.cli.failure"
local inputs = require "coreclaw.cli.inputs"
local interrupt = require "coreclaw.cli.interrupt"
local job = require "coreclaw.cli.job"

local ITEM = {
  { key = "index", label = "input", always = true },
  { key = "status", label = "status", always = true },
  { key = "rows", label = "rows" },
  { key = "run", label = "run", always = true },
  { key = "error", label = "error" },
}

local function record_of(item)
  local run, err = item.run, item.err
  return {
    index = item.index, run = run and run.slug, status = run and run.status or "not started",
    rows = run and run.results_count, error = err and err.kind .. ": " .. err.message, kind = err and err.kind,
  }
end

-- ---- inputs -----------------------------------------------------------------------------------

-- All inputs, the pairs over each, and checked before the first one is paid for.
local function read(ctx, worker, options, given)
  local list = inputs.many(options.inputs)
  if options.first > #list then failure.usage("map --first %d: there are %d inputs", options.first, #list) end
  local common = inputs.read(ctx, worker, options.pairs) or {}
  for i, input in ipairs(list) do
    for name, value in pairs(common) do input[name] = value end
    if not options.no_check and i >= options.first then
      local ok, prepared = pcall(job.prepare, ctx, worker, input, given)
      if not ok then
        if failure.is(prepared) then ctx:say("coreclaw: input %d of %d", i, #list) end
        error(prepared, 0)
      end
      list[i] = prepared.custom
    end
  end
  return list
end

-- ---- what goes on -----------------------------------------------------------------------------

---@class coreclaw.cli.Many
---@field going table<integer, coreclaw.Run>  runs that have not ended
---@field last integer     the last input that was taken
---@field ended integer
---@field bad integer
---@field code integer     how the command will end
---@field sending boolean?  the last input was taken, and nothing is known of it yet
---@field rows coreclaw.cli.List?

-- The most serious of all counts: what may have been paid for.
local function count(state, item)
  state.ended = state.ended + 1
  if not item.err then return end
  state.bad = state.bad + 1
  if state.code ~= exit.codes.unknown_outcome then
    local code = exit.of(item.err, not item.run)
    if state.code == 0 or code == exit.codes.unknown_outcome then state.code = code end
  end
end

local function show(ctx, state)
  local going = 0
  for _ in pairs(state.going) do going = going + 1 end
  ctx.progress:show(("%d running  %d ended  %d failed"):format(going, state.ended, state.bad))
end

local function check_interrupt()
  if core.interrupts() > 0 then error(interrupt.WORD, 0) end
end

local function going_in_order(state)
  local list = {}
  for index in pairs(state.going) do list[#list + 1] = index end
  table.sort(list)
  return list
end

local function abort_all(ctx, state)
  for _, index in ipairs(going_in_order(state)) do
    local ok, err = state.going[index]:abort { timeout = 20 }
    ctx:say("input %d: run %s %s", index, state.going[index].slug, ok and "will be aborted" or tostring(err))
  end
end

-- After Ctrl-C: which runs go on, and with which input to begin next time.
local function stopped(ctx, state, total)
  return function(again)
    local list = going_in_order(state)
    for _, index in ipairs(list) do
      ctx:say("input %d goes on: %s", index, advice.command(ctx, "wait", state.going[index].slug))
    end
    local unknown, next_one = state.sending and not ctx.refused, state.last + 1
    if state.sending and ctx.refused then next_one = state.last end -- it waits for a place
    if unknown then
      ctx:say("input %d was being started: it may have been, once. Look before you repeat it:\n  %s", state.last,
        advice.look(ctx))
    end
    if next_one <= total then ctx:say("To go on with the other inputs: --first %d", next_one) end
    if #list > 0 and again(ctx) then abort_all(ctx, state) end
    return unknown and exit.codes.unknown_outcome or exit.codes.interrupted
  end
end

-- ---- the command ------------------------------------------------------------------------------

-- Inputs one by one. The one that is given out is being started until a hook or an item tells of it.
local function feed(list, state)
  return function()
    local input = list[state.last + 1]
    if input then
      state.last, state.sending = state.last + 1, true
    end
    return input
  end
end

-- Rows of one run: a file, or more of the list that is printed.
local function bring(ctx, item, state)
  local options = ctx.options
  if not item.run or item.err then return end
  if options.export then
    local path = ("%s/%d.%s"):format(options.export, item.index, options.format or "csv")
    local ok, err = pcall(job.export, ctx, item.run, path)
    if not ok then
      if not errors.is(err) then error(err, 0) end
      item.err = err -- and the others go on
    end
  end
  if options.results then state.rows = job.add_rows(ctx, item.run, {}, state.rows) end
end

local function each(ctx, worker, list, given, state)
  local options, first = ctx.options, ctx.options.first
  local function hook(item)
    if item.index + first - 1 == state.last then state.sending = false end
    state.going[item.index + first - 1] = item.run
    show(ctx, state)
    check_interrupt()
  end
  return ctx:client():map(worker, feed(list, state), {
    concurrency = options.concurrency, system = given.system, version = given.version, label = given.label,
    timeout = options.timeout, require = options.require_data and "data" or nil,
    on_start = hook, on_update = hook,
  })
end

-- One item has ended.
local function settle(ctx, state, item, out)
  item.index = item.index + ctx.options.first - 1
  if item.index == state.last then state.sending = false end
  state.going[item.index] = nil
  bring(ctx, item, state)
  count(state, item)
  if out then
    out.add(record_of(item))
    if ctx.out.mode == "jsonl" then ctx.out:finish() end
  elseif item.err then
    ctx:say("input %d: %s", item.index, tostring(item.err))
  end
  show(ctx, state)
  check_interrupt()
end

local function map(ctx, options)
  if not options.inputs then failure.usage "map: --inputs FILE is wanted, - for stdin" end
  if options.export and core.file_type(options.export) ~= "folder" then
    failure.raise("file", "--export " .. options.export .. ": there is no such folder; nothing was started")
  end
  options.first = options.first or 1
  local worker = ctx:client():worker(options.worker)
  local given = {
    system = inputs.pairs(options.system), version = options.worker_version, label = options.label,
  }
  local list = read(ctx, worker, options, { system = given.system })
  local state = { going = {}, last = options.first - 1, ended = 0, bad = 0, code = 0 }
  ctx.looking, ctx.many = { "runs", "--worker", worker.id }, stopped(ctx, state, #list)
  ctx:patience(true)
  local out = not options.results and ctx.out:list(ITEM) or nil
  for item in each(ctx, worker, list, given, state) do settle(ctx, state, item, out) end
  ctx.many = nil
  ctx.progress:clear()
  if out then out.close() else job.end_rows(ctx, state.rows) end
  return state.code
end

return {
  {
    name = "map", summary = "Start a run for each of many inputs, and pay for them", run = map,
    arguments = { { "worker", "owner/name, or a slug" }, job.PAIRS },
    options = {
      { "--inputs", "A line of JSON for each, or one array; - is stdin. KEY=VALUE is over each", argname = "FILE" },
      { "--concurrency", "Runs at once (default 10)", argname = "N", type = "count" },
      { "--first", "Begin with this input, counted from 1", argname = "N", type = "count" },
      { "--results", "Print the rows of all of them", flag = true },
      { "--export", "Write the rows of each to FOLDER/N.csv", argname = "FOLDER" },
      { "--format", "Of the files (default csv)", argname = "FORMAT", choices = export.FORMATS },
      { "--fields", "Columns, by their keys, with commas between", argname = "KEYS" },
      { "--require-data", "A run without data rows is a failed one", flag = true },
      { "--system", "Resources: memory=512, proxy_region=PT, … May be repeated", argname = "KEY=VALUE", count = "*" },
      { "--worker-version", "A version of the Worker, other than the newest", argname = "VERSION" },
      { "--label", "For the journal: what the starts are for", argname = "TEXT" },
      { "--no-check", "Do not hold the inputs against the Worker's schema first", flag = true },
      { "--timeout", "For each run, in seconds; 0: for ever (default 3600)", argname = "SECONDS", type = "seconds" },
      { "--poll", "Seconds between two looks at the runs", argname = "SECONDS", type = "seconds" },
    },
  },
}
