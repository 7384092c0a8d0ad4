-- Processes of a benchmark: commands, what runs beside us, and to which core each is pinned.
local M = {}

-- What is run must not be sent through a proxy, and must find programs of root.
local PREFIX = "unset LD_PRELOAD http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY; PATH=$PATH:/usr/sbin; "

---What a command prints, without the last newline.
function M.read(command)
  local pipe = assert(io.popen(PREFIX .. command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

---Runs a command that must not fail.
function M.run(command)
  assert(os.execute(PREFIX .. command), "bench: failed: " .. command)
end

---Is this program there?
function M.has(program)
  return M.read("command -v " .. program) ~= ""
end

local root
---The folder that we run in.
function M.root()
  root = root or M.read "pwd"
  return root
end

local cores
---Words before a command that pin it to a core, as far as there is one; nothing where there is no taskset.
function M.pinned(core)
  cores = cores or tonumber(M.read "nproc")
  if not core or not M.has "taskset" then return "" end
  return "taskset -c " .. math.min(core, cores - 1)
end

---A process that ends when the file that is returned is closed, or when we do.
function M.keep(command)
  return assert(io.popen(PREFIX .. command .. " </dev/null & pid=$!; cat >/dev/null; kill $pid; wait $pid", "w"))
end

---Waits until it is so; raises after ten seconds.
function M.await(is_so, otherwise)
  for _ = 1, 500 do
    if is_so() then return end
    os.execute "sleep 0.02"
  end
  error(otherwise, 0)
end

local Worker = {}
Worker.__index = Worker

---A process that does pieces of work: one line asks for one, one line answers. `env`: name=value words.
function M.worker(command, core, env)
  local fifo = M.read "mktemp -u"
  M.run("mkfifo " .. fifo)
  local self = setmetatable({ fifo = fifo }, Worker)
  self.answers = assert(io.popen(("%sexec %s env %s %s <%s 2>>build/bench/errors.log"):format(PREFIX, M.pinned(core), env, command, fifo)))
  self.work = assert(io.open(fifo, "w"))
  return self
end

---Asks for a piece of work; returns its figures, or nil and why there are none.
function Worker:ask(line)
  self.work:write(line, "\n")
  self.work:flush()
  local answer = self.answers:read "*l"
  if not answer then return nil, "the process ended" end
  if answer:find "^error " then return nil, answer:sub(7) end
  local figures = {}
  for name, value in answer:gmatch "(%w+)=(%S+)" do figures[name] = tonumber(value) end
  return figures
end

---Ends the process.
function Worker:close()
  pcall(self.work.write, self.work, "quit\n")
  self.work:close()
  self.answers:close()
  os.remove(self.fifo)
end

return M
