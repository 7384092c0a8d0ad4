--- Callbacks: after every change of a run's status its state is posted to its callback_url, in one of three forms.

local encode = require("coreclaw.sandbox.encode")
local fetch = require("coreclaw.sandbox.tools.fetch")
local money = require("coreclaw.sandbox.platform.money")
local runs = require("coreclaw.sandbox.platform.runs")
local state = require("coreclaw.sandbox.platform.state")

-- luacheck: globals ngx
local M = {}

local delivered = {}

local NUMBERS = { ready = 1, running = 2, succeeded = 3, failed = 4, aborting = 5, aborted = 5 }
local FINAL = { succeeded = true, failed = true, aborted = true }

local FORMS = {}

function FORMS.v1(run)
  return encode.fields("run_slug", run.slug, "status", NUMBERS[run.status], "results", #run.rows, "usage",
    money.text(run.usage))
end

local function modern(run)
  return encode.fields("run_status", run.status, "error_message", run.err_msg or "", "execution_start_timestamp",
    run.started_at, "execution_end_timestamp", run.finished_at, "running_duration", run.duration, "result_count",
    #run.rows, "result_message", run.status == "succeeded" and "done" or "")
end

function FORMS.v2(run)
  local body = modern(run)
  body.run_slug = run.slug
  return body
end

FORMS["v2-early"] = function(run)
  local body = modern(run)
  body.run_id = encode.integer(run.number)
  return body
end

local function deliver(message)
  local answer, trouble = fetch.fetch(message.url, {
    body = message.body,
    headers = { "Content-Type: application/json" },
    user_agent = "CoreClaw-Callback",
    follow = false,
    timeout = 10,
  })
  delivered[#delivered + 1] = {
    run_slug = message.run_slug,
    run_status = message.run_status,
    url = message.url,
    body = message.body,
    status = answer and answer.status,
    error = trouble,
  }
end

-- A run's callbacks go out one after the other, so that by themselves they arrive in their order.
local function drain(run)
  while run.outbox[1] do
    deliver(table.remove(run.outbox, 1))
  end
  run.posting = false
end

local function start_posting(run)
  if not run.posting then
    run.posting = true
    ngx.timer.at(0, function(premature)
      if not premature then
        drain(run)
      end
    end)
  end
end

-- Reversed: all is held back until the end is known, and goes out from the end.
local function enqueue(run, message)
  local settings = state.settings
  for _ = 1, settings.callback_copies do
    local place = settings.callback_order == "reversed" and 1 or #run.outbox + 1
    table.insert(run.outbox, place, message)
  end
  if settings.callback_order == "kept" or FINAL[run.status] then
    start_posting(run)
  end
end

local function on_change(run)
  if not run.callback_url or run.status == "ready" then
    return
  end
  run.outbox = run.outbox or {}
  local form = FORMS[state.settings.callback_variant or run.api]
  enqueue(run, {
    run_slug = run.slug,
    run_status = run.status,
    url = run.callback_url,
    body = encode.encode(form(run)),
  })
end

function M.begin()
  table.insert(runs.listeners, on_change)
end

--- Every delivery and every attempt at one.
function M.all()
  return delivered
end

return M
