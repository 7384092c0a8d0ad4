-- `make bench` brings every row that it promises. How fast anybody is, is not asked here.
local cjson = require "cjson"

local function run()
  local pipe = assert(io.popen "env -u LUA_PATH -u LUA_CPATH QUICK=1 ROWS= sh spec/bench/run.sh 2>&1; echo status $?")
  local text = pipe:read "*a"
  pipe:close()
  return text, text:match "status (%d+)%s*$"
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- Row → what of ours must have a figure there. What needs a program that may be missing has a row all the same.
local ROWS = {
  get = { "ours54", "oursjit" }, post = { "ours54", "oursjit" }, reload = { "ours54", "oursjit" },
  pages = { "ours54", "oursjit" }, ahead = { "ours54", "oursjit" },
  ["rss-100000"] = { "ours54", "oursjit" }, ["rss-1000000"] = { "ours54", "oursjit" },
  ["flight-1000"] = { "ours54", "oursjit" }, ["flight-10000"] = { "ours54", "oursjit" },
  download = { "ours54", "oursjit" }, start = { "start54", "startjit" }, tls = { "tls54", "tlsjit" },
  polling = { "wait54", "waitjit", "map54", "mapjit" }, jitter = { "ours54", "oursjit" }, http2 = { "ours54", "oursjit" },
  ["nginx-50"] = {}, ["nginx-500"] = {},
  ["growth-requests"] = { "ours54", "oursjit" }, ["growth-tasks"] = { "ours54", "oursjit" },
  ["growth-clients"] = { "ours54", "oursjit" },
}
for _, ms in ipairs { 20, 100 } do
  for _, width in ipairs { 1, 2, 4, 8, 16 } do
    ROWS[("delay-%d-ahead-%d"):format(ms, width)] = { "ours54", "oursjit" }
  end
end

-- What has no target: there for comparison.
local UNJUDGED = { post = true }

describe("the benchmark", function()
  local said, status, result

  setup(function()
    os.remove "build/bench/bench.json"
    said, status = run()
    assert(status == "0", said)
    result = cjson.decode(read "build/bench/bench.json")
  end)

  it("measures every row, and ours in it", function()
    for id, names in pairs(ROWS) do
      local race = assert.is_table(result.races[id], "no row " .. id) and result.races[id]
      for _, name in ipairs(names) do
        local entry = race.entries[name]
        assert.is_nil(entry.absent, id .. " " .. name .. ": " .. tostring(entry.absent))
        assert.is_true(entry.stats.median > 0, id .. " " .. name)
      end
    end
    for id in pairs(result.races) do assert.is_table(ROWS[id], "this spec does not know row " .. id) end
  end)

  it("names everybody it measures, those too that cannot be had", function()
    for id, race in pairs(result.races) do
      assert.is_string(race.title)
      for name, entry in pairs(race.entries) do
        assert.is_true(entry.stats ~= nil or #entry.absent > 0, id .. " " .. name)
      end
    end
    local seen = {}
    for _, name in ipairs { "raw", "luacurl", "luasocket", "luahttp", "curl", "fetch", "undici", "requests", "urllib3" } do
      seen[name] = result.races.get.entries[name] ~= nil
      assert.is_true(seen[name], name)
    end
    assert.is_table(result.races.reload.entries.apify)
  end)

  it("says of every target how it was met", function()
    local judged = {}
    for _, line in ipairs(result.targets) do
      judged[line.row] = true
      assert.is_truthy(line.max or line.min)
      if not line.reached:find "^absent: " then
        assert.is_true(line.reached == "yes" or line.reached:find "^no" ~= nil, line.reached)
        assert.is_true((line.ratio and line.ratio.median or line.value) >= 0)
      end
    end
    for id in pairs(ROWS) do assert.is_true(judged[id] or UNJUDGED[id] or false, id) end
  end)

  it("prints what it writes, and calls a quick run one", function()
    local text = read "build/bench/bench.md"
    assert.is_truthy(said:find(text:sub(1, 200), 1, true))
    assert.is_truthy(text:find("too short to be trusted", 1, true))
  end)
end)
