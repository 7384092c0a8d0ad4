-- Many inputs, a few at a time: one keyword a line on stdin, one line of JSON for each row on stdout.
--
--   lua examples/many.lua owner/name 5 < keywords.txt > rows.jsonl       at most five runs at once
--
-- Each start costs money, so none is made twice, whatever happens; one that fails never loses the others,
-- and where the plan allows no further run, its turn is waited for. All runs that are going on are
-- looked at with one request.

local coreclaw = require "coreclaw"
local client = coreclaw.new { journal = os.getenv "JOURNAL" } -- a file: what was started is known after a crash
local worker = client:worker(arg[1])

local words, count = {}, 0 -- words of items that have come are forgotten: # does not count what has holes

-- An iterator, so that the list may be longer than memory.
local function inputs()
  local word = io.read()
  if not word then return nil end
  count = count + 1
  words[count] = word
  return { keywords = { word } }
end

local function say(item, format, ...)
  io.stderr:write(string.format("%-20s " .. format .. "\n", words[item.index], ...))
end

local failed = 0
for item in client:map(worker, inputs, {
  concurrency = tonumber(arg[2]) or 10,
  require = "data", -- a run that brought no rows has failed too
  on_start = function(item) say(item, "started %s", item.run.slug) end,
}) do
  if item.err then
    failed = failed + 1
    -- item.run is there where it was started; for unknown_outcome: client:reconcile(item.err)
    say(item, "%s", tostring(item.err))
  else
    local rows = 0
    for row in item.run:results() do
      io.write(coreclaw.json.encode(row), "\n")
      rows = rows + 1
    end
    say(item, "%d rows", rows)
  end
  words[item.index] = nil
end
os.exit(failed == 0 and 0 or 1)
