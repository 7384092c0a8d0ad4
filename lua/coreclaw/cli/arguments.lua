--- From words to a command and its options, by lua-argparse. Commands are data: see commands/.

local commands = require "coreclaw.cli.commands"
local core = require "coreclaw.core"
local exit = require "coreclaw.cli.exit"

local arguments = {}

local MISSING = "the command line needs argparse: install lua-argparse (Debian: apt install lua-argparse; "
  .. "otherwise: luarocks install argparse)"

---A converter for seconds and counts.
local function number_of(what, least, whole)
  return function(text)
    local value = tonumber(text)
    if not value or value ~= value or value < least or (whole and value % 1 ~= 0) then
      return nil, "'" .. text .. "' is not " .. what
    end
    return value
  end
end

-- What `type` of an option may be.
local TYPES = {
  seconds = number_of("a number of seconds", 0),
  count = number_of("a whole number, 1 or more", 1, true),
}

-- Options of every command.
local COMMON = {
  { "--json", "One JSON document on stdout", flag = true },
  { "--jsonl", "A line of JSON for each item", flag = true },
  { "-q --quiet", "No progress, no hints; of one run, task or item only its id", flag = true },
  { "-v --verbose", "Tell of each request, on stderr", flag = true },
  { "--key-file", "File (mode 0600) whose first line is the API key; - is stdin", argname = "FILE" },
  { "--profile", "Settings of that name in the profile file (mode 0600)", argname = "NAME" },
  { "--base-url", "Instead of CORECLAW_BASE_URL and the platform", argname = "URL" },
  { "--api", "Version of the API", choices = { "v2", "v1" } },
  { "--attempts", "Requests for one read, repeats included (default 5)", argname = "N", type = "count" },
  { "--ca-file", "CA bundle, PEM", argname = "FILE" },
  { "--journal", "File in which paid calls are noted before they are sent", argname = "FILE" },
}

local EPILOG = [[
The API key is taken from --key-file, else from the profile that --profile names, else from CORECLAW_API_KEY, else
from the profile CORECLAW_PROFILE or "default" in ~/.config/coreclaw/profiles.json. It never is an argument.
RUN is a run's id, or `last`.

]]

-- Sets what the entry names beside its name and its words: args, argname, choices, default, …
local function refine(element, entry)
  for name, value in pairs(entry) do
    if name == "type" then
      element:convert(TYPES[value])
    elseif type(name) == "string" and name ~= "flag" then
      element[name](element, value)
    end
  end
end

local function add_options(parser, list)
  local added = {}
  for i, entry in ipairs(list or {}) do
    added[i] = entry.flag and parser:flag(entry[1], entry[2]) or parser:option(entry[1], entry[2])
    refine(added[i], entry)
  end
  return added
end

local add_commands

local function add_command(parser, definition)
  local command = parser:command(definition.name, definition.summary)
  for _, entry in ipairs(definition.arguments or {}) do
    refine(command:argument(entry[1], entry[2]), entry)
  end
  add_options(command, definition.options)
  command:epilog "Options of every command, where the key comes from, and exit codes: coreclaw --help"
  if definition.commands then add_commands(command, definition.commands, definition.name .. "_command") end
end

function add_commands(parser, list, target)
  parser:command_target(target)
  for _, definition in ipairs(list) do add_command(parser, definition) end
end

-- The definition that the words have named.
local function chosen(list, options, target)
  for _, definition in ipairs(list) do
    if definition.name == options[target] then
      if not definition.commands then return definition end
      return chosen(definition.commands, options, definition.name .. "_command")
    end
  end
end

---The parser; nil and a message where argparse is not installed.
---@return table?
---@return string?
function arguments.parser()
  local ok, argparse = pcall(require, "argparse")
  if not ok then return nil, "coreclaw: " .. MISSING end
  local parser = argparse("coreclaw", "Runs Workers of CoreClaw, and brings their rows.", EPILOG .. exit.help())
  parser:add_help { name = "-h --help", description = "Show this help" }
  parser:help_max_width(100)
  local common = add_options(parser, COMMON)
  parser:mutex(common[1], common[2])
  parser:flag("-V --version", "Show the version"):action(function()
    print("coreclaw " .. core.version)
    os.exit(0)
  end)
  add_commands(parser, commands, "command")
  parser:add_help_command { name = "help", description = "Show this help, or that of a command" }
  return parser
end

---Reads the words.
---@param words string[]
---@return table? command   its definition
---@return table|string options  or what is wrong
function arguments.parse(words)
  local parser, missing = arguments.parser()
  if not parser then return nil, missing end
  local wrong
  parser.error = function(active, message)
    wrong = active:get_usage() .. "\n\ncoreclaw: " .. message
    error(wrong, 0)
  end
  local ok, options = pcall(parser.parse, parser, words)
  if not ok then
    if wrong then return nil, wrong end
    error(options, 0)
  end
  options.parser = parser
  return chosen(commands, options, "command"), options
end

return arguments
