--- Files of a run: its rows in a format of the platform's, and its whole log.

local answer = require "coreclaw.answer"
local download = require "coreclaw.download"
local errors = require "coreclaw.errors"
local http = require "coreclaw.http"
local log = require "coreclaw.log"
local validate = require "coreclaw.validate"

local FORMATS = { "csv", "json", "jsonl", "xlsx", "xls", "xml", "html", "rss" }

local FORMAT = { type = "string", enum = FORMATS }
local URL = { format = FORMAT, fields = { type = "table" }, timeout = { type = "seconds" } }
local FILE = {
  timeout = { type = "seconds", default = 3600 },
  idle_timeout = { type = "seconds", default = 60 },
  on_progress = { type = "callable" },
  overwrite = { type = "boolean", default = true },
  sync = { type = "boolean", default = true },
  max_bytes = { type = "integer", min = 0 },
}
local EXPORT = { format = FORMAT, fields = { type = "table" } }
for name, rule in pairs(FILE) do EXPORT[name] = rule end

-- Methods of the run.
local export = { methods = {}, FORMATS = FORMATS }

---@class coreclaw.Run
local Run = export.methods

---@class coreclaw.ExportOptions
---@field format "csv"|"json"|"jsonl"|"xlsx"|"xls"|"xml"|"html"|"rss"?  default: as the path ends, else csv
---@field fields string[]?      columns by their keys, default all
---@field on_progress (fun(bytes: integer, total: integer?): boolean?)?  called a few times a second;
---  returning false stops the download
---@field timeout number?       seconds for all of it; default 3600, 0 = none
---@field idle_timeout number?  seconds without a byte; default 60
---@field overwrite boolean?    may the path exist? default true
---@field sync boolean?         shall the file outlive a power cut? default true
---@field max_bytes integer?    no more than that; default: no limit

-- The API wants the keys joined by commas.
local function keys_of(where, fields)
  if not fields then return nil end
  if #fields == 0 then validate.fail(where .. ": fields must not be empty; leave it out for all") end
  for i, key in ipairs(fields) do
    validate.value(where, "fields[" .. i .. "]", key, { type = "text" })
    if key:find(",", 1, true) then
      validate.fail(where .. ": fields[" .. i .. "] must not hold a comma: the API joins keys by them")
    end
  end
  return table.concat(fields, ",")
end

-- What a path ends in, where that is a format.
local function format_of(path)
  local ending = type(path) == "string" and path:lower():match "%.(%w+)$"
  for _, format in ipairs(FORMATS) do
    if format == ending then return format end
  end
end

-- Upper case is fine with the platform, so it is with us.
local function lowered(options)
  if type(options) ~= "table" or type(options.format) ~= "string" then return options end
  local copy = {}
  for name, value in pairs(options) do copy[name] = value end
  copy.format = options.format:lower()
  return copy
end

local function no_link(self, operation, message)
  return errors.new {
    kind = "bad_response", message = message, operation = operation, sent = "yes", run = self,
  }
end

-- Asks for the link to an export.
local function ask(self, format, keys, timeout)
  local data, err, behind = http.data(self.client, "exportWorkerRunResults",
    { path = { runId = self.slug }, query = { format = format, filter_keys = keys } },
    { timeout = timeout })
  if not data then
    err.run = self
    return nil, err
  end
  local url = data.download_url
  if type(url) ~= "string" or url == "" then
    return nil, no_link(self, "exportWorkerRunResults", "the platform gave no link to the export")
  end
  return url, nil, behind
end

-- Asks for the link to the whole log.
local function ask_for_log(self, timeout)
  local envelope, err = http.call(self.client, "getWorkerRunLog", { path = { runId = self.slug } },
    { timeout = timeout })
  if not envelope then
    err.run = self
    return nil, err
  end
  local data, why = answer.data(envelope, "getWorkerRunLog")
  if not data then return nil, why end
  local url = log.read(data).url
  if url then return url end
  return nil, no_link(self, "getWorkerRunLog", "the platform gave no link to the whole log")
end

-- A call for a link gets its usual time, but no more than is left of the whole.
local function budget(self, seconds)
  local usual = self.client.settings.timeout
  if not seconds then return usual end
  return usual > 0 and math.min(usual, seconds) or seconds
end

local function fetch(self, path, options, what, operation, get_url)
  local result, err = download.fetch(self.client,
    function(seconds) return get_url(budget(self, seconds)) end, path, {
      source = table.concat({ self.client.settings.base_url, self.slug, what }, " "),
      operation = operation, timeout = options.timeout, idle_timeout = options.idle_timeout,
      on_progress = options.on_progress, overwrite = options.overwrite, sync = options.sync,
      max_bytes = options.max_bytes, html = what:find("^export html ") ~= nil,
    })
  if err then errors.about(err, self) end
  return result, err
end

---Exports the run's rows to a file: all of it under that name, or nothing. An export that broke off
---(also with its process) goes on where it was when it is called again. Calls
---`exportWorkerRunResults`.
---@param path string
---@param options coreclaw.ExportOptions?
---@return coreclaw.Download?  path, bytes, attempts
---@return coreclaw.Error?
function Run:export(path, options)
  options = validate.options("run:export", lowered(options), EXPORT)
  validate.value("run:export", "path", path, { type = "text" })
  local format = options.format or format_of(path) or "csv"
  local keys = keys_of("run:export", options.fields)
  return fetch(self, path, options, "export " .. format .. " " .. (keys or "*"), "exportWorkerRunResults",
    function(timeout) return ask(self, format, keys, timeout) end)
end

---A link to an export of the run's rows: signed, and good for about half an hour. Whoever has it can
---read them, so it is a secret for that long. Calls `exportWorkerRunResults`.
---@param options { format: string?, fields: string[]?, timeout: number? }?  format: default "csv"
---@return string?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:export_url(options)
  options = validate.options("run:export_url", lowered(options), URL)
  local keys = keys_of("run:export_url", options.fields)
  return ask(self, options.format or "csv", keys, options.timeout)
end

---Downloads the run's whole log to a file, as `run:export` does with rows. Calls `getWorkerRunLog`.
---@param path string
---@param options coreclaw.ExportOptions?  all but format and fields
---@return coreclaw.Download?
---@return coreclaw.Error?
function Run:download_log(path, options)
  options = validate.options("run:download_log", options, FILE)
  validate.value("run:download_log", "path", path, { type = "text" })
  return fetch(self, path, options, "log", "getWorkerRunLog",
    function(timeout) return ask_for_log(self, timeout) end)
end

return export
