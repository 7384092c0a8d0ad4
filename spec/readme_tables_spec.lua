-- What README.md says of the code in its tables, against the code. Nothing is sent.
-- Operations and kinds of errors: readme_spec.lua. Commands and exit codes: cli/exit_spec.lua.

local coreclaw = require "coreclaw"
local types = require "spec.support.types"
local validate = require "coreclaw.validate"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function lines(command)
  local pipe, list = assert(io.popen(command)), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local readme = read "README.md"
local model = types.read "lua/coreclaw/types.lua"

local function cells_of(line)
  local cells = {}
  for cell in line:sub(2):gmatch " ?(.-) ?|" do cells[#cells + 1] = cell end
  return cells
end

-- The rows of the table whose heading row begins so, as lists of cells.
local function table_of(heading)
  local from = assert(select(2, readme:find("\n" .. heading, 1, true)), heading)
  local rows = {}
  for line in readme:sub(readme:find("\n", from) + 1):gmatch "([^\n]*)\n" do
    if line:sub(1, 1) ~= "|" then break end
    rows[#rows + 1] = cells_of(line)
  end
  table.remove(rows, 1) -- |---|
  assert.is_true(#rows > 1, heading)
  return rows
end

-- The words in a cell that stand in backticks and match.
local function codes(cell, pattern)
  local list = {}
  for code in cell:gmatch "`([^`]+)`" do
    if code:find(pattern or "") then list[#list + 1] = code end
  end
  return list
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

-- The rules by which coreclaw.new checks its options.
local function new_rules()
  local original, caught = validate.options, nil
  validate.options = function(_, _, rules)
    caught = rules
    error("caught", 0)
  end
  pcall(coreclaw.new, {})
  validate.options = original
  return assert(caught)
end

describe("the table of options in README.md", function()
  local rules, rows = new_rules(), table_of "| option | default | meaning |"
  local UNITS = { [""] = 1, [" s"] = 1, [" KiB"] = 1024, [" MiB"] = 1024 * 1024 }

  local function default(text)
    if text == "`true`" or text == "`false`" then return text == "`true`" end
    local number, unit = text:match "^([%d,]+)( ?%a*)$"
    return number and UNITS[unit] and tonumber((number:gsub(",", ""))) * UNITS[unit]
  end

  it("names options that there are, with their defaults", function()
    local compared = 0
    for _, row in ipairs(rows) do
      local texts = {}
      for text in (row[2] .. ", "):gmatch "(.-), " do texts[#texts + 1] = text end
      for i, name in ipairs(codes(row[1], "^[%l_]+$")) do
        assert.is_table(rules[name], name)
        local said, real = texts[i] and default(texts[i]), rules[name].default
        if said ~= nil and real ~= nil then
          compared = compared + 1
          assert.equal(real, said, name)
        end
      end
    end
    assert.is_true(compared >= 8, compared)
  end)

  it("has the intervals of polling", function()
    local said = {}
    for _, row in ipairs(rows) do
      if row[1] == "`poll_intervals`" then
        for number in row[2]:gmatch "%d+" do said[#said + 1] = tonumber(number) end
      end
    end
    assert.same(require("coreclaw.config").new({ api_key = "k" }).poll_intervals, said)
  end)

  it("leaves out none that is not told of elsewhere", function()
    for name in pairs(rules) do
      assert.is_truthy(readme:find("`" .. name .. "[` ]") or readme:find("%f[%w_]" .. name .. " = "), name)
    end
  end)
end)

describe("calls in README.md", function()
  local NOUNS = {
    client = { "Client" }, worker = { "Worker" }, run = { "Run" }, task = { "Task", "Spawned" }, item = { "QueueItem", "Intent" },
    box = { "Sandbox" }, event = { "Event" }, response = { "Response" },
  }

  local function method(noun, name)
    for _, class in ipairs(NOUNS[noun]) do
      for _, fn in ipairs(model.classes["coreclaw." .. class].functions) do
        if fn.name == name then return fn end
      end
    end
  end

  -- The class of a function's options.
  local function options_of(fn)
    for i = #fn.params, 1, -1 do
      local class = fn.params[i].type:match "(coreclaw%.[%w.]+)$"
      if class and model.classes[class] and #model.classes[class].functions == 0 then return types.fields(model, class) end
    end
  end

  local function check_options(fn, code)
    local inner, fields = code:match "{([^{}]*)}%)?$", options_of(fn)
    local n = 0
    for part in ((fields and inner or "") .. ","):gmatch "(.-)," do
      local name = part:match "^%s*([%l_]+)"
      if name then
        n = n + 1
        assert.is_table(fields[name], name .. " in " .. code)
      end
    end
    return n
  end

  it("name methods that there are, with options that they take", function()
    local calls, options = 0, 0
    for line in readme:gmatch "\n(|[^\n]+)" do
      for _, code in ipairs(codes(line, "^%l+:[%l_]+")) do
        local noun, name = code:match "^(%l+):([%l_]+)"
        if NOUNS[noun] then
          local fn = assert(method(noun, name), code)
          calls, options = calls + 1, options + check_options(fn, code)
        end
      end
    end
    assert.is_true(calls > 100, calls)
    assert.is_true(options > 40, options)
  end)

  it("name functions that there are", function()
    local n = 0
    for path in readme:gmatch "coreclaw%.([%l_.]+)[ ({`]" do
      local at = coreclaw
      if not path:find "^sandbox" and not path:find "^prometheus" and not path:find "%.lua" then
        n = n + 1
        for name in path:gmatch "[%l_]+" do at = assert(at[name], path) end
      end
    end
    assert.is_true(n > 30, n)
  end)

  it("leave out no method and no function", function()
    for class, called in pairs {
      Client = "client:", Worker = "worker:", Run = "run:", Task = "task:", QueueItem = "item:", Intent = "item:",
      Spawned = "task:", Sandbox = "box:", Event = "event:", Response = "response:", Callback = "callback.",
      Json = "json.", sandbox = "sandbox.", [""] = "coreclaw.",
    } do
      for _, fn in ipairs(model.classes[class == "" and "coreclaw" or "coreclaw." .. class].functions) do
        assert.is_truthy(readme:find("%f[%l]" .. called:gsub("%.", "%%.") .. fn.name .. "%f[^%w_]"), called .. fn.name)
      end
    end
  end)

  it("do operations that there are", function()
    local v2 = require "coreclaw.operations.v2"
    local n = 0
    for heading in readme:gmatch "\n(|[^\n]*| API operation |)\n" do assert.equal("| call | does | API operation |", heading) end
    for line in readme:gmatch "\n| `[^\n]- | ([^|\n]+) |\n" do
      for _, id in ipairs(codes(line, "^%l+%u%a+$")) do
        n = n + 1
        assert.is_table(v2[id], id)
      end
    end
    assert.is_true(n > 8, n)
  end)

  it("give errors the fields that they have", function()
    local fields = types.fields(model, "coreclaw.Error")
    for name in readme:gmatch "%f[%w]err%.([%l_]+)" do assert.is_table(fields[name] or (name == "items" and {}), name) end
  end)
end)

describe("the tables of README.md on watching and the sandbox", function()
  local function words(cell)
    local set = set_of(codes(cell, "^[%l_]+$"))
    set["false"] = nil
    return set
  end

  local function own(class)
    local set = {}
    for _, field in ipairs(model.classes["coreclaw." .. class].fields) do set[field.name] = true end
    return set
  end

  it("name all that hooks and counters tell", function()
    local told = {}
    for _, row in ipairs(table_of "| of | |") do told[row[1]] = row[2] end
    assert.same(own "HookEvent", words(told["every event"]))
    assert.same(own "RequestEvent", words(told["`on_request`"]))
    assert.same(own "ResponseEvent", words(told["`on_response`"]))
    assert.same(own "RetryEvent", words(told["`on_retry`"]))
    local expected = own "Stats"
    for name in pairs(own "StatsTime") do expected[name] = true end
    assert.same(expected, words(told["`client:stats()`"]))
  end)

  it("name options and faults that there are", function()
    local options = types.fields(model, "coreclaw.sandbox.Options")
    for name in assert(readme:match "`sandbox%.start {([^}]+)}"):gmatch "[%l_]+" do assert.is_table(options[name], name) end
    local faults, row = types.fields(model, "coreclaw.sandbox.Fault"), assert(readme:match "\n(| `box:fault[^\n]+)")
    for name in pairs(words(cells_of(row)[2])) do assert.is_table(faults[name], name) end
    for name in readme:gmatch "`box%.([%l_]+)`" do
      assert.is_table(types.fields(model, "coreclaw.Sandbox")[name], name)
    end
  end)
end)

describe("README.md names", function()
  it("all commands of make, and no others", function()
    local there, named = {}, {}
    for name in read("Makefile"):gmatch "\n(%l[%l-]*):[^\n]*## " do there[name] = true end
    for name in readme:gmatch "[`\n\"]make (%l[%l-]*)" do named[name] = true end
    there.clean = nil -- goes without saying
    assert.same(there, named)
  end)

  it("files and places that there are, and every example", function()
    local anchors, linked = {}, {}
    for heading in ("\n" .. readme):gmatch "\n##+ ([^\n]+)" do
      anchors["#" .. heading:lower():gsub("[^%w%- ]", ""):gsub(" ", "-")] = true
    end
    for target in readme:gmatch "%]%(([^)%s]+)%)" do
      if target:sub(1, 1) == "#" then
        assert.is_true(anchors[target], target)
      elseif not target:find "^https?:" then
        linked[target] = true
      end
    end
    for _, path in ipairs(lines "ls -d examples/* examples/nvim/*.lua") do
      assert.is_true(linked[path] or linked[path .. ".lua"] or path == "examples/nvim", path)
    end
    for target in pairs(linked) do
      local file = io.open(target)
      assert.is_truthy(file, target)
      file:close()
    end
  end)

  it("options of the command line, and variables of the environment, that are read", function()
    local source = table.concat(lines "cat lua/coreclaw/cli/*.lua lua/coreclaw/cli/commands/*.lua", "\n")
    local section = readme:match "\n## Command line\n(.-)\n## "
    local n = 0
    for option in section:gmatch "[%s`(](%-%-%l[%l-]+)" do
      n = n + 1
      assert.is_truthy(source:find('{ "[^"]*' .. option:gsub("%-", "%%-") .. '"'), option)
    end
    assert.is_true(n > 25, n)
    local all = table.concat(lines "grep -rhoE 'CORECLAW_[A-Z_]+' lua", " ")
    for name in readme:gmatch "CORECLAW_[%u_]+" do assert.is_truthy(all:find(name, 1, true), name) end
  end)
end)

describe("the tables of README.md on moving from API v1", function()
  local v1 = require "coreclaw.operations.v1"
  local rules = require "coreclaw.v1.rules"
  local status = require "coreclaw.v1.status"

  it("have every request, and what it becomes", function()
    local expected, said = {}, {}
    for id, rule in pairs(rules.operations) do expected[id] = v1[rule.to].method .. " " .. v1[rule.to].path end
    for _, row in ipairs(table_of "| API v1 | API v2 | type | what changes in v2 |") do
      said[codes(row[2])[1]] = codes(row[1])[1]
    end
    assert.same(expected, said)
  end)

  it("have every field that changes its name", function()
    local expected, said = {}, {}
    for _, rule in pairs(rules.operations) do
      for new, take in pairs(rule.take) do
        if take[1] ~= new then expected[take[1] .. " " .. new] = true end
      end
    end
    for _, row in ipairs(table_of "| field of v1 | field of v2 | with coreclaw |") do
      local old, new = codes(row[1]), codes(row[2])
      if old[1] == "status" then
        assert.same({ { "1", "2", "3", "4", "5" }, status.words }, { { row[1]:match "(%d), (%d), (%d), (%d), (%d)" }, new })
      else
        for _, name in ipairs(old) do
          for _, other in ipairs(new) do said[name .. " " .. other] = true end
        end
      end
    end
    for pair in pairs(expected) do assert.is_true(said[pair], pair) end
  end)

  it("have every code of both, with its kind", function()
    local seen = { v1 = {}, v2 = {} }
    for _, row in ipairs(table_of "| code of v1 | code of v2 | `err.kind` |") do
      for i, api in ipairs { "v1", "v2" } do
        for code in row[i]:gmatch "%d+" do seen[api][tonumber(code)] = codes(row[3])[1] end
      end
    end
    for api, said in pairs(seen) do
      local expected = {}
      for _, entry in ipairs(require("coreclaw.core").api_errors(api)) do expected[entry.code] = entry.kind end
      assert.same(expected, said)
    end
  end)
end)

describe("CHANGELOG.md", function()
  it("is about this version", function()
    assert.equal(coreclaw._VERSION, read("CHANGELOG.md"):match "\n## %[([%d.]+)%]")
  end)
end)
