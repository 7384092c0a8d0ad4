--- A run that somebody waits for: its progress, its log, its end, and what is made of its rows.

local cell = require "coreclaw.cli.cell"
local core = require "coreclaw.core"
local exit = require "coreclaw.cli.exit"
local export = require "coreclaw.export"
local failure = require "coreclaw.cli.failure"
local inputs = require "coreclaw.cli.inputs"
local shapes = require "coreclaw.cli.shapes"
local start = require "coreclaw.start"
local verdict = require "coreclaw.verdict"

local job = {}

---Options of whatever may wait for a run.
job.OPTIONS = {
  { "--wait", "Wait for the run's end", flag = true },
  { "--timeout", "How long to wait, in seconds; 0: for ever (default 3600)", argname = "SECONDS", type = "seconds" },
  { "--poll", "Seconds between two looks at the run", argname = "SECONDS", type = "seconds" },
  { "--follow-log", "Wait, and show the run's log on stderr", flag = true },
  { "--require-data", "Wait; a run without data rows is a failed one", flag = true },
  { "--results", "Wait, and print the rows", flag = true },
  { "--export", "Wait, and write the rows to a file", argname = "FILE" },
  { "--format", "Of the export (default: as FILE ends, or csv)", argname = "FORMAT", choices = export.FORMATS },
  { "--fields", "Columns, by their keys, with commas between", argname = "KEYS" },
}

---Fields of an input, as arguments.
job.PAIRS = {
  "key=value", "Fields of the input, of the type that the schema says; key:=JSON", args = "*", argname = "KEY=VALUE",
  target = "pairs",
}

---Options of whatever starts a Worker with an input of its own.
job.INPUT = {
  { "--input", "JSON object: a file, or - for stdin; or key=value. May be repeated", argname = "INPUT", count = "*" },
  { "--system", "Resources: memory=512, proxy_region=PT, … May be repeated", argname = "KEY=VALUE", count = "*" },
  { "--raw-input", "The whole `input` of the API, as JSON in a file or -", argname = "FILE" },
  { "--worker-version", "A version of the Worker, other than the newest", argname = "VERSION" },
  { "--callback-url", "Where the platform tells of the run's end", argname = "URL" },
  { "--label", "For the journal: what the start is for", argname = "TEXT" },
  { "--no-check", "Do not hold the input against the Worker's schema first", flag = true },
}

---Options in one list.
---@param ... table[]
---@return table[]
function job.options(...)
  local out = {}
  for _, list in ipairs { ... } do
    for _, entry in ipairs(list) do out[#out + 1] = entry end
  end
  return out
end

---Words between commas.
---@param text string?
---@return string[]?
function job.fields(text)
  if not text then return nil end
  local out = {}
  for word in text:gmatch "[^,]+" do out[#out + 1] = word:match "^%s*(.-)%s*$" end
  if #out == 0 then failure.usage("--fields: at least one key is wanted") end
  return out
end

-- ---- input ------------------------------------------------------------------------------------

local function say_all(ctx, word, issues)
  for _, issue in ipairs(issues) do ctx:say("coreclaw: %s: %s", word, issue.message) end
end

---What the schema says of an input, before anything is paid for.
---@param ctx coreclaw.cli.Context
---@param worker coreclaw.Worker
---@param custom table
---@param options { system: table? }
---@return coreclaw.PreparedInput
function job.prepare(ctx, worker, custom, options)
  local prepared = ctx:check(worker:prepare(custom, { system = options.system }))
  say_all(ctx, "warning", prepared.warnings)
  if #prepared.errors > 0 then
    say_all(ctx, "input", prepared.errors)
    failure.usage("the input does not fit the schema of %s; nothing was started (coreclaw schema %s shows it)",
      worker.id, worker.id)
  end
  return prepared
end

---Input and options of a start, as the command line says them.
---@param ctx coreclaw.cli.Context
---@param worker coreclaw.Worker
---@return table? custom
---@return table options   of `worker:start`
---@return coreclaw.PreparedInput? prepared
function job.input(ctx, worker)
  local given, words = ctx.options, {}
  for _, list in ipairs { given.input or {}, given.pairs or {} } do
    for _, word in ipairs(list) do words[#words + 1] = word end
  end
  local options = {
    system = inputs.pairs(given.system), version = given.worker_version, callback_url = given.callback_url,
    label = given.label,
  }
  if given.raw_input then
    options.raw_input = inputs.file(given.raw_input)
    if #words > 0 then failure.usage "--raw-input is the whole input; give either it, or fields" end
    return nil, options
  end
  local custom = inputs.read(ctx, worker, words) or {}
  local prepared = not given.no_check and job.prepare(ctx, worker, custom, options) or nil
  return prepared and prepared.custom or custom, options, prepared
end

---What would fail after the run, before it is paid for.
---@param ctx coreclaw.cli.Context
function job.check(ctx)
  local path = ctx.options.export
  job.fields(ctx.options.fields)
  if not path then return end
  if path == "-" then
    failure.usage "--export wants a file; on stdout: --results, or coreclaw export RUN -; nothing was started"
  end
  local folder = path:match "^(.*)/" or "."
  if folder == "" then folder = "/" end
  if core.file_type(folder) ~= "folder" then
    failure.raise("file", "--export " .. path .. ": there is no folder " .. folder .. "; nothing was started")
  elseif core.file_type(path) == "folder" then
    failure.raise("file", "--export " .. path .. ": this is a folder; nothing was started")
  end
end

-- ---- waiting ----------------------------------------------------------------------------------

local function watch(ctx)
  return function(run) ctx.progress:run(run) end
end

local function follow_log(ctx, run)
  local on_update, timeout = watch(ctx), ctx.options.timeout
  for entry in run:logs { follow = true, timeout = timeout, on_update = on_update } do
    for line in (shapes.log_line(entry) .. "\n"):gmatch "(.-)\r?\n" do ctx:say("%s", cell.text(line)) end
  end
end

---Waits for the run's end. Ends the command with an error unless the run has succeeded.
---@param ctx coreclaw.cli.Context
---@param run coreclaw.Run
function job.wait(ctx, run)
  local options = ctx.options
  core.catch_interrupts(0)
  ctx.run, ctx.waiting = run, true
  ctx.progress:run(run)
  local began = core.now()
  if options.follow_log then follow_log(ctx, run) end
  local left = options.timeout
  if left and left > 0 then left = math.max(0.001, left - (core.now() - began)) end
  ctx:check(run:wait { timeout = left, on_update = watch(ctx) })
  ctx.progress:clear()
  if run.status ~= "succeeded" then error(start.failure(run), 0) end
  local err = options.require_data and verdict.without_data(run, math.huge)
  if err then error(err, 0) end
end

-- ---- rows -------------------------------------------------------------------------------------

-- Columns in the run's order, or those that were asked for.
local function columns_of(page, wanted)
  local labels, columns = {}, {}
  for _, header in ipairs(page.headers) do labels[header.key] = header.label or header.key end
  if wanted then
    for i, key in ipairs(wanted) do columns[i] = { key = key, label = labels[key] or key } end
    return columns
  end
  for i, header in ipairs(page.headers) do columns[i] = { key = header.key, label = labels[header.key] } end
  if #columns > 0 or not page.list[1] then return columns end
  for key in pairs(page.list[1]) do columns[#columns + 1] = { key = key, label = key } end
  table.sort(columns, function(a, b) return a.key < b.key end)
  return columns
end

local function only(row, wanted)
  if not wanted then return row end
  local out = {}
  for _, key in ipairs(wanted) do out[key] = row[key] end
  return out
end

---Prints rows into a list, which is begun with the first page. `ctx.token` is what is behind those that
---were printed, while that is known.
---@param ctx coreclaw.cli.Context
---@param run coreclaw.Run
---@param options { follow: boolean?, from: string?, max: number?, timeout: number? }
---@param list coreclaw.cli.List?
---@return coreclaw.cli.List?
function job.add_rows(ctx, run, options, list)
  local wanted, left = job.fields(ctx.options.fields), options.max or math.huge
  for page, token in run:pages {
    follow = options.follow, from = options.from, timeout = options.timeout,
    limit = left <= 100 and left or nil, on_update = options.follow and watch(ctx) or nil,
  } do
    list = list or ctx.out:list(columns_of(page, wanted))
    for i = 1, math.min(left, #page.list) do list.add(only(page.list[i], wanted)) end
    ctx.token = left >= #page.list and token or nil
    left = left - #page.list
    if left <= 0 then break end
  end
  return list
end

---Ends what `add_rows` has begun.
---@param ctx coreclaw.cli.Context
---@param list coreclaw.cli.List?
function job.end_rows(ctx, list)
  ctx.progress:clear()
  local _, left_out = (list or ctx.out:list {}).close()
  if left_out > 0 then ctx:hint("%d more columns: --jsonl, or --fields KEYS", left_out) end
end

---Prints rows.
function job.rows(ctx, run, options)
  job.end_rows(ctx, job.add_rows(ctx, run, options))
end

---Writes the rows to a file.
---@param ctx coreclaw.cli.Context
---@param run coreclaw.Run
---@param path string
---@return coreclaw.Download
function job.export(ctx, run, path)
  local options = ctx.options
  local file = ctx:check(run:export(path, {
    format = options.format, fields = job.fields(options.fields), timeout = options.timeout,
    on_progress = function(bytes, total) ctx.progress:transfer("export", bytes, total) end,
  }))
  ctx.progress:clear()
  ctx:hint("%s  %d bytes", path, file.bytes)
  return file
end

-- ---- after a start ----------------------------------------------------------------------------

---Does with a run what the options say, and prints it, or its rows.
---@param ctx coreclaw.cli.Context
---@param run coreclaw.Run
---@return integer code
function job.finish(ctx, run)
  local options = ctx.options
  if options.wait or options.follow_log or options.require_data or options.results or options.export then
    job.wait(ctx, run)
    if options.export then job.export(ctx, run, options.export) end
    if options.results then
      job.rows(ctx, run, {})
      return exit.codes.ok
    end
  end
  ctx.out:record(shapes.RUN, shapes.run(run))
  return exit.codes.ok
end

return job
