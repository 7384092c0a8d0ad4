--- The unfinished file of a download: PATH.part, and PATH.part.state with what is known of it, so
--- that another call, or another process, can go on where this one stopped.
--
-- The state is only believed for the same source and the same boot of the machine: after a power
-- cut a file may have its length and not its bytes. It never holds the link.

local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"

---@class coreclaw.Part
---@field file userdata     locked: one download to a path at a time
---@field known table?      etag or modified, and total, of what the file holds the beginning of
local Part = { __name = "coreclaw.Part" }
Part.__index = Part

local part = {}

local VERSION = 1

---An error of this machine's files.
---@param message string
---@return coreclaw.Error
function part.error(message)
  return errors.new { kind = "file", message = message }
end

local function slurp(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local text = file:read(65536)
  file:close()
  return text
end

local function boot()
  return (slurp "/proc/sys/kernel/random/boot_id" or ""):match "^[%x-]*"
end

local function is_text(value) return value == nil or type(value) == "string" end

-- What was written down about the file, if it is about this one.
local function read_state(name, source)
  local text = slurp(name)
  local state = text and json.decode(text)
  if type(state) ~= "table" or state.version ~= VERSION then return nil end
  if state.source ~= source or state.boot ~= boot() then return nil end
  if not (is_text(state.etag) and is_text(state.modified) and is_text(state.place)) then return nil end
  if state.total ~= nil and type(state.total) ~= "number" then return nil end
  return state
end

-- A download that was dropped half way (an error, a coroutine nobody resumes) holds its lock until
-- it is collected.
local function open(name)
  local file, why, _, busy = core.file(name)
  if busy then
    collectgarbage()
    collectgarbage()
    file, why = core.file(name)
  end
  return file, why
end

---Opens or creates the unfinished file for a path, and locks it.
---@param path string
---@param source string  what is downloaded; an unfinished file of anything else is dropped
---@return coreclaw.Part?
---@return coreclaw.Error?
function part.open(path, source)
  local name = path .. ".part"
  local file, why = open(name)
  if not file then return nil, part.error("cannot open " .. name .. ": " .. why) end
  local self = setmetatable({
    path = path, name = name, state_name = name .. ".state", file = file, source = source,
  }, Part)
  self.known = self:size() > 0 and read_state(self.state_name, source) or nil
  if not self.known then self:forget() end
  return self
end

---@return integer
function Part:size()
  return self.file:size() or 0
end

---Where to go on, and the condition for it; 0 where nothing can be gone on with. Of what seems
---whole the last byte is fetched again: no server says "unchanged" to an empty range.
---@param place string  digest of where the link leads to
---@return integer offset
---@return string? validator  for If-Range
function Part:point(place)
  local known = self.known
  local validator = known and (known.etag or known.modified)
  if not validator or (known.place and known.place ~= place) then return 0 end
  local size = self:size()
  if known.total and size >= known.total then size = known.total - 1 end
  if size <= 0 then return 0 end
  return size, validator
end

---Can another call go on with it?
function Part:resumable()
  local known = self.known
  return known ~= nil and (known.etag or known.modified) ~= nil and self:size() > 0
end

---Writes down what is known of the file that begins to come. No harm if that fails: it would only
---begin anew after a break.
---@param facts { etag: string?, modified: string?, total: integer?, place: string? }
function Part:learn(facts)
  self.known = {
    version = VERSION, source = self.source, boot = boot(), etag = facts.etag,
    modified = facts.modified, total = facts.total, place = facts.place,
  }
  local file = io.open(self.state_name, "wb")
  if not file then return end
  file:write(json.encode(self.known))
  file:close()
end

---Is this an answer about the same file?
---@param facts { etag: string?, modified: string?, total: integer? }
---@return boolean
function Part:matches(facts)
  local known = self.known
  if facts.total and known.total and facts.total ~= known.total then return false end
  if known.etag then return facts.etag == known.etag end
  return facts.modified == known.modified
end

---The same, for the rest of it: what is new in the answer is kept.
---@return boolean
function Part:confirm(facts)
  if not self:matches(facts) then return false end
  if facts.total and not self.known.total then
    self.known.total = facts.total
    self:learn(self.known)
  end
  return true
end

---Begins anew.
function Part:forget()
  self.known = nil
  os.remove(self.state_name)
  self.file:truncate(0)
end

---Gives the file its final name, all of it or nothing.
---@return boolean? ok
---@return coreclaw.Error?
function Part:publish(overwrite, sync)
  local ok, why = self.file:publish(self.name, self.path, overwrite, sync)
  if not ok then return nil, part.error("cannot give " .. self.path .. " its name: " .. why) end
  self.published = true
  os.remove(self.state_name)
  return true
end

---Lets go of it. What nobody could go on with is removed.
function Part:close()
  if not self.published and not self:resumable() then
    os.remove(self.state_name)
    os.remove(self.name)
  end
  self.file:close()
end

return part
