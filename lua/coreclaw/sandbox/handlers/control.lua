--- The hand on the sandbox from outside: POST /_sandbox/<verb> with the secret that start made. JSON both ways.

local callbacks = require("coreclaw.sandbox.platform.callbacks")
local clock = require("coreclaw.sandbox.platform.clock")
local codec = require("coreclaw.sandbox.codec")
local encode = require("coreclaw.sandbox.encode")
local faults = require("coreclaw.sandbox.faults")
local recorder = require("coreclaw.sandbox.recorder")
local state = require("coreclaw.sandbox.platform.state")

-- luacheck: globals ngx
local M = {}

local VERBS = {}

function VERBS.requests()
  return encode.list(recorder.all())
end

function VERBS.reset_requests()
  recorder.reset()
  return true
end

function VERBS.paid()
  local out = {}
  for i, entry in ipairs(state.paid) do
    out[i] = encode.fields("operation", entry.operation, "worker", entry.worker, "run_slug", entry.run_slug, "input",
      entry.input and encode.raw(entry.input), "intent", entry.worker .. " " .. (entry.input or "{}"))
  end
  return encode.list(out)
end

function VERBS.fault(arguments)
  return faults.add(arguments)
end

function VERBS.faults()
  return encode.list(faults.all())
end

function VERBS.clear_faults()
  faults.clear()
  return true
end

-- All faults at once, in place of those before: one call for each trial of a campaign.
function VERBS.set_faults(arguments)
  faults.clear()
  for _, spec in ipairs(arguments.list or {}) do
    faults.add(spec)
  end
  return true
end

-- What has been made, in short: paid runs and queue items from a number on, and saved tasks.
function VERBS.ledger(arguments)
  local paid, items, saved = {}, {}, {}
  for i = (arguments.paid or 0) + 1, #state.paid do
    local entry = state.paid[i]
    paid[#paid + 1] = encode.fields("operation", entry.operation, "input", entry.input, "run_slug", entry.run_slug)
  end
  for _, item in ipairs(state.queue) do
    if tonumber(item.ref) > (arguments.queue or 0) then
      items[#items + 1] = encode.fields("ref", item.ref, "input", item.order.input)
    end
  end
  for i = (arguments.tasks or 0) + 1, #state.task_list do
    saved[#saved + 1] = encode.fields("slug", state.task_list[i].slug, "title", state.task_list[i].title)
  end
  return encode.fields("paid", encode.list(paid), "queue", encode.list(items), "tasks", encode.list(saved))
end

function VERBS.callbacks()
  return encode.list(callbacks.all())
end

function VERBS.advance(arguments)
  if type(arguments.seconds) ~= "number" or arguments.seconds < 0 then
    error("seconds must be a number of at least 0", 0)
  end
  return clock.advance(arguments.seconds)
end

function VERBS.time()
  return clock.now()
end

local function send(status, fields)
  local body = encode.encode(fields)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json; charset=utf-8"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

function M.serve()
  ngx.req.read_body()
  if ngx.req.get_headers()["sandbox-secret"] ~= state.settings.secret then
    return send(403, encode.fields("error", "the header sandbox-secret is missing or wrong"))
  end
  local verb = VERBS[ngx.var.uri:match("^/_sandbox/(.*)$")]
  if not verb or ngx.req.get_method() ~= "POST" then
    return send(404, encode.fields("error", "no such control"))
  end
  local body = ngx.req.get_body_data() or "{}"
  local arguments, message = codec.decode(body)
  if type(arguments) ~= "table" then
    return send(400, encode.fields("error", message or "expected an object"))
  end
  local ok, result = pcall(verb, arguments)
  if not ok then
    return send(400, encode.fields("error", tostring(result)))
  end
  return send(200, encode.fields("result", result))
end

return M
