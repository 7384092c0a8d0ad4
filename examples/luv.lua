-- In a program that runs luv's loop: nothing is to be set up, tasks wait in it.
--
--   lua examples/luv.lua owner/name '{"keywords": ["coffee"]}' '{"keywords": ["tea"]}'
--
-- Here all inputs run at once, while the loop does something else: a clock ticks. Outside of tasks, calls run the
-- loop until they have their answer.

local uv = require "luv"
local coreclaw = require "coreclaw"
local client = coreclaw.new()
local worker = client:worker(arg[1])

local clock = uv.new_timer()
clock:start(1000, 1000, function() io.stderr:write "." end)

local function rows_of(text)
  local run = coreclaw.assert(worker:call(assert(coreclaw.json.decode(text))))
  local count = 0
  for _ in run:results() do count = count + 1 end
  print(run.slug, count .. " rows")
  return count
end

local tasks = {}
for i = 2, #arg do tasks[#tasks + 1] = coreclaw.spawn(rows_of, arg[i]) end

coreclaw.spawn(function()
  local all = 0
  for _, task in ipairs(tasks) do
    local ok, count = pcall(task.join, task) -- what was raised there is raised here
    if ok then all = all + count else io.stderr:write(tostring(count), "\n") end
  end
  print("together", all .. " rows")
  clock:close()
end)

uv.run() -- ends when nothing is left to wait for
