--- Values to choose from: is this one of them, and if not, which was meant?

local report = require "coreclaw.schema.report"
local validate = require "coreclaw.validate"
local values = require "coreclaw.schema.values"

local options = {}

-- Controls that offer these values and no others. In any other control options may be suggestions.
local CHOOSERS = { select = true, radio = true, checkbox = true }

local function has(list, value)
  for _, option in ipairs(list) do
    if option.value == value then return true end
  end
  return false
end

local function quoted(value)
  return type(value) == "string" and '"' .. value .. '"' or report.show(value)
end

-- The value whose label was written, or that was written as text or number, or nearly written.
local function meant(list, value)
  local by_name = {}
  for _, option in ipairs(list) do
    by_name[option.label] = option.value
  end
  for _, option in ipairs(list) do
    by_name[tostring(option.value)] = option.value
  end
  local name = by_name[tostring(value)] ~= nil and tostring(value) or validate.nearest(value, by_name)
  return name and by_name[name]
end

local function listed(list)
  local words = {}
  for i = 1, math.min(#list, 12) do words[i] = quoted(list[i].value) end
  return table.concat(words, ", ") .. (#list > 12 and ", ..." or "")
end

local function check_one(out, field, path, value)
  local unused = value == "" and not field.required
  if unused or type(value) == "table" or has(field.options, value) then return end
  local near = meant(field.options, value)
  local text = "must be one of " .. listed(field.options) .. ", got " .. report.show(value)
  if near ~= nil then text = text .. "; did you mean " .. quoted(near) .. "?" end
  local tell = (field.closed or CHOOSERS[field.editor]) and report.error or report.warn
  tell(out, path, text, near ~= nil and tostring(near) or nil)
end

---Checks a value, or each value of a list.
---@param out coreclaw.SchemaReport
---@param field coreclaw.SchemaField  one with `options`
---@param path string
---@param value any
function options.check(out, field, path, value)
  if not values.is_list(value) then return check_one(out, field, path, value) end
  for i, item in ipairs(value) do
    check_one(out, field, path .. "[" .. i .. "]", item)
  end
end

return options
