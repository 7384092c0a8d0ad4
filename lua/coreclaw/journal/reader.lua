--- Reads a journal: which intents are open, and which runs belong to one.

local calendar = require "coreclaw.calendar"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"

local reader = {}

local BLOCK = 65536
-- Events that settle an intent, and what it is then.
local SETTLED = { done = "started", refused = "refused", adopted = "adopted", dismissed = "dismissed" }
-- What an intent may have become, by the platform's names.
local HANDLES = { "run_slug", "queue_ref", "slug" }

-- "2026-11-28T12:39:00.123Z" as Unix seconds, or nil.
local function seconds(text)
  if type(text) ~= "string" then return nil end
  local date, h, m, s = text:match "^(%d+%-%d+%-%d+)T(%d%d):(%d%d):(%d%d%.?%d*)Z$"
  local year, month, day = calendar.parse(date)
  if not year then return nil end
  return calendar.day(year, month, day) * 86400 + h * 3600 + m * 60 + tonumber(s)
end

local function text(value)
  return type(value) == "string" and value or nil
end

-- An intent as it stands in the file, with nothing that a later line could not have.
local function intent_of(record, at)
  local path = {}
  for name, value in pairs(type(record.path) == "table" and record.path or {}) do path[name] = text(value) end
  return {
    id = record.id, operation = text(record.operation), started = at, ends = seconds(record.ends), path = path,
    worker = text(record.worker), label = text(record.label), digest = text(record.digest),
    host = text(record.host), pid = tonumber(record.pid) or 0, process = text(record.process) or "",
    base_url = text(record.base_url), state = "open",
  }
end

local function take_event(self, record, at)
  for _, name in ipairs(HANDLES) do
    if text(record[name]) then self.owned[record[name]] = record.id end
  end
  local intent = self.intents[record.id]
  if not intent then return end
  if record.event == "unknown" and intent.state == "open" then
    intent.state, intent.ended, intent.kind = "unknown", at, text(record.kind)
  elseif SETTLED[record.event] then
    intent.state, intent.request_id = SETTLED[record.event], text(record.request_id)
    intent.kind = text(record.kind)
    for _, name in ipairs(HANDLES) do intent[name] = text(record[name]) end
    if not self.all then self.intents[record.id] = nil end
  end
end

-- False for a line that is none of ours.
local function take(self, line)
  local record = json.decode(line)
  if type(record) ~= "table" or not text(record.id) or not text(record.event) then return false end
  local at = seconds(record.at)
  if not at then return false end
  if record.event ~= "intent" then
    take_event(self, record, at)
  elseif not text(record.operation) then
    return false
  else
    local intent = intent_of(record, at)
    self.count = self.count + 1
    intent.number = self.count
    self.intents[record.id] = intent
  end
  return true
end

-- Lua 5.1's own reading of lines stumbles over zero bytes, which a power cut may leave.
local function lines(file)
  local rest, at = "", 1
  return function()
    while true do
      local newline = rest:find("\n", at, true)
      if newline then
        local line = rest:sub(at, newline - 1)
        at = newline + 1
        return line
      end
      local block = file:read(BLOCK)
      if not block then
        local line = rest:sub(at)
        rest, at = "", 1
        return line ~= "" and line or nil, true
      end
      rest, at = rest:sub(at) .. block, 1
    end
  end
end

local function in_order(intents)
  local list = {}
  for _, intent in pairs(intents) do list[#list + 1] = intent end
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

local function failure(path, why)
  return errors.new { kind = "file", message = "the journal cannot be read: " .. tostring(why or path) }
end

---@class coreclaw.JournalContent
---@field intents table[]               those that are not settled, in order; with `all`, every one
---@field owned table<string, string>   slug or queue_ref → the intent that it belongs to
---@field damaged integer[]             numbers of lines that cannot be read

---Reads a journal. One that is missing is empty. A last line without an end is being written, or
---was cut short, and counts only if it can be read.
---@param path string
---@param all boolean?
---@return coreclaw.JournalContent?
---@return coreclaw.Error?
function reader.read(path, all)
  local self = { intents = {}, owned = {}, damaged = {}, count = 0, all = all }
  local file, why, code = io.open(path, "rb")
  if not file and code == 2 then return { intents = {}, owned = {}, damaged = {} } end
  if not file then return nil, failure(path, why) end
  local readable, trouble, trouble_code = file:read(0)
  if not readable and trouble_code then
    file:close()
    return nil, failure(path, path .. ": " .. trouble)
  end
  local number = 0
  for line, torn in lines(file) do
    number = number + 1
    if line ~= "" and not take(self, line) and not torn then self.damaged[#self.damaged + 1] = number end
  end
  file:close()
  return { intents = in_order(self.intents), owned = self.owned, damaged = self.damaged }
end

return reader
