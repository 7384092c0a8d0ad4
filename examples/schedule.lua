-- A saved task with a schedule: the platform starts it, also when this machine is off.
--
--   lua examples/schedule.lua owner/name '{"keywords": ["bakery"]}' "Bakeries, mondays"
--
-- Called again it changes the task that it finds under that title, instead of making a second one.

local coreclaw = require "coreclaw"
local client = coreclaw.new()

local worker, input, title = client:worker(arg[1]), assert(coreclaw.json.decode(arg[2])), arg[3]
local schedule = { weekly = "monday", at = "09:30" } -- daily, monthly = 15, once = "2026-12-01"; false: off

-- What is wrong with the input is better known now than on monday.
local prepared = assert(worker:prepare(input))
for _, issue in ipairs(prepared.errors) do io.stderr:write(issue.message, "\n") end
if prepared.errors[1] then os.exit(2) end

local task
for found in client:tasks { worker = worker, keyword = title } do
  if found.title == title then task = found end
end
if task then
  assert(task:set_input(input))
  assert(task:update { schedule = schedule })
  print("changed " .. task.slug)
else
  task = assert(client:create_task { worker = worker, title = title, input = input, schedule = schedule })
  print("created " .. task.slug)
end

-- A first run, now: of the saved input, as on mondays.
local run = assert(task:start())
assert(run:wait { timeout = 1800 })
print(run.slug, run.status, run.results_count .. " rows")

-- What it has done this month; `from` goes further back.
for past in client:runs { worker = worker } do print(past.slug, past.status) end
