--- Did a run bring usable data? The same verdict as the official tools give (API.md 20).
--
-- The first row alone is judged. Some Workers report a failure as a row: a run that "succeeded" with
-- one row that holds nothing but an error has brought nothing.

local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local log = require "coreclaw.log"
local validate = require "coreclaw.validate"
local watch = require "coreclaw.watch"

---@class coreclaw.Verdict
---@field verdict "PASS"|"NO_DATA"|"ERROR_RECORD"|"FAILED"|"RUNNING"
---@field status string         of the run
---@field count integer         rows of the run
---@field fields string[]       names of the first row's real fields, at most 10
---@field fields_count integer  how many there are
---@field reason string?        why it is not PASS
---@field lines string[]?       FAILED: lines of the log that tell of trouble, at most 20 with their neighbours

local OPTIONS = {
  limit = { type = "integer", min = 1, max = 20, default = 5 },
  timeout = { type = "seconds" },
}

-- Keys that speak of a failure or of the input, not of data. Exact, in this case only.
local DIAGNOSTIC = {
  __coreclaw_data_id__ = true, error = true, error_code = true, err = true, err_code = true,
  status = true, status_code = true, message = true, msg = true, input = true, input_url = true,
}

-- Alone, this key proves nothing.
local WEAK = "url"

local MOST_FIELDS = 10
local MOST_LINES, CONTEXT = 20, 1
local LOG_TIMEOUT = 20

-- Methods of the run.
local verdict = { methods = {} }

-- What one call usually gets, but not past a deadline; 0 = none.
local function within(run, deadline)
  local usual = run.client.settings.timeout
  if deadline == math.huge then return usual end
  local rest = run.client.clock:left(deadline, 0.5)
  return usual > 0 and math.min(usual, rest) or rest
end

-- 0 and false are values.
local function is_empty(value)
  return value == nil or value == json.null
    or (type(value) == "string" and not value:find "%S")
    or (type(value) == "table" and next(value) == nil)
end

-- The real fields of a row, in the order of the headers, then of the alphabet.
local function real_fields(row, headers)
  local order, names = {}, {}
  for i, header in ipairs(headers) do
    if type(header) == "table" and header.key ~= nil then order[header.key] = i end
  end
  for name, value in pairs(row) do
    if not DIAGNOSTIC[name] and not is_empty(value) then names[#names + 1] = tostring(name) end
  end
  table.sort(names, function(a, b)
    local i, j = order[a] or math.huge, order[b] or math.huge
    if i ~= j then return i < j end
    return a < b
  end)
  return names
end

local function result(word, status, count, reason, names)
  names = names or {}
  local fields = {}
  for i = 1, math.min(#names, MOST_FIELDS) do fields[i] = names[i] end
  return {
    verdict = word, status = status, count = count, fields = fields, fields_count = #names, reason = reason,
  }
end

-- What a diagnostic row says of itself.
local function row_says(row)
  for _, name in ipairs { "error", "err", "message", "msg", "error_code", "err_code", "status_code" } do
    local value = row[name]
    if not is_empty(value) and type(value) ~= "table" then return ": " .. tostring(value) end
  end
  return ""
end

---The verdict on the first page of a run that succeeded. Pure.
---@param status string
---@param page coreclaw.Page
---@return coreclaw.Verdict
function verdict.judge(status, page)
  local row = page.list[1]
  local count = page.count or #page.list
  if count == 0 or row == nil then
    return result("NO_DATA", status, count, "the run has no rows")
  elseif type(row) ~= "table" then
    return result("ERROR_RECORD", status, count, "the first row is no object")
  end
  local names = real_fields(row, page.headers)
  if #names == 0 then
    return result("ERROR_RECORD", status, count, "the first row holds no data" .. row_says(row))
  elseif #names == 1 and names[1] == WEAK then
    return result("ERROR_RECORD", status, count, "the first row holds only a url" .. row_says(row), names)
  end
  return result("PASS", status, count, nil, names)
end

-- A run that ended badly, with what its log says.
local function failed(run, options)
  local out = result("FAILED", run.status, run.results_count, "the run ended as " .. run.status)
  local run_log = run:log { timeout = options.timeout or LOG_TIMEOUT }
  local entries = run_log and run_log.entries or {}
  out.lines = log.trouble(entries, MOST_LINES, CONTEXT)
  local why = log.last_error(entries) or run.err_msg
  if why and why ~= "" then out.reason = out.reason .. ": " .. why end
  return out
end

local function decide(self, options)
  if not watch.FINAL[self.status] then
    return result("RUNNING", self.status, self.results_count, "the run has not ended")
  elseif self.status ~= "succeeded" then
    return failed(self, options)
  end
  local page, err = self:results_page { limit = options.limit, timeout = options.timeout }
  if page then return verdict.judge(self.status, page) end
  if err.kind == "cancelled" then return nil, errors.about(err, self) end
  return result("ERROR_RECORD", self.status, self.results_count, "the rows cannot be read: " .. err.message)
end

-- A Worker may have written the key into its rows or its log.
local function scrub(found, secret)
  if found.reason then found.reason = errors.mask(found.reason, secret) end
  for i, line in ipairs(found.lines or {}) do found.lines[i] = errors.mask(line, secret) end
  return found
end

---Tells whether the run brought usable data. Reads the run's state unless its end is known, then
---the first rows, or the log of a run that failed.
---Calls `getWorkerRun`, `listWorkerRunResults`, `getWorkerRunLog`.
---@param options { limit: integer?, timeout: number? }?  limit: rows to read, 1–20, default 5;
---  timeout: seconds for each call
---@return coreclaw.Verdict?  nil when the run's state cannot be read
---@return coreclaw.Error?
function verdict.methods:verdict(options)
  options = validate.options("run:verdict", options, OPTIONS)
  if not watch.FINAL[self.status] then
    local ok, err = self:reload { timeout = options.timeout }
    if not ok then return nil, err end
  end
  local found, err = decide(self, options)
  if not found then return nil, err end
  return scrub(found, config.secret(self.client.settings))
end

---The error of a run that succeeded without bringing data; nil if it brought some. For `require = "data"`.
---@param run coreclaw.Run
---@param deadline number  of the call (by the client's clock)
---@return coreclaw.Error?
function verdict.without_data(run, deadline)
  local found, err = run:verdict { timeout = within(run, deadline) }
  if not found then return err end
  if found.verdict == "PASS" then return nil end
  return errors.new {
    kind = "run_failed", run = run, sent = "yes", operation = "listWorkerRunResults", verdict = found,
    message = "run " .. run.slug .. " brought no data (" .. found.verdict .. "): " .. found.reason,
  }
end

return verdict
