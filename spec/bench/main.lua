-- `make bench`: runs every row, prints the tables, and leaves them in build/bench.
local shell = require "spec.bench.shell"
local server = require "spec.bench.server"
local race_of = require "spec.bench.race"
local report = require "spec.bench.report"

local OUT = "build/bench"
local ROOMS = { "sequential", "paging", "many", "process", "polling", "nginx", "growth" }

local function set(text)
  return text ~= nil and text ~= "" and text ~= "0"
end

local function say(...)
  io.stderr:write("bench: ", string.format(...), "\n")
end

local function new_context()
  local quick = set(os.getenv "QUICK")
  local context = { quick = quick, server = server.start { core = 1, megabytes = quick and 64 or 512 }, only = os.getenv "ROWS",
    closing = {} }
  -- A Lua that is started by another program finds its modules as well.
  context.env = ("LUA_PATH='./lua/?.lua;./lua/?/init.lua;./?.lua;;' LUA_CPATH='./build/luajit/?.so;;' "
    .. "LUA_CPATH_5_4='./build/lua5.4/?.so;;' BENCH_URL=%s BENCH_TLS=%s BENCH_FRESH=%s BENCH_CA=%s BENCH_NODE=%s/%s/node")
    :format(context.server.url, context.server.tls, context.server.fresh, context.server.ca, shell.root(), OUT)
  return context
end

-- ROWS="get reload" runs these only.
local function wanted(context, row)
  return not set(context.only) or (" " .. context.only .. " "):find(" " .. row.id .. " ", 1, true) ~= nil
end

local function run_row(context, row, into)
  local since = os.time()
  local race = row.race(context)
  local entries, list = race_of.run(context, race)
  into.results[row.id] = { title = row.title, unit = race.unit, reference = row.reference, entries = entries }
  into.tables[#into.tables + 1] = report.race(row, race, entries, list)
  for _, line in ipairs(row.verdicts and row.verdicts(entries, list, race, context) or {}) do
    line.row = row.id
    into.lines[#into.lines + 1] = line
  end
  say("%s: %d s", row.title, os.time() - since)
end

local function write(name, text)
  local file = assert(io.open(OUT .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function run(context)
  local since, into = os.time(), { results = {}, tables = {}, lines = {} }
  for _, room in ipairs(ROOMS) do
    for _, row in ipairs(require("spec.bench.rows." .. room)) do
      if wanted(context, row) then run_row(context, row, into) end
    end
  end
  local machine, seconds = report.machine(context), os.time() - since
  local text = report.markdown(machine, into.lines, into.tables, seconds)
  write("bench.md", text)
  write("bench.json", report.json(machine, into.lines, into.results, seconds))
  io.stdout:write(text, "\n")
end

local context = new_context()
local ok, err = xpcall(run, debug.traceback, context)
for _, close in ipairs(context.closing) do close() end
server.stop(context.server)
if not ok then
  io.stderr:write(err, "\n")
  os.exit(1)
end
