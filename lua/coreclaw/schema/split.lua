--- How many subtasks the platform makes of one run (API.md 14.4), or why the run would fail.

local json = require "coreclaw.json"
local values = require "coreclaw.schema.values"

local split = {}

-- Number of items of a list that are not empty; nil and why the list cannot be split.
local function count_items(name, value)
  if value == nil or value == json.null then return 0 end
  if not values.is_list(value) then return nil, "field [" .. name .. "] must be an array" end
  local count, objects = 0, 0
  for i, item in ipairs(value) do
    if not values.is_empty(item) then
      if json.is_array(item) then
        return nil, "item at index " .. i .. " in [" .. name .. "] must be an object or primitive value"
      end
      count = count + 1
      if values.is_object(item) then objects = objects + 1 end
    end
  end
  if objects > 0 and objects < count then
    return nil, "field [" .. name .. "] must not mix object and primitive items"
  end
  return count
end

local function sum(names, counts)
  local total = 0
  for _, name in ipairs(names) do total = total + counts[name] end
  return total
end

local function names_of(value)
  local names, set = {}, {}
  for _, name in ipairs(values.is_list(value) and value or {}) do
    if type(name) == "string" and not set[name] then
      names[#names + 1], set[name] = name, true
    end
  end
  return names, set
end

-- `fields` minus `remove_fields` are preferred: if one of them has a value, the others do not count.
local function by_fields(concurrency, custom)
  local names = names_of(concurrency.fields)
  local _, removed = names_of(concurrency.remove_fields)
  if #names == 0 then
    return nil, { { field = "concurrency", message = "concurrency fields must have at least one field" } }
  end
  local counts, preferred, errors = {}, {}, {}
  for _, name in ipairs(names) do
    local count, why = count_items(name, custom[name])
    if why then errors[#errors + 1] = { field = name, message = why } end
    counts[name] = count
    if not removed[name] then preferred[#preferred + 1] = name end
  end
  if #errors > 0 then return nil, errors end
  local total = sum(preferred, counts)
  if total == 0 then total = sum(names, counts) end
  if total == 0 then
    return nil, { { field = names[1], message = "concurrency fields have no non-empty fields" } }
  end
  return total
end

-- The older form: one field, by name.
local function by_b(name, custom)
  local value = custom[name]
  if value == nil then
    return nil, { { field = name, message = "missing concurrency field [" .. name .. "]" } }
  end
  local count, why = count_items(name, value)
  if count == 0 then why = "concurrency field [" .. name .. "] is empty" end
  if why then return nil, { { field = name, message = why } } end
  return count
end

---Counts the subtasks of a run.
---@param root table    the schema
---@param custom table  the Worker's own fields, as they will be sent
---@return integer?
---@return { field: string, message: string }[]? errors  what the run would fail with, in the platform's words
function split.count(root, custom)
  local concurrency = root.concurrency
  if type(concurrency) == "table" and values.is_list(concurrency.fields) then
    return by_fields(concurrency, custom)
  end
  if type(root.b) == "string" and root.b ~= "" then return by_b(root.b, custom) end
  return 1
end

return split
