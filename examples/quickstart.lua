-- Quick start: run a Worker, wait for it, print its rows as a table.
--
--   make demo                                    no account needed: the sandbox plays the platform
--   CORECLAW_API_KEY=… lua examples/quickstart.lua owner/name '{"keywords": ["coffee"]}'
--
-- Progress goes to stderr, the table to stdout. Ctrl-C stops the waiting, not the run: what is printed
-- then takes it up again.

local coreclaw = require "coreclaw"

local function say(format, ...)
  io.stderr:write(string.format(format, ...), "\n")
end

-- The real platform when a key is there, else a sandbox of our own.
local function connect()
  if (os.getenv "CORECLAW_API_KEY" or "") ~= "" then
    return coreclaw.new()
  end
  local sandbox = assert(require("coreclaw.sandbox").start())
  say("sandbox   %s (no account needed; it stops when this program ends)", sandbox.url)
  local client = coreclaw.new {
    api_key = sandbox.key, base_url = sandbox.url, poll_intervals = { 0.2, 0.5 },
  }
  return client, sandbox
end

-- What is to be done: a run to be taken up again, or a Worker and its input.
local function job(sandbox)
  if arg[1] == "--resume" and arg[2] and not sandbox then
    return { resume = arg[2] }
  elseif arg[1] and arg[1] ~= "--resume" then
    return { worker = arg[1], input = assert(coreclaw.json.decode(arg[2] or "{}")) }
  elseif sandbox and not arg[1] then
    return { worker = "demo/page-scraper", input = {
      start_urls = { sandbox.site_url }, follow_links = true, max_pages = 12,
    } }
  end
  say("usage: quickstart.lua OWNER/WORKER ['{\"field\": \"value\"}']")
  say("       quickstart.lua --resume TEXT      with a key: a run that this program has left")
  os.exit(2)
end

local CELL, LINE = 20, 120 -- widest cell, widest line

-- One cell: short, on one line; nested values as JSON. Returns the text and its width.
local function cell(value)
  if value == nil or value == coreclaw.null then return "", 0 end
  local text = type(value) == "table" and coreclaw.json.encode(value) or tostring(value)
  local out, width = "", 0
  for char in text:gsub("%s+", " "):gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    local wide = char:find "^[\227-\237]" and 2 or 1 -- Chinese, Japanese, Korean
    if width + wide > CELL then return out .. "…", width + 1 end
    out, width = out .. char, width + wide
  end
  return out, width
end

-- A column: its header and its cells, and how wide it must be; nil when there is nothing in it.
local function column(header, rows)
  local name, widest = cell(header.label or header.key)
  local cells, filled = { { name, widest } }, false
  for i, row in ipairs(rows) do
    local text, width = cell(row[header.key])
    cells[i + 1] = { text, width }
    widest, filled = math.max(widest, width), filled or width > 0
  end
  return filled and { cells = cells, width = widest } or nil
end

-- The run's headers, in their order, as far as they fit.
local function columns(headers, rows)
  local list, used = {}, 0
  for _, header in ipairs(headers) do
    local c = column(header, rows)
    if c and used + c.width <= LINE then
      list[#list + 1], used = c, used + c.width + 2
    end
  end
  return list
end

local function print_line(list, n)
  local out = {}
  for i, c in ipairs(list) do
    local text, width = c.cells[n][1], c.cells[n][2]
    out[i] = text .. string.rep(" ", c.width - width)
  end
  print((table.concat(out, "  "):gsub("%s+$", "")))
end

local function print_table(headers, rows)
  local list, rule = columns(headers, rows), {}
  for i, c in ipairs(list) do rule[i] = string.rep("-", c.width) end
  print_line(list, 1)
  print(table.concat(rule, "  "))
  for n = 2, #rows + 1 do print_line(list, n) end
end

local client, sandbox = connect()
local wanted = job(sandbox)
local run, starting

local function begin()
  if wanted.resume then
    run = client:run(wanted.resume)
    say("resumed   run %s", run.slug)
    return
  end
  starting = true
  run = assert(client:worker(wanted.worker):start(wanted.input))
  starting = false
  say("started   run %s of %s", run.slug, wanted.worker)
end

local function work()
  begin()
  assert(run:wait {
    timeout = 1800,
    on_update = function(r) say("%-9s %d rows", r.status, r.results_count) end,
  })
  if run.status ~= "succeeded" then
    local log = assert(run:log())
    for _, entry in ipairs(log.entries) do say("log       %s", entry.text) end
    os.exit(1)
  end
  local first = assert(run:results_page { limit = 1 })
  local rows = {}
  for row in run:results() do rows[#rows + 1] = row end
  print_table(first.headers, rows)
  io.stdout:flush() -- the table first, wherever both go
  say("done      %d rows", #rows)
end

-- For a shell to read again.
local function quoted(text)
  return text:find "^[%w/._-]+$" and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

-- After Ctrl-C: where the run is, and how to go on.
local function tell_where()
  if run and sandbox then
    say("stopped   the sandbox and run %s in it end with this program", run.slug)
  elseif run then
    say("stopped   waiting; run %s was not aborted and goes on. To take it up again:", run.slug)
    say("  %s %s --resume %s", quoted(arg[-1] or "lua"), quoted(arg[0]), quoted(run:serialize()))
  elseif starting then
    say("stopped   while the run was being started: it may have been, once. See client:runs()")
  else
    say("stopped   before anything was started")
  end
end

-- The lua program makes an error of Ctrl-C.
local ok, err = pcall(work)
if not ok and tostring(err):find "interrupted!$" then
  tell_where()
  os.exit(130)
elseif not ok then
  error(err, 0)
end

if sandbox then sandbox:stop() end
