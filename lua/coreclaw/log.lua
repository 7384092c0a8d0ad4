--- The run log. The platform writes entries in two forms; here they become one.

local log = {}

---@class coreclaw.LogEntry
---@field text string     what was logged; may hold several lines
---@field level string?   "debug" | "info" | "warn" | "error"; nil where the platform gave none
---@field time number?    Unix seconds (the platform counts milliseconds)
---@field group string?   id of the subtask, as text: its digits go beyond 2^53

---@class coreclaw.Log
---@field entries coreclaw.LogEntry[]  an excerpt, often only the newest or system lines
---@field url string?                  link to the full log, signed and temporary
---@field count integer?               number of entries the platform speaks of
---@field raw table                    the answer's data as it came

local LEVELS = { "debug", "info", "warn", "error" }

local function entry(item)
  if type(item) ~= "table" then return { text = tostring(item) } end
  local group = item.group
  return {
    text = type(item.content) == "string" and item.content or "",
    level = LEVELS[item.type],
    time = type(item.timestamp) == "number" and item.timestamp / 1000 or nil,
    group = (type(group) == "string" or type(group) == "number") and tostring(group) or nil,
  }
end

---Reads the data of a log answer.
---@param data table
---@return coreclaw.Log
function log.read(data)
  local entries = {}
  for i, item in ipairs(type(data.list) == "table" and data.list or {}) do
    entries[i] = entry(item)
  end
  local url = data.all_logs_url
  return {
    entries = entries,
    url = type(url) == "string" and url ~= "" and url or nil,
    count = type(data.result_count) == "number" and data.result_count or nil,
    raw = data,
  }
end

-- The line of an entry that says what went wrong: Python's tracebacks end with it, others begin.
local function headline(text)
  if text:find("^%s*Traceback") then return text:match "([^\r\n]+)%s*$" end
  return text:match "([^\r\n]*%S[^\r\n]*)"
end

---What the last error in the log says, in one line: why a run failed.
---@param entries coreclaw.LogEntry[]
---@return string?
function log.last_error(entries)
  for i = #entries, 1, -1 do
    if entries[i].level == "error" then return headline(entries[i].text) end
  end
end

return log
