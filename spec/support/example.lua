-- Runs examples as a person does: a process of its own, with key and address in the environment.
local cli = require "spec.support.cli"

local M = { shell = cli.shell, lua = cli.lua }

--- Has this Lua that module? Asked in another process: one that is loaded here would change how calls wait.
function M.has(module)
  return M.shell(("%s -e 'require \"%s\"' > /dev/null 2>&1; echo $?"):format(M.lua(), module)) == "0"
end

--- For a shell.
function M.quoted(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

function M.read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function environment(server, more)
  local list = { "CORECLAW_API_KEY=" .. server.key, "CORECLAW_BASE_URL=" .. server.url }
  for name, value in pairs(more or {}) do list[#list + 1] = name .. "=" .. M.quoted(value) end
  return table.concat(list, " ")
end

--- The command that runs a file of examples/, with its clients polling quickly.
function M.command(server, name, arguments, env)
  local words = {}
  for i, word in ipairs(arguments or {}) do words[i] = M.quoted(word) end
  return ("%s %s -l spec.support.quick examples/%s %s"):format(environment(server, env), M.lua(), name,
    table.concat(words, " "))
end

--- What it prints on stdout, its exit code, and what on stderr. `input`: a file.
function M.run(server, name, arguments, options)
  options = options or {}
  local err = os.tmpname()
  local output = M.shell(("timeout -s KILL 60 env %s < %s 2> %s; echo \"exit $?\""):format(
    M.command(server, name, arguments, options.env), options.input or "/dev/null", err))
  local said = M.read(err)
  os.remove(err)
  local out, code = output:match "^(.-)exit (%d+)$"
  return out, tonumber(code), said
end

--- Waits until fn returns something. Generous: the machine may have much to do.
function M.eventually(fn, what)
  local coreclaw = require "coreclaw"
  for _ = 1, 200 do
    local value = fn()
    if value then return value end
    coreclaw.sleep(0.2)
  end
  error("never came: " .. (type(what) == "function" and what() or what), 2)
end

return M
