--- Run logs: an excerpt in the answer, all of it behind a signed link on another origin.

local encode = require("coreclaw.sandbox.encode")
local links = require("coreclaw.sandbox.platform.links")
local paging = require("coreclaw.sandbox.handlers.paging")
local reply = require("coreclaw.sandbox.reply")
local run_handlers = require("coreclaw.sandbox.handlers.runs")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

-- Entries in the answer; the newest ones, for that is where the traceback is.
local EXCERPT = 100

local function entry_of(run, as_string)
  return function(entry)
    if as_string then
      return entry.content
    end
    return encode.fields("type", entry.type, "group", run.group, "content", entry.content, "timestamp", entry.timestamp)
  end
end

local function excerpt(run)
  local out = {}
  for i = math.max(1, #run.log - EXCERPT + 1), #run.log do
    out[#out + 1] = run.log[i]
  end
  return out
end

--- The answer's data; strings instead of objects where asked for.
function M.data(run, as_string)
  return encode.fields("all_logs_url", links.sign("log", run.slug), "list",
    paging.map(excerpt(run), entry_of(run, as_string)), "result_count", #run.rows)
end

function M.show(request)
  local run = run_handlers.of(request)
  return reply.ok(request, M.data(run, state.settings.log_format == "strings"))
end

local LEVELS = { "DEBUG", "INFO", "WARN", "ERROR" }

--- All of a run's log, as a file that links may lead to.
function M.whole(slug)
  local run = state.runs[slug]
  if not run then
    return nil
  end
  local out = {}
  for i, entry in ipairs(run.log) do
    out[i] = os.date("!%Y-%m-%dT%H:%M:%SZ ", math.floor(entry.timestamp / 1000)) .. LEVELS[entry.type] .. " "
      .. entry.content .. "\n"
  end
  return { text = table.concat(out), type = "text/plain; charset=utf-8", name = slug .. ".log" }
end

return M
