-- Does the same very many times, and tells what the first ones cost and what the last ones.
local BLOCKS, WINDOWS = 10, 5

-- The fastest of a few windows: what the work costs, and not what the machine did besides.
local function pace(work, window, path, now)
  local best = math.huge
  for _ = 1, WINDOWS do
    local since = now()
    work(window, path)
    best = math.min(best, (now() - since) / window * 1e6)
  end
  return best
end

-- How much is resident when the collector has been through.
local function resident()
  collectgarbage()
  collectgarbage()
  for text in io.lines "/proc/self/status" do
    local kb = text:match "^VmRSS:%s*(%d+)"
    if kb then return tonumber(kb) end
  end
end

---`growth NAME ALL WINDOW [PATH]`
return function(works, now)
  return function(name, all, window, path)
    local work, early = works[name], nil
    local first = pace(work, window, path, now)
    for block = 1, BLOCKS do
      work(math.floor(all / BLOCKS), path)
      if block == 1 then early = resident() end
    end
    local last = pace(work, window, path, now)
    return { first = first, last = last, early = early, late = resident() }
  end
end
