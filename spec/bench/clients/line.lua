-- What every client in Lua has in common: reads one piece of work a line, answers with one line of figures.
local M = {}

M.url = os.getenv "BENCH_URL"

local function peak_kb()
  for text in io.lines "/proc/self/status" do
    local kb = text:match "^VmHWM:%s*(%d+)"
    if kb then return kb end
  end
end

local function words_of(text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = tonumber(word) or word end
  return words
end

-- "name=value" of what the work itself has counted.
local function further(figures)
  local out = {}
  for name, value in pairs(type(figures) == "table" and figures or {}) do
    out[#out + 1] = (" %s=%s"):format(name, tostring(value))
  end
  return table.concat(out)
end

---Serves. `works`: name → fn(...) that does it and may return further figures; `now`: seconds, monotonic.
function M.serve(works, now)
  io.stdout:setvbuf "line"
  for text in io.lines() do
    if text == "quit" then return end
    local words = words_of(text)
    local work = works[table.remove(words, 1)]
    local since, used = now(), os.clock()
    local ok, figures = pcall(work or function() error("absent: it has no such work", 0) end,
      (table.unpack or unpack)(words)) -- luacheck: ignore 113 143
    local seconds, cpu = now() - since, os.clock() - used
    if ok then
      print(("seconds=%.9f cpu=%.6f rss=%s%s"):format(seconds, cpu, peak_kb(), further(figures)))
    else
      print("error " .. tostring(figures):gsub("\n.*", ""))
    end
  end
end

---Does it n times.
function M.times(n, fn)
  for _ = 1, n do fn() end
end

---Serves what a program written by hand does with a library of HTTP and lua-cjson; fetch(path) gives the body.
function M.serve_by_hand(fetch, now)
  local decode, works = require "cjson".decode, {}
  function works.get(n, path)
    M.times(n, function() fetch(path) end)
  end
  function works.reload(n)
    M.times(n, function() assert(decode(fetch "/api/v2/worker-runs/detail").data.status) end)
  end
  function works.rows(name, pages)
    for page = 1, pages do
      assert(decode(fetch(("/api/v2/worker-runs/%s/result?offset=%d&limit=100"):format(name, page))).data.list)
    end
  end
  M.serve(works, now)
end

return M
