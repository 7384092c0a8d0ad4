--- Where the checks of an input write what they find: errors and warnings, each with its path.

local json = require "coreclaw.json"
local validate = require "coreclaw.validate"
local values = require "coreclaw.schema.values"

local report = {}

---@class coreclaw.SchemaIssue
---@field field string         path of the value: "keywords", "start_urls[2].url"
---@field message string       a sentence that begins with the path
---@field did_you_mean string? a name or value that exists

---@class coreclaw.SchemaReport
---@field errors coreclaw.SchemaIssue[]
---@field warnings coreclaw.SchemaIssue[]

local function add(list, path, text, hint)
  list[#list + 1] = { field = path, message = path .. " " .. text, did_you_mean = hint }
end

---The run would fail, or do what nobody wants.
---@param out coreclaw.SchemaReport
function report.error(out, path, text, hint) add(out.errors, path, text, hint) end

---It may be meant so.
---@param out coreclaw.SchemaReport
function report.warn(out, path, text, hint) add(out.warnings, path, text, hint) end

---A value as a message may show it.
---@return string
function report.show(value)
  if value == json.null then return "null" end
  if values.is_number(value) then return tostring(value) end
  if values.is_list(value) and next(value) ~= nil then return "a list" end
  return validate.show(value)
end

---The path of a field of an object; the root has none.
---@param path string?
---@param name any
---@return string
function report.path(path, name)
  return path and path .. "." .. tostring(name) or tostring(name)
end

local function unknown_keys(object, known)
  local names = {}
  for name in pairs(object) do
    if not known[name] then names[#names + 1] = name end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

---Warns about every key of an object that the schema does not have.
---@param out coreclaw.SchemaReport
---@param path string?
---@param object table
---@param known table<string, any>   the names there are
---@param elsewhere table<string, string>?  names at home elsewhere → what to do with them
function report.unknown(out, path, object, known, elsewhere)
  for _, name in ipairs(unknown_keys(object, known)) do
    local near = validate.nearest(name, known)
    local tail = near and "; did you mean " .. near .. "?" or elsewhere and elsewhere[name] or ""
    report.warn(out, report.path(path, name), "is not known to this Worker" .. tail, near)
  end
end

return report
