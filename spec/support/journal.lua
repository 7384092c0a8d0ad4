-- A journal in a folder of its own, and processes that write to it.

local json = require "coreclaw.json"

local M = {}

function M.shell(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

function M.folder()
  return (M.shell "mktemp -d":gsub("%s+$", ""))
end

function M.read(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  return text
end

function M.append(path, text)
  local file = assert(io.open(path, "ab"))
  file:write(text)
  file:close()
end

---Every line of a journal that can be read, in order; and how many cannot.
function M.lines(path)
  local list, damaged = {}, 0
  for line in M.read(path):gmatch "[^\n]+" do
    local record = json.decode(line)
    if type(record) == "table" then list[#list + 1] = record else damaged = damaged + 1 end
  end
  return list, damaged
end

---The events of a journal, by name and number.
function M.events(path)
  local words = {}
  for i, record in ipairs((M.lines(path))) do words[i] = record.event end
  return table.concat(words, " ")
end

local function interpreter()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

---Starts spec/support/journal_child.lua; `before` is shell text in front of it, `env` its orders,
---`runner` a program to run it under.
---@return { pid: string, pipe: file* }  its first line has been read
function M.child(server, journal, env, before, runner)
  local words = { before or "", "exec", runner or "", "env" }
  words[#words + 1] = "URL=" .. server.url .. " KEY=" .. server.key .. " JOURNAL='" .. journal .. "'"
  for name, value in pairs(env or {}) do words[#words + 1] = name .. "='" .. tostring(value) .. "'" end
  words[#words + 1] = interpreter() .. " spec/support/journal_child.lua 2>&1"
  local pipe = assert(io.popen(table.concat(words, " ")))
  return { pipe = pipe, pid = pipe:read "*l" }
end

---What a child printed until its end.
function M.finish(child)
  local text = child.pipe:read "*a"
  child.pipe:close()
  return text
end

---A child from beginning to end.
function M.run(...)
  return M.finish(M.child(...))
end

function M.kill(child)
  os.execute("kill -9 " .. child.pid)
  return M.finish(child)
end

---Waits until fn says yes.
function M.eventually(fn)
  for _ = 1, 600 do
    if fn() then return true end
    os.execute "sleep 0.05"
  end
  return false
end

return M
