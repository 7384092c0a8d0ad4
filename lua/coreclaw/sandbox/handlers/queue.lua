--- The run queue. Answers carry an outcome for each item; the code is 0 even when single items failed.

local encode = require("coreclaw.sandbox.encode")
local paging = require("coreclaw.sandbox.handlers.paging")
local queue = require("coreclaw.sandbox.platform.queue")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local starts = require("coreclaw.sandbox.handlers.starts")

local M = {}

function M.add(request)
  local worker = registry.find(request.id.workerId)
  if not worker then
    reply.fail("worker_unknown")
  end
  starts.check_input(worker, request.fields.version, request.raw.input)
  local item = queue.add({
    account = request.account,
    worker = worker,
    version = request.fields.version,
    input = request.raw.input,
    callback_url = request.fields.callback_url,
    operation = request.operation,
  })
  return reply.ok(request, encode.fields("queued", true, "queue_ref", item.ref, "queue_status", item.status))
end

local function listed(item)
  local worker = item.order.worker
  return encode.fields("queue_ref", item.ref, "queue_status", item.status, "worker_slug", worker.slug, "worker_title",
    worker.title, "version", item.order.version or worker.version, "created_at", item.created_at)
end

function M.list(request)
  local query = request.query
  local found = queue.select(request.account, query.status)
  local list = paging.map(paging.slice(found, query.offset, query.limit), listed)
  return reply.ok(request, encode.fields("count", #found, "list", list))
end

local function outcomes(request, refs, fn)
  local list = paging.map(refs, function(ref)
    local message = fn(ref)
    return encode.fields("queue_ref", ref, "success", message == nil, "error", message)
  end)
  return reply.ok(request, encode.fields("results", list))
end

local WORDS = {
  not_found = "queue item not found",
  plan_limit = "the current running tasks have reached the plan limit",
  no_balance = "insufficient balance",
  no_traffic = "insufficient traffic",
}

function M.activate(request)
  local refs, started, limited = request.fields.queue_refs or {}, 0, 0
  local function activate(ref)
    local run, refusal = queue.activate(request.account, ref)
    started = started + (run and 1 or 0)
    limited = limited + (refusal == "plan_limit" and 1 or 0)
    return WORDS[refusal]
  end
  local answer = outcomes(request, refs, activate)
  -- Not one could be started because the plan is full: that is the answer.
  if started == 0 and limited > 0 and limited == #refs then
    reply.fail("plan_limit")
  end
  return answer
end

local function release(request, refs)
  return outcomes(request, refs, function(ref)
    return not queue.release(request.account, ref) and WORDS.not_found or nil
  end)
end

function M.release(request)
  return release(request, request.fields.queue_refs or {})
end

function M.release_one(request)
  return release(request, { request.id.queueId })
end

return M
