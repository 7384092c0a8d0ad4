--- API v1 behind the handles: an operation of v2 becomes one of v1, and its answer's data becomes
--- that of v2. Pure; sends nothing and changes no table it is given.
--
-- Everything that v1 lacks is refused by name, never left out in silence. Parameters come as the
-- operation table of v2 allows them.

local readers = require "coreclaw.v1.data"
local json = require "coreclaw.json"
local rules = require "coreclaw.v1.rules"
local status = require "coreclaw.v1.status"

local v1 = { status_word = status.word }

---Operation of v2 → the operation of v1 that does it.
---@type table<string, string>
v1.operations_for = {}
for id, rule in pairs(rules.operations) do v1.operations_for[id] = rule.to end

---Operation of v2 that v1 has no counterpart for → the sentence that says so.
---@type table<string, string>
v1.missing = {}
for id, what in pairs(rules.missing) do
  v1.missing[id] = what .. " through API v1 (" .. id .. '); use api = "v2"'
end

-- Path, query and body as one table, names sorted: of several faults always the same is told.
local function flatten(params, fill)
  local given, names = {}, {}
  for _, group in ipairs { fill or {}, params.path or {}, params.query or {}, params.body or {} } do
    for name, value in pairs(group) do given[name] = value end
  end
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  return given, names
end

-- Why v1 cannot do without a parameter that is not there, or nil.
local function lacking(rule, given)
  for name, take in pairs(rule.take) do
    if take.required and given[name] == nil then return name .. " is required" end
  end
  for name, what_for in pairs(rule.need or {}) do
    if given[name] == nil or given[name] == "" then
      return name .. " is required by API v1: " .. what_for
    end
  end
end

-- Why v1 cannot honour a parameter that it does not take, or nil.
local function refusal(rule, name, value)
  local why = rule.lack and rule.lack[name]
  if not why then return name .. " is unknown" end
  if type(why) == "function" then why = why(value) end
  return why and name .. " cannot be honoured by API v1: " .. why .. '; use api = "v2"'
end

local function convert(take, name, value)
  if not take[2] then return value end
  local converted, why = take[2](value)
  return converted, why and name .. why
end

local function translate(rule, given, names)
  local out, why = {}, lacking(rule, given)
  for _, name in ipairs(names) do
    if why then break end
    local take = rule.take[name]
    if take then
      out[take[1]], why = convert(take, name, given[name])
    else
      why = refusal(rule, name, given[name])
    end
  end
  if why then return nil, why end
  return out
end

---Translates a call: an operation of v2 and its parameters into those of v1.
---@param id string  operation of v2
---@param params { path: table?, query: table?, body: table? }  fit for the operation table of v2
---@return string? v1_id  operation of v1; nil if v1 cannot do it
---@return table|string?  its parameters; or why v1 cannot do it; nil beside `known`
---@return table? known   data in the shape of v2, where it is known without a request
function v1.request(id, params)
  local rule = rules.operations[id]
  if not rule then return nil, v1.missing[id] or id .. " is no operation of the API" end
  local given, names = flatten(params, rule.fill)
  local arguments, why = translate(rule, given, names)
  if not arguments then return nil, id .. ": " .. why end
  local known = rule.known and rule.known(given)
  if known then return rule.to, nil, known end
  return rule.to, { [rule.group] = arguments }
end

---Brings the data of an answer to the shape that the operation has in v2. What v1 tells beyond
---that stays (the account's `traffic`), what it does not tell is absent.
---@param id string   operation of v2
---@param data any    `data` of the envelope of v1
---@return any        nil where there is none: absent, null; as it came where it is no table
function v1.data(id, data)
  if data == json.null then return nil end
  if type(data) ~= "table" then return data end
  local read = readers[id]
  return read and read(data) or data
end

return v1
