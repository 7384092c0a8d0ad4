--- Progress: one line on a terminal that is written anew, and nothing at all elsewhere.

local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local line = require "coreclaw.line"

---@class coreclaw.cli.Progress
---@field width integer?  columns of the terminal; nil where nobody looks
local Progress = { __name = "coreclaw.cli.Progress" }
Progress.__index = Progress

local TICK = 0.25 -- seconds between two drawings while nothing happens

local progress = {}

---@param stream file*
---@param width integer?
---@return coreclaw.cli.Progress
function progress.new(stream, width)
  return setmetatable({ stream = stream, width = width, shown = 0 }, Progress)
end

---Seconds as a person says them: 0:07, 12:34, 1:02:03.
---@param seconds number
---@return string
function progress.clock(seconds)
  local whole = math.floor(seconds)
  local text = ("%d:%02d"):format(math.floor(whole / 60) % 60, whole % 60)
  return whole >= 3600 and ("%d:%02d:%02d"):format(math.floor(whole / 3600), math.floor(whole / 60) % 60, whole % 60)
    or text
end

---Bytes as a person says them: 812 B, 1.5 MB.
---@param bytes number
---@return string
function progress.bytes(bytes)
  for _, unit in ipairs { { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" } } do
    if bytes >= unit[1] then return ("%.1f %s"):format(bytes / unit[1], unit[2]) end
  end
  return ("%d B"):format(bytes)
end

-- Over what stood there; spaces rather than escapes, so that any terminal will do.
local function write(self, text)
  text = #text >= self.width and text:sub(1, self.width - 1) or text
  self.stream:write("\r", text, (" "):rep(self.shown - #text), #text < self.shown and "\r" .. text or "")
  self.stream:flush()
  self.shown = #text
end

local function draw(self)
  if not self.text then return end
  write(self, self.text .. "  " .. progress.clock(core.now() - self.since))
end

---What goes on now; the time since the first such word is shown behind it.
---@param text string
function Progress:show(text)
  if not self.width then return end
  self.text, self.since = line.of(text, 400), self.since or core.now()
  draw(self)
end

---How a run stands.
---@param run coreclaw.Run
function Progress:run(run)
  self:show(("%-9s %d rows"):format(run.status or "?", run.results_count))
end

---How far a download is.
---@param name string
---@param bytes integer
---@param total integer?
function Progress:transfer(name, bytes, total)
  local share = total and total > 0 and ("  %d%%"):format(math.floor(bytes * 100 / total)) or ""
  self:show(name .. "  " .. progress.bytes(bytes) .. (total and " of " .. progress.bytes(total) or "") .. share)
end

---Takes the line away.
function Progress:clear()
  if self.shown > 0 then
    write(self, "")
    self.stream:write("\r")
    self.stream:flush()
  end
  self.text, self.since = nil, nil
end

---A line that stays, above the progress.
---@param text string
function Progress:note(text)
  if self.shown > 0 then write(self, "") end
  self.stream:write(self.width and "\r" or "", text, "\n")
  self.stream:flush()
  if self.text then draw(self) end
end

---Waits, while the line goes on counting.
---@param seconds number
function Progress:sleep(seconds)
  if not self.width then return coreclaw.sleep(seconds) end
  local until_then = core.now() + seconds
  repeat
    draw(self)
    local rest = until_then - core.now()
    coreclaw.sleep(math.max(0, math.min(TICK, rest)))
  until core.now() >= until_then
end

return progress
