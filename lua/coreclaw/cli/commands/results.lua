--- What a run has brought: its rows, files of them, its log.

local cell = require "coreclaw.cli.cell"
local context = require "coreclaw.cli.context"
local core = require "coreclaw.core"
local formats = require "coreclaw.export"
local failure = require "coreclaw.cli.failure"
local job = require "coreclaw.cli.job"
local shapes = require "coreclaw.cli.shapes"

local function results(ctx, options)
  local run = ctx:run_of(options.run)
  if options.follow then
    core.catch_interrupts(0)
    ctx.run, ctx.waiting = run, true
    ctx.resume = function()
      local token = ctx.token or options.from
      return { "results", run.slug, "--follow", token and "--from" or nil, token }
    end
  end
  job.rows(ctx, run, {
    follow = options.follow, from = options.from, max = options.max, timeout = options.timeout,
  })
  if options.token and ctx.token then ctx:say("token: %s", ctx.token) end
end

-- To stdout by way of a file, for a download that breaks off is gone on with there.
local function export_out(ctx, run)
  local path = os.tmpname()
  local ok, err = pcall(function()
    ctx.options.format = ctx.options.format or "csv"
    job.export(ctx, run, path)
    ctx.out:write(context.read(path))
  end)
  os.remove(path)
  os.remove(path .. ".part")
  if not ok then error(err, 0) end
end

local function export_url(ctx, run)
  local options = ctx.options
  local url = ctx:check(run:export_url { format = options.format, fields = job.fields(options.fields) })
  if ctx.out.mode == "table" then return ctx.out:write(url .. "\n") end
  ctx.out:record({}, { url = url })
end

-- What makes no sense, before anything is sent.
local function check_export(ctx, options)
  if not options.file and not options.url then
    failure.usage "export: a file is wanted, - for stdout, or --url"
  elseif options.file and options.url then
    failure.usage "export: either a file is wanted, or --url"
  elseif options.file == "-" and ctx.out.mode ~= "table" then
    failure.usage "export: - prints the file itself, which --json and --jsonl say nothing of: --format json, jsonl"
  end
end

local function export(ctx, options)
  check_export(ctx, options)
  local run = ctx:run_of(options.run)
  if options.url then return export_url(ctx, run) end
  if options.file == "-" then return export_out(ctx, run) end
  core.catch_interrupts(0)
  ctx.again = true
  local file = job.export(ctx, run, options.file)
  ctx.out:document({}, file)
end

local function print_log(ctx, entry)
  for line in (shapes.log_line(entry) .. "\n"):gmatch "(.-)\r?\n" do ctx.out:write(cell.text(line) .. "\n") end
end

local function logs(ctx, options)
  local run = ctx:run_of(options.run)
  if options.download then
    return ctx.out:document({}, ctx:check(run:download_log(options.download, {
      on_progress = function(bytes, total) ctx.progress:transfer("log", bytes, total) end,
    })))
  end
  if options.follow then
    core.catch_interrupts(0)
    ctx.run, ctx.waiting = run, true
    ctx.resume = function() return { "logs", run.slug, "--follow" } end
  end
  local list = ctx.out.mode ~= "table" and ctx.out:list(shapes.LOG) or nil
  for entry in run:logs {
    follow = options.follow, level = options.level, match = options.match, ignore_case = options.ignore_case or nil,
    context = options.context, timeout = options.timeout,
  } do
    if list then list.add(entry) else print_log(ctx, entry) end
    if options.follow then ctx.out:finish() end
  end
  if list then list.close() end
end

local RUN = { "run", "A run's id, or last" }
local FIELDS = { "--fields", "Columns, by their keys, with commas between", argname = "KEYS" }
local TIMEOUT = { "--timeout", "Seconds for all of it", argname = "SECONDS", type = "seconds" }
local POLL = { "--poll", "Seconds between two looks", argname = "SECONDS", type = "seconds" }

return {
  {
    name = "results", summary = "Print the rows of a run", run = results, arguments = { RUN },
    options = {
      { "--follow", "Those that are still to come, too, until the run has ended", flag = true },
      { "--from", "Go on behind the row of this token", argname = "TOKEN" },
      { "--token", "Say on stderr from which token to go on (with --max: up to 100)", flag = true },
      { "--max", "So many at most", argname = "N", type = "count" },
      FIELDS, TIMEOUT, POLL,
    },
  },
  {
    name = "export", summary = "Write the rows of a run to a file", run = export,
    arguments = { RUN, { "file", "Where to; - is stdout", args = "?" } },
    options = {
      { "--format", "Of the file (default: as it ends, or csv)", argname = "FORMAT", choices = formats.FORMATS },
      { "--url", "Print the signed link (good for half an hour, for whoever has it) instead", flag = true },
      FIELDS, TIMEOUT,
    },
  },
  {
    name = "logs", summary = "Print the log of a run", run = logs, arguments = { RUN },
    options = {
      { "--follow", "What is still to come, too, until the run has ended", flag = true },
      { "--level", "This one and above", choices = { "debug", "info", "warn", "error" } },
      { "--match", "Entries that hold this Lua pattern", argname = "PATTERN" },
      { "--ignore-case", "The pattern does not mind upper and lower case", flag = true },
      { "--context", "So many entries before and after", argname = "N", type = "count" },
      { "--download", "The whole log, into a file", argname = "FILE" },
      TIMEOUT, POLL,
    },
  },
}
