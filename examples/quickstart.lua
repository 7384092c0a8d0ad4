-- Quick start: run a Worker, wait for it, print its rows as a table.
--
--   make demo                                    no account needed: the sandbox plays the platform
--   CORECLAW_API_KEY=… lua examples/quickstart.lua owner/name '{"keywords": ["coffee"]}'
--
-- Progress goes to stderr, the table to stdout.

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

local function job(sandbox)
  if arg[1] then
    return arg[1], assert(coreclaw.json.decode(arg[2] or "{}"))
  elseif sandbox then
    return "demo/page-scraper", { start_urls = { sandbox.site_url }, max_pages = 12 }
  end
  say("usage: quickstart.lua OWNER/WORKER ['{\"field\": \"value\"}']")
  os.exit(2)
end

-- One cell: short, on one line; nested values as JSON.
local function cell(value)
  if value == nil or value == coreclaw.null then return "" end
  local text = type(value) == "table" and coreclaw.json.encode(value) or tostring(value)
  local out, width = {}, 0
  for char in text:gsub("%s+", " "):gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    width = width + 1
    if width > 30 then
      out[30] = "…"
      break
    end
    out[width] = char
  end
  return table.concat(out), math.min(width, 30)
end

local function pad(text, have, want)
  return text .. string.rep(" ", want - (have or 0))
end

-- Rows as an aligned table; the columns are the run's headers, in their order.
local function print_table(headers, rows)
  local lines, widths = { {} }, {}
  for c, header in ipairs(headers) do lines[1][c] = { cell(header.label or header.key) } end
  for _, row in ipairs(rows) do
    local line = {}
    for c, header in ipairs(headers) do line[c] = { cell(row[header.key]) } end
    lines[#lines + 1] = line
  end
  for _, line in ipairs(lines) do
    for c, item in ipairs(line) do widths[c] = math.max(widths[c] or 0, item[2] or 0) end
  end
  for n, line in ipairs(lines) do
    local out = {}
    for c, item in ipairs(line) do out[c] = pad(item[1], item[2], widths[c]) end
    print((table.concat(out, "  "):gsub("%s+$", "")))
    if n == 1 then
      for c in ipairs(out) do out[c] = string.rep("-", widths[c]) end
      print(table.concat(out, "  "))
    end
  end
end

local client, sandbox = connect()
local name, input = job(sandbox)

local run = assert(client:worker(name):start(input))
say("started   run %s of %s", run.slug, name)

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
say("done      %d rows", #rows)

if sandbox then sandbox:stop() end
