-- A light client of an nginx: many requests at a time, and probes whose time is taken.
local core = require "coreclaw.core"

local Traffic = {}
Traffic.__index = Traffic

local M = {}

function M.new(server)
  local limits = { max_connections = 1000, max_host_connections = 1000 }
  return setmetatable({
    base = ("http://127.0.0.1:%d"):format(server.port), engine = core.engine(limits), timeout = 60, sent = {}, answers = {},
  }, Traffic)
end

---Sends, and does not wait.
function Traffic:send(path)
  local id = self.engine:submit { url = self.base .. path, timeout = self.timeout, proxy = "" }
  self.sent[id] = core.now()
  return id
end

function Traffic:send_many(path, n)
  local ids = {}
  for i = 1, n do ids[i] = self:send(path) end
  return ids
end

---Looks what has come, for at most so long.
function Traffic:look(seconds)
  self.engine:wait(seconds)
  for id, status, body in function() return self.engine:next() end do
    self.answers[id] = { status = status, body = status and body, seconds = core.now() - self.sent[id] }
  end
end

function Traffic:pass(seconds)
  local deadline = core.now() + seconds
  while core.now() < deadline do self:look(deadline - core.now()) end
end

function Traffic:wait(id)
  while not self.answers[id] do self:look(1) end
  return self.answers[id]
end

---The body, or why there is none.
function Traffic:get(path)
  local answer = self:wait(self:send(path))
  return answer.status == 200 and answer.body or ("%s %s"):format(tostring(answer.status), tostring(answer.body))
end

---All bodies, each once: body → how often.
function Traffic:bodies(ids)
  local counts = {}
  for _, id in ipairs(ids) do
    local answer = self:wait(id)
    local body = answer.status == 200 and answer.body or tostring(answer.status)
    counts[body] = (counts[body] or 0) + 1
  end
  return counts
end

---Hangs up.
function Traffic:drop(id)
  self.engine:cancel(id)
end

local function all_there(self, ids)
  for _, id in ipairs(ids) do
    if not self.answers[id] then return false end
  end
  return true
end

---Until all of `ids` are there, `path` is asked for every few milliseconds.
---@return table  n, median, max: seconds
function Traffic:probe(path, ids)
  local times = {}
  while not all_there(self, ids) do
    local id = self:send(path)
    times[#times + 1] = self:wait(id).seconds
    self:pass(0.003)
  end
  table.sort(times)
  return { n = #times, median = times[math.ceil(#times / 2)], max = times[#times] }
end

function Traffic:close()
  self.engine:close()
end

return M
