-- lua/coreclaw/types.lua, the editors' picture of what is public, against what is: nothing missing, nothing invented.

-- A local that a function sees, or one that those see which it calls.
local function upvalue(fn, wanted, depth)
  for i = 1, 100 do
    local name, value = debug.getupvalue(fn, i)
    if not name then return nil end
    if name == wanted then return value end
    local found = type(value) == "function" and (depth or 0) < 3 and upvalue(value, wanted, (depth or 0) + 1)
    if found then return found end
  end
end

-- Methods as they are, not what loads them: everything at once, as in nginx.
for name in pairs(package.loaded) do
  if name:find "^coreclaw" and name ~= "coreclaw.core" then package.loaded[name] = nil end
end
local lazy = require "coreclaw.lazy"
lazy.functions, lazy.module = assert(upvalue(lazy.functions, "load_into")), require

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local sandbox = require "coreclaw.sandbox"
local types = require "spec.support.types"
local validate = require "coreclaw.validate"

local model = types.read "lua/coreclaw/types.lua"

local function keys(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function set_of(list, name)
  local set = {}
  for _, item in ipairs(list) do set[name and item[name] or item] = true end
  return set
end

-- The words of an alias, or of a union of literals.
local function words(text)
  local set = {}
  for word in text:gmatch '"([^"]*)"' do set[word] = true end
  return set
end

local client = coreclaw.new { api_key = "k", base_url = "http://127.0.0.1:9" }
local worker, run, task, item = client:worker "a/b", client:run "x", client:task "x", client:queue_item "1"
local event = assert(coreclaw.callback.parse '{"run_slug": "x", "run_status": "succeeded"}')
local intent = setmetatable({ client = client }, upvalue(client.recover, "Item"))

-- Everything that has methods or functions.
local HANDLES = {
  ["coreclaw"] = coreclaw, ["coreclaw.Json"] = coreclaw.json, ["coreclaw.Callback"] = coreclaw.callback,
  ["coreclaw.Client"] = client, ["coreclaw.Worker"] = worker, ["coreclaw.Run"] = run, ["coreclaw.Task"] = task,
  ["coreclaw.QueueItem"] = item, ["coreclaw.Event"] = event, ["coreclaw.Intent"] = intent,
  ["coreclaw.Spawned"] = coreclaw.spawn(function() end), ["coreclaw.sandbox"] = sandbox,
  ["coreclaw.prometheus"] = require "coreclaw.prometheus",
  ["coreclaw.Sandbox"] = sandbox.attach { url = "http://127.0.0.1:9", secret = "s" },
  ["coreclaw.Response"] = require("coreclaw.response").new(200, "", {}, 1),
}

local function functions_of(object)
  local mt = getmetatable(object)
  local set = {}
  for name, value in pairs(mt and mt.__index or object) do
    if type(value) == "function" and not name:find "^__" then set[name] = value end
  end
  return set
end

describe("types.lua", function()
  it("names no type that it does not have, and has none that nobody names", function()
    local used = { ["coreclaw"] = true, ["coreclaw.sandbox"] = true, ["coreclaw.prometheus"] = true }
    local function note(text, where)
      for name in text:gsub('"[^"]*"', ""):gmatch "coreclaw[%w_.]*" do
        assert.is_true(model.classes[name] ~= nil or model.aliases[name] ~= nil, name .. " in " .. where)
        used[name] = true
      end
    end
    for _, entry in ipairs(model.order) do
      if entry.parent then note(entry.parent, entry.name) end
      if entry.text then note(entry.text, entry.name) end
      for _, field in ipairs(entry.fields or {}) do note(field.type, entry.name) end
      for _, fn in ipairs(entry.functions or {}) do
        for _, param in ipairs(fn.params) do note(param.type, fn.name) end
        for _, value in ipairs(fn.returns) do note(value.type, fn.name) end
      end
    end
    for _, entry in ipairs(model.order) do assert.is_true(used[entry.name], entry.name .. " is named nowhere") end
  end)

  it("does nothing when it runs", function()
    assert.is_table(dofile "lua/coreclaw/types.lua")
    assert.is_nil(rawget(_G, "Client"))
  end)

  it("has all functions and methods, and no others", function()
    for _, entry in ipairs(model.order) do
      if #(entry.functions or {}) > 0 then assert.is_table(HANDLES[entry.name], entry.name) end
    end
    for name, object in pairs(HANDLES) do
      assert.same(keys(functions_of(object)), keys(set_of(model.classes[name].functions, "name")), name)
    end
  end)

  it("has the fields of the module", function()
    local expected = {}
    for name, value in pairs(coreclaw) do if type(value) ~= "function" then expected[name] = true end end
    assert.same(keys(expected), keys(types.fields(model, "coreclaw")))
  end)

  -- Lua 5.1 tells nothing of parameters.
  if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then
    it("has the parameters by their names", function()
      for name, object in pairs(HANDLES) do
        for _, fn in ipairs(model.classes[name].functions) do
          local real, i = functions_of(object)[fn.name], 0
          if fn.method then i = 1 end
          for _, param in ipairs(fn.params) do
            i = i + 1
            local found = debug.getlocal(real, i)
            if param.name ~= "..." then assert.equal(found, param.name, name .. " " .. fn.name) end
          end
          assert.is_nil((debug.getlocal(real, i + 1)), name .. " " .. fn.name .. " takes more")
        end
      end
    end)
  end

  it("has the kinds of errors", function()
    assert.same(coreclaw.errors.kinds, words(model.aliases["coreclaw.ErrorKind"].text))
  end)
end)

-- ---- options --------------------------------------------------------------------------------------

local NOUNS = {
  ["coreclaw"] = "coreclaw.", ["coreclaw.Callback"] = "callback.", ["coreclaw.Client"] = "client:",
  ["coreclaw.Worker"] = "worker:", ["coreclaw.Run"] = "run:", ["coreclaw.Task"] = "task:",
  ["coreclaw.QueueItem"] = "item:", ["coreclaw.Intent"] = "item:",
}

-- The rules by which `where` checks its options, caught as it does so.
local function rules_of(where, fn, ...)
  local originals, caught = { options = validate.options, check = validate.check }, nil
  for name, original in pairs(originals) do
    validate[name] = function(called, options, rules)
      if called ~= where then return original(called, options, rules) end
      caught = rules
      error("caught", 0)
    end
  end
  local ok, why = pcall(fn, ...)
  validate.options, validate.check = originals.options, originals.check
  return assert(caught, where .. " checks no options: " .. tostring(ok or why))
end

-- What stands for an argument until the options are checked.
local ARGUMENTS = {
  ["client:operation"] = { "getAccount", {} }, ["client:map"] = { "a/b", {} }, ["callback.seen"] = { {} },
}

-- Tables that are given beside a call's options.
local INNER = {
  { "coreclaw.Defaults", "coreclaw.new: defaults", coreclaw.new, { api_key = "k", defaults = {} } },
  { "coreclaw.ClockOptions", "coreclaw.new: clock", coreclaw.new, { api_key = "k", clock = {} } },
  { "coreclaw.RetryOptions", "coreclaw.new: retry", coreclaw.new, { api_key = "k", retry = {} } },
  { "coreclaw.Schedule", "schedule", require("coreclaw.schedule").to_api, { daily = "09:30" } },
}

-- Option tables in the model: class, where, rules.
local function option_tables()
  local list = {}
  for _, entry in ipairs(INNER) do
    list[#list + 1] = { class = entry[1], where = entry[2], rules = rules_of(entry[2], entry[3], entry[4]) }
  end
  for name, noun in pairs(NOUNS) do
    for _, fn in ipairs(model.classes[name].functions) do
      local last = fn.params[#fn.params]
      local class = last and last.type:match "coreclaw%.%w+$"
      if model.classes[class] and #model.classes[class].functions == 0 and class ~= "coreclaw.Error" then
        local where = noun .. fn.name
        local args = { fn.method and HANDLES[name] or nil }
        for _, value in ipairs(ARGUMENTS[where] or {}) do args[#args + 1] = value end
        while #args < #fn.params + (fn.method and 1 or 0) do args[#args + 1] = {} end
        list[#list + 1] = {
          class = class, where = where,
          rules = rules_of(where, functions_of(HANDLES[name])[fn.name], args[1], args[2], args[3], args[4]),
        }
      end
    end
  end
  return list
end

local PLAIN = {
  boolean = "boolean", integer = "integer", number = "number", seconds = "number", string = "string", text = "string",
  url = "string", callable = "fun(",
}

local function check_type(where, field, rule)
  local text = field.type
  if model.aliases[text] then text = model.aliases[text].text end
  if rule.enum then
    assert.same(set_of(rule.enum), words(text), where .. " " .. field.name)
  elseif PLAIN[rule.type] then
    assert.equal(PLAIN[rule.type], text:sub(1, #PLAIN[rule.type]), where .. " " .. field.name)
  end
end

-- "default 3600" and "1–100" must be what the rule says.
local function check_words(where, field, rule)
  local value = field.doc:match "default (%d[%d,.]*)" or field.doc:match "default (true)"
    or field.doc:match "default (false)"
  if value and not field.doc:find "default %d+ [MK]iB" then
    value = value:gsub(",", ""):gsub("%.$", "")
    if rule.default ~= nil then assert.equal(tostring(rule.default), value, where .. " " .. field.name) end
  end
  local min, max = field.doc:match "(%d+)–(%d+)"
  if min then
    assert.same({ tonumber(min), tonumber(max) }, { rule.min, rule.max }, where .. " " .. field.name)
  end
end

describe("the options in types.lua", function()
  local tables = option_tables()

  it("are found", function() assert.is_true(#tables > 45, #tables) end)

  it("have the names that are known, and no others", function()
    for _, entry in ipairs(tables) do
      assert.same(keys(entry.rules), keys(types.fields(model, entry.class)), entry.where .. " " .. entry.class)
    end
  end)

  it("have types, defaults and ranges as they are checked", function()
    for _, entry in ipairs(tables) do
      for name, field in pairs(types.fields(model, entry.class)) do
        check_type(entry.where, field, entry.rules[name])
        check_words(entry.where, field, entry.rules[name])
      end
    end
  end)

  it("have the resources of a run", function()
    assert.same(keys(require("coreclaw.schema.system").FIELDS), keys(types.fields(model, "coreclaw.System")))
  end)

  it("have those of the sandbox, its accounts and its faults", function()
    local rules = require "coreclaw.sandbox.options"
    local known = upvalue(rules.type_of, "TYPES")
    local declared = types.fields(model, "coreclaw.sandbox.Options")
    for name in pairs(known) do assert.is_table(declared[name], name) end
    for name in pairs(declared) do assert.is_string(rules.type_of(name), name) end
    assert.same(keys(upvalue(rules.complaint, "ACCOUNT")), keys(types.fields(model, "coreclaw.sandbox.Account")))
    assert.same(keys(upvalue(require("coreclaw.sandbox.faults").add, "FIELDS")),
      keys(types.fields(model, "coreclaw.sandbox.Fault")))
  end)
end)

-- ---- values -----------------------------------------------------------------------------------------

describe("the values in types.lua", function()
  local server
  setup(function() server = box.start {} end)
  teardown(function() server:stop() end)

  -- What only we may look at.
  local PRIVATE = { client = true, home = true, ended = true, results = true, joined = true, server = true, dir = true }

  local OF_LUA = { boolean = true, string = true, number = true, table = true, ["function"] = true, userdata = true }
  local is_of

  -- One of the alternatives of a type; of tables only that they are one.
  local function is_one_of(value, kind)
    local literal = kind:match '^"(.*)"$'
    if literal then return value == literal end
    if kind == "any" then return true end
    if kind == "integer" then return type(value) == "number" and value % 1 == 0 end
    if OF_LUA[kind] then return type(value) == kind end
    if kind:find "^fun" then return type(value) == "function" end
    local alias = model.aliases[kind]
    if alias then return is_of(value, alias.text) end
    return type(value) == "table"
  end

  function is_of(value, text)
    text = text:gsub("%b()", ""):gsub("%b{}", "table"):gsub("%b<>", "")
    for kind in text:gmatch "[^|%s]+" do
      if is_one_of(value, (kind:gsub("%?$", ""):gsub("^.*%[%]$", "table"))) then return true end
    end
    return false
  end

  -- Every key of a value is declared, with its type, and every field that is not optional is there.
  local function fits(class, value)
    assert.is_table(value, class)
    local fields = types.fields(model, class)
    for name in pairs(value) do
      local known = PRIVATE[name] or fields[type(name) == "number" and "[integer]" or name] ~= nil
      assert.is_true(known, class .. " has " .. tostring(name))
    end
    for name, field in pairs(fields) do
      local got = value[name]
      assert.is_true(got == nil or is_of(got, field.type), ("%s.%s is no %s but %s"):format(class, name, field.type, tostring(got)))
    end
    for name, field in pairs(fields) do
      if not field.optional and name ~= "[integer]" then assert.is_true(value[name] ~= nil, class .. " lacks " .. name) end
    end
    return value
  end

  it("are those of hooks", function()
    local seen = { on_request = {}, on_response = {}, on_retry = {} }
    local options = {}
    for name, keys_seen in pairs(seen) do
      options[name] = function(told) for key in pairs(told) do keys_seen[key] = true end end
    end
    local watched = box.client(server, options)
    server:fault { operation = "getAccount", status = 503 }
    assert(watched:account())
    server:fault { operation = "runWorker", status = 400, body = "{}" }
    watched:worker "demo/rows":start { count = 1 }
    for name, class in pairs { on_request = "RequestEvent", on_response = "ResponseEvent", on_retry = "RetryEvent" } do
      assert.same(keys(types.fields(model, "coreclaw." .. class)), keys(seen[name]), name)
    end
  end)

  it("are those of the handles", function()
    local journal = os.tmpname()
    os.remove(journal)
    local mine = box.client(server, { journal = journal })
    fits("coreclaw.Sandbox", server)
    fits("coreclaw.Account", assert(mine:account()))
    local rows = mine:worker "demo/rows"
    fits("coreclaw.Worker", mine:store()())
    local ended = fits("coreclaw.Run", assert(rows:call { count = 3 }))
    fits("coreclaw.Page", assert(ended:results_page()))
    fits("coreclaw.Verdict", assert(ended:verdict()))
    fits("coreclaw.LogEntry", fits("coreclaw.Log", assert(ended:log())).entries[1])
    fits("coreclaw.SyncResult", assert(rows:run_sync { count = 1 }))
    fits("coreclaw.SchemaField", fits("coreclaw.PreparedInput", assert(rows:prepare { count = 1 })).fields[1])
    fits("coreclaw.SchemaIssue", assert(rows:prepare { cuont = 1 }).warnings[1])
    fits("coreclaw.MapItem", mine:map(rows, { { count = 1 } })())
    local path = os.tmpname()
    fits("coreclaw.Download", assert(ended:export(path, { format = "csv" })))
    os.remove(path)
    local intents = fits("coreclaw.Intents", assert(mine:recover { all = true }))
    fits("coreclaw.Intent", intents[1])
    os.remove(journal)
    fits("coreclaw.StatsTime", fits("coreclaw.Stats", mine:stats()).time)
    fits("coreclaw.Event", event)
    fits("coreclaw.Response", select(3, mine:account()))
  end)

  it("are those of saved tasks and the queue", function()
    local mine = box.client(server)
    local saved = assert(mine:create_task { worker = "demo/rows", title = "t", input = { count = 1 } })
    fits("coreclaw.Task", assert(saved:reload()))
    local queued = fits("coreclaw.QueueItem", assert(mine:worker "demo/rows":queue { count = 1 }))
    fits("coreclaw.QueueOutcome", assert(mine:release { queued })[1])
    local _, err = mine:run("none"):reload()
    fits("coreclaw.Error", err)
    local plug = fits("coreclaw.Plug", coreclaw.driver { is_here = function() return false end, wait = function() end })
    assert.same({ "busy", "fd", "step" }, keys(plug))
  end)
end)

-- ---- the same classes, where they are made -----------------------------------------------------------

-- The classes of a file, with the fields that its comments give them.
local function inline_classes(path, out)
  local class
  for line in io.lines(path) do
    local name = line:match "^%-%-%-@class ([%w_.]+)"
    if name then
      class = out[name] or {}
      out[name] = class
    elseif not line:find "^%-%-%-" then
      class = nil
    end
    local field, rest = line:match "^%-%-%-@field ([%w_]+%??) (.*)$"
    if class and field and field ~= "package" then
      local kind = types.split((rest:gsub("^%s+", "")))
      class[field:gsub("%?$", "")] = { optional = field:find "%?$" ~= nil or kind:find "%?$" ~= nil or kind:find "|nil$" ~= nil
        or kind == "any" }
    end
  end
end

describe("a class that types.lua shares with the code", function()
  local classes = {}
  local pipe = assert(io.popen "find lua -name '*.lua' ! -name types.lua")
  for path in pipe:lines() do inline_classes(path, classes) end
  pipe:close()

  it("has the same fields in both", function()
    local shared = 0
    for name, fields in pairs(classes) do
      if model.classes[name] and next(fields) then
        shared = shared + 1
        local declared = types.fields(model, name)
        for field, facts in pairs(fields) do
          assert.is_table(declared[field], name .. "." .. field .. " is missing in types.lua")
          assert.equal(facts.optional, declared[field].optional, name .. "." .. field .. " is optional in one of them")
        end
        for _, field in ipairs(model.classes[name].fields) do
          assert.is_table(fields[field.name], name .. "." .. field.name .. " is in types.lua only")
        end
      end
    end
    assert.is_true(shared > 25, shared)
  end)
end)
