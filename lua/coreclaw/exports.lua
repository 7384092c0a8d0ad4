--- Exports: the rows of a run as a file, and its full log, by way of the platform's storage.

local download = require "coreclaw.download"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local validate = require "coreclaw.validate"

local FORMATS = { "csv", "json", "jsonl", "xlsx", "xls", "xml", "html", "rss" }

local LINK = {
  format = { type = "string", enum = FORMATS, default = "csv" },
  fields = { type = "table" },
  timeout = { type = "seconds" },
}
local FILE = {
  on_progress = { type = "callable" },
  overwrite = { type = "boolean", default = true },
  max_bytes = { type = "integer", min = 0 },
  idle_timeout = { type = "seconds", default = 60 },
  timeout = { type = "seconds", default = 3600 },
}
local EXPORT = { format = LINK.format, fields = LINK.fields }
for name, rule in pairs(FILE) do EXPORT[name] = rule end

-- Methods of the run.
local exports = { methods = {} }

---@class coreclaw.Run
local Run = exports.methods

---@class coreclaw.ExportOptions
---@field format "csv"|"json"|"jsonl"|"xlsx"|"xls"|"xml"|"html"|"rss"?  default "csv"; API v1: csv, json
---@field fields string[]?    only these columns (`headers[].key`), default all
---@field on_progress (fun(bytes: integer, total: integer?): boolean?)?  false stops
---@field overwrite boolean?  may the path exist? default true
---@field max_bytes integer?  no more than that; default: no limit
---@field idle_timeout number? seconds without a byte; default 60
---@field timeout number?     seconds for all of it; default 3600, 0 = none

-- The columns as the API wants them: joined by commas. A name with a comma could not be told apart.
local function join_fields(where, fields)
  if fields == nil then return nil end
  if #fields == 0 then validate.fail(where .. ": fields must not be empty; leave it out for all") end
  for i, name in ipairs(fields) do
    validate.value(where, "fields[" .. i .. "]", name, { type = "text" })
    if name:find(",", 1, true) then validate.fail(where .. ": fields[" .. i .. "] holds a comma") end
  end
  return table.concat(fields, ",")
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function export_link(self, query, timeout)
  local data, err, behind = http.data(self.client, "exportWorkerRunResults",
    { path = { runId = self.slug }, query = query }, { timeout = timeout })
  if not data then return nil, err end
  local link = text(data.download_url)
  if link then return link, nil, behind end
  return nil, errors.new {
    kind = "bad_response", message = "the platform gave no download_url", sent = "yes",
    operation = "exportWorkerRunResults",
  }
end

---A link to the rows as a file: signed, temporary, to be fetched at once and without any credential.
---Calls `exportWorkerRunResults`.
---@param options { format: string?, fields: string[]?, timeout: number? }?
---@return string?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:export_url(options)
  options = validate.options("run:export_url", options, LINK)
  local query = { format = options.format, filter_keys = join_fields("run:export_url", options.fields) }
  return export_link(self, query, options.timeout)
end

local function file_options(options, source, operation)
  return {
    source = source, operation = operation, on_progress = options.on_progress,
    overwrite = options.overwrite, max_bytes = options.max_bytes,
    idle_timeout = options.idle_timeout, timeout = options.timeout,
  }
end

---Writes the rows into a file: all of it under that name, or an error. What came before a break stays
---in PATH.part, and the same call goes on from there. Calls `exportWorkerRunResults`, then the storage.
---@param path string
---@param options coreclaw.ExportOptions?
---@return coreclaw.Download?  path, bytes
---@return coreclaw.Error?
function Run:export(path, options)
  options = validate.options("run:export", options, EXPORT)
  local query = { format = options.format, filter_keys = join_fields("run:export", options.fields) }
  local source = table.concat({ "export", self.slug, options.format, query.filter_keys or "" }, " ")
  local function link(seconds) return export_link(self, query, seconds) end
  return download.fetch(self.client, link, path, file_options(options, source, "exportWorkerRunResults"))
end

---Writes the full log into a file, as `run:export` does with the rows. Calls `getWorkerRunLog`.
---@param path string
---@param options table?  on_progress, overwrite, max_bytes, idle_timeout, timeout, of `run:export`
---@return coreclaw.Download?
---@return coreclaw.Error?
function Run:export_log(path, options)
  options = validate.options("run:export_log", options, FILE)
  local function link(seconds)
    local log, err = self:log { timeout = seconds }
    if not log then return nil, err end
    if log.url then return log.url end
    return nil, errors.new {
      kind = "not_found", message = "the platform has no file of this run's full log", sent = "yes",
      operation = "getWorkerRunLog",
    }
  end
  return download.fetch(self.client, link, path, file_options(options, "log " .. self.slug, "getWorkerRunLog"))
end

return exports
