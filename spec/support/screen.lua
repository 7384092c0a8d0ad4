-- A pseudo-terminal with a program in it, driven through tmux: keys in, screen out.

local cli = require "spec.support.cli"
local coreclaw = require "coreclaw"

local screen = {}
screen.__index = screen

local started = 0

local function tmux(self, words)
  return cli.shell("env -u TMUX tmux -S " .. self.socket .. " -f /dev/null " .. words .. " 2>&1")
end

---Starts a shell command in a terminal of that size. When it has ended, "exit N" stands on the screen.
---@param dir string      a folder for the socket
---@param command string
---@param columns integer
function screen.start(dir, command, columns)
  -- A socket for each: a tmux that was told to end still answers there for a moment, and takes what is begun
  -- in it along.
  started = started + 1
  local self = setmetatable({ socket = dir .. "/tmux" .. started }, screen)
  local script = dir .. "/pane.sh"
  local file = assert(io.open(script, "w"))
  -- Ctrl-C reaches all of the terminal's foreground; the shell survives it.
  file:write("trap : INT\n", command, "\necho \"exit $?\"\nexec sleep 600\n")
  file:close()
  local said = tmux(self, ("new-session -d -x %d -y 40 'exec sh %s'"):format(columns, script))
  assert(said == "", said)
  return self
end

---What stands on the screen.
function screen:text()
  return tmux(self, "capture-pane -p"):gsub("\n+$", "") .. "\n"
end

---Waits until the screen shows a pattern; returns its text.
function screen:wait_for(pattern)
  local text
  for _ = 1, 400 do
    text = self:text()
    if text:find(pattern) then return text end
    coreclaw.sleep(0.1)
  end
  error("never came: " .. pattern .. " on:\n" .. text, 2)
end

function screen:press(key)
  tmux(self, "send-keys " .. key)
end

function screen:stop()
  tmux(self, "kill-server")
end

return screen
