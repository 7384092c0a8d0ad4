-- In the nginx in front: our client, and how much CPU the nginx thread has taken.
local coreclaw = require "coreclaw"

local M = {}

coreclaw.connections(1000, 1000)

local client = coreclaw.new { api_key = "bench-key", base_url = os.getenv "BENCH_URL" }
local REQUEST = { path = "/slow", query = { ms = 20 } }

---Answers with what the server said.
function M.answer()
  local account = assert(client:request(REQUEST))
  ngx.print(account.balance)
end

---Ticks of the thread that serves requests, user and system; ours of libcurl is another one.
function M.cpu()
  local pid = ngx.worker.pid()
  local file = assert(io.open(("/proc/%d/task/%d/stat"):format(pid, pid)))
  local fields = file:read "*a":gsub("^.*%) ", "")
  file:close()
  local n, ticks = 0, 0
  for field in fields:gmatch "%S+" do
    n = n + 1
    if n == 12 or n == 13 then ticks = ticks + tonumber(field) end -- utime, stime: fields 14 and 15 of the whole line
  end
  ngx.print(ticks, "\n")
end

return M
