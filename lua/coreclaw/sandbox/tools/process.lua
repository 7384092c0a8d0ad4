--- Runs a program beside nginx without stopping the world: it writes into a folder of its own, and we look
-- there. (The pipe API of the Lua module needs a patch that Debian's nginx does not have.)

local ffi = require("ffi")
local state = require("coreclaw.sandbox.platform.state")

-- luacheck: globals ngx
local M = {}

pcall(ffi.cdef, "int close_range(unsigned int first, unsigned int last, int flags);")
pcall(ffi.cdef, "int kill(int pid, int sig);")

local CLOSE_RANGE_CLOEXEC = 4

-- A child that kept a copy of a client's connection would keep it open after we closed it.
local function keep_descriptors_private()
  pcall(function()
    return ffi.C.close_range(3, 0x7fffffff, CLOSE_RANGE_CLOEXEC)
  end)
end

function M.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function words(argv)
  local out = {}
  for i, word in ipairs(argv) do
    out[i] = M.quote(word)
  end
  return table.concat(out, " ")
end

-- $1 is the folder; `rc` appears, in one move, when all is written.
local SCRIPT = [[cd %s || exit 1
( exec >out 2>err; %s <in & echo $! >pid; wait $!; echo $? >rc.new; mv rc.new rc ) </dev/null >/dev/null 2>&1 &]]

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text
end

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close()
end

local counter = 0

local function spawn(argv, input)
  counter = counter + 1
  local folder = state.settings.dir .. "/process/" .. counter
  os.execute("mkdir -p " .. M.quote(folder))
  write(folder .. "/in", input or "")
  keep_descriptors_private()
  os.execute(SCRIPT:format(M.quote(folder), words(argv)))
  return folder
end

local function kill(folder)
  local pid = tonumber(read(folder .. "/pid"))
  if pid then
    ffi.C.kill(pid, 15)
  end
end

-- Quick programs are seen quickly, slow ones do not cost a look every millisecond.
local function await(folder, stop)
  local pause = 0.002
  while not exists(folder .. "/rc") do
    if stop and stop() then
      kill(folder)
      stop = nil
    end
    ngx.sleep(pause)
    pause = math.min(pause * 1.3, 0.03)
  end
end

---@param argv string[]
---@param options? { input?: string, stop?: fun(): boolean }
---@return integer code, string out, string err
function M.run(argv, options)
  options = options or {}
  local folder = spawn(argv, options.input)
  await(folder, options.stop)
  local code, out, err = tonumber(read(folder .. "/rc")), read(folder .. "/out"), read(folder .. "/err")
  os.execute("rm -rf " .. M.quote(folder))
  return code, out, err
end

return M
