--- What a command works with: options, client, output, progress.

local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local failure = require "coreclaw.cli.failure"
local output = require "coreclaw.cli.output"
local profile = require "coreclaw.cli.profile"
local progress = require "coreclaw.cli.progress"

---@class coreclaw.cli.Context
---@field command table        its definition
---@field options table        of the command line
---@field words string[]       as they came
---@field out coreclaw.cli.Output
---@field progress coreclaw.cli.Progress
---@field run coreclaw.Run?    that is waited for: what Ctrl-C is about
---@field starting string?     what is being started right now, in words
---@field paying boolean?      see `patience`
---@field refused boolean?     what is being started was not, so far
---@field lost boolean?        a try of it got no answer
---@field bought boolean?      it was started, and paid for
---@field start_error coreclaw.Error?  it was not, as far as is known
---@field aborting string?     what became of an abort that was asked for, in words
---@field waiting boolean?     trouble from now on does not end the run
---@field resume (fun(run: coreclaw.Run): string[])?  words of the command that goes on; default: those of `wait`
---@field looking string[]?    words of the command that shows what may have been started
---@field many (fun(again: fun(ctx: table): boolean): integer)?  what to do instead after a Ctrl-C
---@field again boolean?       the same command goes on where it was interrupted
local Context = { __name = "coreclaw.cli.Context" }
Context.__index = Context

local context = {}

---@return coreclaw.cli.Context
function context.new(command, options, words)
  local mode = options.json and "json" or options.jsonl and "jsonl" or "table"
  return setmetatable({
    command = command, options = options, words = words,
    out = output.new(mode, io.stdout, core.terminal(1), options.quiet),
    progress = progress.new(io.stderr, not options.quiet and core.terminal(2) or nil),
  }, Context)
end

---A line for a person, on stderr.
function Context:say(format, ...)
  self.progress:note(select("#", ...) > 0 and format:format(...) or format)
end

---The same where a person looks: hints.
function Context:hint(format, ...)
  if self.progress.width then self:say(format, ...) end
end

---Waits between two requests. Before a start is repeated nothing of it is on its way: there the first Ctrl-C is
---heard at once. The platform has done nothing, unless an answer was lost.
---@param seconds number
function Context:sleep(seconds)
  if not self.paying then return self.progress:sleep(seconds) end
  self.refused = not self.lost
  core.catch_interrupts(0)
  self.progress:sleep(seconds)
  core.catch_interrupts(1)
  self.refused = false
end

-- Tells of each request; the library has masked the key.
local function loud(ctx, settings)
  settings.on_request = function(event)
    ctx:say("> %s %s", event.method or "", event.url or event.operation or "")
  end
  settings.on_response = function(event)
    ctx:say("< %s %s", event.operation or "", tostring(event.status or event.error or event.err or ""))
  end
end

---Settings for `coreclaw.new`, without a request.
---@param of_key table?  those that belong to the key; default: as profile.lua finds them
---@return table
---@return string? source  of the key
---@return string? without  the profile that has none
function Context:settings(of_key)
  local options = self.options
  local settings, source, without = of_key, nil, nil
  if not settings then settings, source, without = profile.settings(options) end
  settings.base_url = options.base_url or settings.base_url
  settings.api = options.api or settings.api
  settings.ca_file = options.ca_file or settings.ca_file
  settings.journal = options.journal
  if options.poll then settings.poll_intervals = { options.poll } end
  settings.clock = { now = core.now, sleep = function(seconds) self:sleep(seconds) end }
  settings.on_warning = function(message) self:say("coreclaw: %s", message) end
  if options.attempts then settings.retry = { attempts = options.attempts } end
  settings.on_retry = function(event)
    if self.starting and event.method ~= "GET" and event.error.sent == "unknown" then self.lost = true end
    self:hint("%s; trying again in %.1f s", tostring(event.error), event.delay)
  end
  if options.verbose then loud(self, settings) end
  return settings, source, without
end

---The client, made when it is first wanted.
---@return coreclaw.Client
function Context:client()
  if not self.made then self.made = coreclaw.new(self:settings()) end
  return self.made
end

---A handle of the run that an argument names; `last` is the account's newest, looked up once.
---@param text string
---@return coreclaw.Run
function Context:run_of(text)
  if text ~= "last" then return self:client():run(text) end
  local run = self:check(self:client():last_run())
  self:hint("run %s", run.slug)
  return run
end

---The value, or the command ends with the error.
function Context.check(_, value, err)
  if value == nil or value == false then error(err, 0) end
  return value
end

---While paid calls are made, the first Ctrl-C ends a pause between two requests, but no request.
---@param on boolean
function Context:patience(on)
  self.paying = on
  core.catch_interrupts(on and 1 or 0)
end

---Makes what is paid for: says so should it be interrupted, and makes the first Ctrl-C wait for the answer.
---@param what string  in words
---@param fn fun(): any, coreclaw.Error?
function Context:pay(what, fn)
  self:patience(true)
  self.starting = what
  self.progress:show(what)
  local value, err = fn()
  self.progress:clear()
  self.starting, self.lost = nil, nil
  self:patience(false)
  self.bought, self.start_error = value ~= nil, err
  return self:check(value, err)
end

---A file or stdin, whole.
---@param path string  "-" is stdin
---@return string
function context.read(path)
  local file, why = io.stdin, nil
  if path ~= "-" then file, why = io.open(path, "rb") end
  local text
  if file then text, why = file:read "*a" end
  if path ~= "-" and file then
    file:close()
    why = path .. ": " .. tostring(why or "nothing can be read")
  end
  if not text then failure.raise("file", tostring(why)) end
  return text
end

return context
