--- The run log. The platform writes entries in two forms; here they become one.

local json = require "coreclaw.json"

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
local RANK = { debug = 1, info = 2, warn = 3, error = 4 }

---The levels, from the lowest.
log.LEVELS = LEVELS

-- %.0f: Lua 5.1 and LuaJIT write only 14 digits by themselves.
local function text_of(group)
  if type(group) == "number" then return string.format("%.0f", group) end
  return type(group) == "string" and group or nil
end

local function entry(item)
  if type(item) ~= "table" then return { text = item ~= json.null and tostring(item) or "" } end
  return {
    text = type(item.content) == "string" and item.content or "",
    level = LEVELS[item.type],
    time = type(item.timestamp) == "number" and item.timestamp / 1000 or nil,
    group = text_of(item.group),
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

---Is an entry at least of this level? One without a level may be anything, so it is.
---@param item coreclaw.LogEntry
---@param level string
---@return boolean
function log.at_least(item, level)
  return item.level == nil or RANK[item.level] >= RANK[level]
end

-- Words that tell of trouble, as the official tools have them; compared in lower case.
local TROUBLE = {
  "error", "raise", "exception", "traceback", "banned", "403", "429", "captcha", "blocked", "forbidden",
}

local function tells_of_trouble(line)
  line = line:lower()
  for _, word in ipairs(TROUBLE) do
    if line:find(word, 1, true) then return true end
  end
end

local function lines_of(entries)
  local lines = {}
  for _, item in ipairs(entries) do
    for line in item.text:gmatch "[^\r\n]+" do lines[#lines + 1] = line end
  end
  return lines
end

---The lines that tell of trouble, each once, with so many lines before and after.
---@param entries coreclaw.LogEntry[]
---@param most integer     matches at most
---@param context integer  lines around each
---@return string[]
function log.trouble(entries, most, context)
  local lines, out, last, matches = lines_of(entries), {}, 0, 0
  for i, line in ipairs(lines) do
    if matches >= most then break end
    if tells_of_trouble(line) then
      matches = matches + 1
      for at = math.max(last + 1, i - context), math.min(#lines, i + context) do
        out[#out + 1], last = lines[at], at
      end
    end
  end
  return out
end

return log
