--- The headers of a run's rows: as the Worker declares them, or as its rows show them.

local encode = require("coreclaw.sandbox.encode")

local M = {}

local function format_of(value)
  local kind = type(value)
  if kind == "number" then
    return value % 1 == 0 and "integer" or "number"
  elseif kind == "boolean" then
    return "boolean"
  elseif kind == "table" then
    local first = encode.encode(value):sub(1, 1)
    return first == "[" and "array" or first == "{" and "object" or "integer"
  end
  return "text"
end

local function label_of(key)
  local words = key:gsub("_", " ")
  return words:sub(1, 1):upper() .. words:sub(2)
end

local function add(run, key, value)
  local column = run.column_of[key]
  if not column then
    column = { key = key, label = label_of(key) }
    run.column_of[key], run.columns[#run.columns + 1] = column, column
  end
  if column.format == nil and value ~= encode.null then
    column.format = format_of(value)
  end
end

local function new_keys(run, row)
  local keys = {}
  for key, value in pairs(row) do
    local column = run.column_of[key]
    if not column or (column.format == nil and value ~= encode.null) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

--- Takes notice of a row that is about to be kept.
function M.note(run, row)
  if run.worker.columns then
    return
  end
  if not run.columns then
    run.columns, run.column_of = {}, {}
  end
  for _, key in ipairs(new_keys(run, row)) do
    add(run, key, row[key])
  end
end

--- The columns of a run: a list of { key, label, format }.
function M.of(run)
  if #run.rows == 0 then
    return {}
  end
  return run.worker.columns or run.columns
end

return M
