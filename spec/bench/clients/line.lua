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

return M
