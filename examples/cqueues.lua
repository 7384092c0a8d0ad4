-- In a cqueues controller: calls in its coroutines suspend them, and the others go on.
--
--   lua examples/cqueues.lua owner/name '{"keywords": ["coffee"]}' '{"keywords": ["tea"]}'

local cqueues = require "cqueues"
local coreclaw = require "coreclaw"
local client = coreclaw.new()
local worker = client:worker(arg[1])

local loop, open = cqueues.new(), #arg - 1

for i = 2, #arg do
  loop:wrap(function() -- your own coroutine; coreclaw.spawn works here too
    local run, err = worker:call(assert(coreclaw.json.decode(arg[i])))
    local count = 0
    if run then
      for _ in run:results() do count = count + 1 end
    end
    print(run and run.slug or err, count .. " rows")
    open = open - 1
  end)
end

loop:wrap(function()
  while open > 0 do
    io.stderr:write "."
    cqueues.sleep(1)
  end
end)

assert(loop:loop())
