--- Export files: written once when asked for, kept in the sandbox's folder, reached through signed links.

local columns = require("coreclaw.sandbox.platform.columns")
local ids = require("coreclaw.sandbox.platform.ids")
local sheet = require("coreclaw.sandbox.export.sheet")
local state = require("coreclaw.sandbox.platform.state")
local text_formats = require("coreclaw.sandbox.export.text")

-- luacheck: globals ngx
local M = {}

local TYPES = {
  xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xls = "application/vnd.ms-excel",
}

local files = {}

function M.knows(format)
  return text_formats[format] ~= nil or TYPES[format] ~= nil
end

--- What would have to be installed for this format, or nil.
function M.missing(format)
  return TYPES[format] and sheet.missing(format) or nil
end

--- The keys to write: all of the run's columns, or those asked for. nil and the stranger where one is no column.
function M.keys(run, wanted)
  local known, all = {}, {}
  for _, column in ipairs(columns.of(run)) do
    known[column.key], all[#all + 1] = true, column.key
  end
  for _, key in ipairs(wanted or {}) do
    if not known[key] then
      return nil, key
    end
  end
  return wanted or all
end

local function write_text(format, path, rows, about)
  local out = assert(io.open(path, "wb"))
  out:write(format.head and format.head(about) or "")
  for i, row in ipairs(rows) do
    out:write(i > 1 and format.between or "", format.row(row, about))
    if i % 500 == 0 then
      ngx.sleep(0.001)
    end
  end
  out:write(format.foot and format.foot(about) or "")
  out:close()
end

-- The rows as they are now: the run may go on while the file is written.
local function snapshot(rows)
  local out = {}
  for i = 1, #rows do
    out[i] = rows[i]
  end
  return out
end

local function folder()
  local path = state.settings.dir .. "/exports"
  if not state.export_folder then
    os.execute("mkdir -p '" .. path:gsub("'", "'\\''") .. "'")
    state.export_folder = path
  end
  return path
end

--- Writes an export file. Returns the name to sign.
function M.create(run, format, keys)
  local name = "result_" .. ids.row() .. "." .. format
  local path, rows = folder() .. "/" .. name, snapshot(run.rows)
  if TYPES[format] then
    sheet.write(format, path, rows, keys)
  else
    write_text(text_formats[format], path, rows, { keys = keys, title = run.worker.title, link = state.settings.url })
  end
  files[name] = { path = path, name = name, type = TYPES[format] or text_formats[format].type }
  return name
end

--- The file of a name: { path, name, type }, or nil.
function M.file(name)
  return files[name]
end

return M
