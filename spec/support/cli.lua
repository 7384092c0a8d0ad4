-- The command line as a child process: what it prints on either side, and how it ends.

local cli = {}

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- What a shell prints, with the last line's end taken away.
function cli.shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("\n$", ""))
end

-- The Lua that runs this spec.
function cli.lua()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

---A home for the processes of a spec: no settings of whoever runs it reach them.
---@param server table?  the sandbox that they talk to
function cli.new(server)
  local self = { dir = cli.shell "mktemp -d", server = server, all = {} }
  return setmetatable(self, { __index = cli })
end

function cli:close()
  cli.shell("rm -rf " .. self.dir)
end

---Writes a file into the home; returns its path.
function cli:file(name, text, mode)
  local path = self.dir .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  cli.shell(("chmod %s %s"):format(mode or "600", path))
  return path
end

function cli:read(name)
  return slurp(self.dir .. "/" .. name)
end

---The environment as words for a shell. `env` overrides; false takes away.
function cli:environment(env)
  local all = { HOME = self.dir, XDG_CONFIG_HOME = false, CORECLAW_PROFILE = false, CORECLAW_PROFILES = false }
  all.CORECLAW_API_KEY = self.server and self.server.key or false
  all.CORECLAW_BASE_URL = self.server and self.server.url or false
  for name, value in pairs(env or {}) do all[name] = value end
  local unset, set = {}, {}
  for name, value in pairs(all) do
    if value then set[#set + 1] = name .. "='" .. value .. "'" else unset[#unset + 1] = "-u " .. name end
  end
  return "env " .. table.concat(unset, " ") .. " " .. table.concat(set, " ")
end

---How the program is called in a tree.
function cli.program()
  return cli.lua() .. " lua/coreclaw/cli/main.lua"
end

---Runs a command to its end.
---@param words string  as for a shell
---@param options { env: table?, stdin: string?, stdout: string?, before: string? }?
---@return { out: string, err: string, code: integer }
function cli:run(words, options)
  options = options or {}
  local stdin = options.stdin and " <" .. self:file("stdin", options.stdin) or " </dev/null"
  local code = cli.shell(("%s %s %s %s %s >%s 2>%s/err; echo $?"):format(options.before or "",
    self:environment(options.env), cli.program(), words, stdin, options.stdout or self.dir .. "/out", self.dir))
  local result = { out = options.stdout and "" or self:read "out", err = self:read "err", code = tonumber(code) }
  self.all[#self.all + 1] = result.out .. result.err
  return result
end

---Runs a command that must succeed; returns what it printed.
function cli:ok(words, options)
  local result = self:run(words, options)
  if result.code ~= 0 then
    error(("coreclaw %s ended with %d:\n%s%s"):format(words, result.code, result.out, result.err), 2)
  end
  return result.out, result.err
end

---Starts a command in the background. Its output is in the files `name`.out and `name`.err; the last line of
---`name`.out will be "exit N".
---@return integer pid
function cli:start(name, words, env)
  cli.shell(([[{ %s %s %s </dev/null >%s/%s.out 2>%s/%s.err & echo $! >%s/%s.pid; wait $!;
    echo "exit $?" >>%s/%s.out; } >/dev/null 2>&1 &]]):format(self:environment(env), cli.program(), words, self.dir,
    name, self.dir, name, self.dir, name, self.dir, name))
  return tonumber((self:wait_for(name .. ".pid", "%d+\n")))
end

---Waits until a file of the home holds a pattern; generous, for the machine may have much to do.
function cli:wait_for(name, pattern)
  local coreclaw = require "coreclaw"
  local text
  for _ = 1, 1200 do
    local file = io.open(self.dir .. "/" .. name, "rb")
    text = file and file:read "*a" or ""
    if file then file:close() end
    if text:find(pattern) then return text end
    coreclaw.sleep(0.05)
  end
  error("never came: " .. pattern .. " in " .. name .. ":\n" .. text, 2)
end

return cli
