-- Rows while the run is still going on, each once, as lines of JSON.
--
--   lua examples/follow.lua owner/name '{"keywords": ["coffee"]}' > rows.jsonl
--   lua examples/follow.lua --resume 2> /dev/null >> rows.jsonl     after a crash: what is still missing
--
-- The key is in CORECLAW_API_KEY. Without an account: `make sandbox`, with CORECLAW_API_KEY and
-- CORECLAW_BASE_URL as it prints them, and demo/rows '{"count": 20, "delay": 0.5}'.

local coreclaw = require "coreclaw"
local client = coreclaw.new()

local STATE = os.getenv "FOLLOW_STATE" or "follow.state" -- the run, and behind it where reading stood

local function save(run, token)
  local file = assert(io.open(STATE .. ".new", "w"))
  file:write(run:serialize(), "\n", token or "", "\n")
  file:close()
  assert(os.rename(STATE .. ".new", STATE)) -- whole or not at all
end

local function resumed()
  local file = assert(io.open(STATE))
  local run, token = client:run(file:read()), file:read()
  file:close()
  return run, token ~= "" and token or nil
end

local run, token
if arg[1] == "--resume" then
  run, token = resumed()
else
  run = assert(client:worker(arg[1]):start(assert(coreclaw.json.decode(arg[2] or "{}"))))
  save(run)
end

-- `follow` asks again and again, in pauses that grow while nothing comes; it ends with the run. What fails
-- for a while is waited out; what does not is raised, and `--resume` goes on from the last row.
for row, here in run:results { follow = true, from = token, timeout = 6 * 3600 } do
  io.write(coreclaw.json.encode(row), "\n")
  io.flush() -- the row first, then that it was read: a crash between the two repeats it, and loses none
  save(run, here)
end

io.stderr:write(run.status, "\n")
os.exit(run.status == "succeeded" and 0 or 1)
