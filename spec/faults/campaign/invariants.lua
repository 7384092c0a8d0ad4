-- What must hold of every trial, at once or by the sandbox's books.

local core = require "coreclaw.core"
local errors = require "coreclaw.errors"

local paid = require "spec.faults.campaign.paid"

local invariants = {}

local SENT = { no = true, refused = true, unknown = true, yes = true }

-- Every call ends by its deadline plus a second.
invariants.GRACE = 1

---Violations of a trial are sentences in its list.
function invariants.violate(trial, format, ...)
  trial.violations[#trial.violations + 1] = format:format(...)
end

local violate = invariants.violate

local function check_unknown(trial, err)
  if err.sent ~= "unknown" then violate(trial, "unknown_outcome with sent = %s", tostring(err.sent)) end
  local window = err.window
  if type(window) ~= "table"
    or window.from > math.ceil(trial.began_at) or window.from < math.floor(trial.began_at)
    or window.to < math.floor(trial.ended_at) then
    violate(trial, "unknown_outcome without the window of the call")
  end
  if not errors.is(err.cause) then violate(trial, "unknown_outcome without a cause") end
  local path = err.path or {}
  if trial.kind.runs and not (path.workerId or path.runId or path.workerTaskId) then
    violate(trial, "unknown_outcome that tells neither Worker nor task nor run")
  end
end

-- What holds of any error.
local function check_error(trial, err)
  if not errors.is(err) then return violate(trial, "no error object: %s", tostring(err)) end
  if not errors.kinds[err.kind] then violate(trial, "unknown kind %s", tostring(err.kind)) end
  if not SENT[err.sent] then violate(trial, "sent is %s", tostring(err.sent)) end
  if type(err.retryable) ~= "boolean" then violate(trial, "retryable is %s", tostring(err.retryable)) end
  local text = tostring(err)
  if text:find(trial.box.key, 1, true) then violate(trial, "the key stands in: %s", text) end
  if err.kind == "unknown_outcome" then check_unknown(trial, err) end
end

---What can be said when the call has ended: its time, and its error.
function invariants.at_once(trial, err)
  local took = trial.ended - trial.began
  if took > trial.timeout * (trial.kind.calls or 1) + invariants.GRACE then
    violate(trial, "took %.3f s of %.3f", took, trial.timeout)
  end
  if err ~= nil then check_error(trial, err) end
  if trial.cannot_leave and not trial.kind.many and not (err and err.sent == "no") then
    violate(trial, "nothing could leave, but sent = %s", tostring(err and err.sent))
  end
  if trial.must_succeed and err ~= nil then violate(trial, "no fault, but: %s", tostring(err)) end
end

---What a paid call says, before the books are looked at.
function invariants.said(trial, result, err)
  local verdict, why = paid.verdict(trial, result, err)
  trial.verdict = verdict
  if not verdict then return violate(trial, "%s", why) end
  if verdict == "unknown" and err and err.kind ~= "unknown_outcome" and not trial.kind.booked then
    violate(trial, "unknown, but of kind %s", err.kind)
  end
  if verdict == "done" and result ~= nil then
    trial.slug = paid.run_of(trial, result)
    trial.slug = trial.slug or (trial.kind.book == "tasks" and result.slug) or (trial.kind.book == "queue" and result.queue_ref)
  elseif err and err.run and verdict == "done" and trial.kind.runs then
    trial.slug = err.run.slug
  end
end

---The intents of a trial that has several: each as a trial of its own, with the same violations.
function invariants.parts(trial, items)
  local list = {}
  for i = 1, trial.parts do
    local item = items[i] or {}
    local part = setmetatable({ intent = trial.intent .. "_" .. i, whole = trial }, { __index = trial })
    local result = not item.err and item.run or nil
    part.told = result and "success" or tostring(item.err)
    if item.err then check_error(part, item.err) end
    if trial.cannot_leave and not (item.err and item.err.sent == "no") then violate(trial, "item %d has left", i) end
    if trial.must_succeed and not result then violate(trial, "no fault, but: %s", part.told) end
    invariants.said(part, result, item.err)
    list[i] = part
  end
  return list
end

-- ---- the books --------------------------------------------------------------------------------

local function intent_of(text)
  return type(text) == "string" and text:match "intent%-[%d_]+" or "nobody"
end

---Notes entries of the books by what they stand for: book, operation, intent.
---@param found table<string, string[]>
---@param ledger table  of all that was made since the last look
function invariants.note(found, ledger)
  local function note(key, id)
    found[key] = found[key] or {}
    table.insert(found[key], id)
  end
  for _, entry in ipairs(ledger.paid) do
    note("paid " .. entry.operation .. " " .. intent_of(entry.input), entry.run_slug)
  end
  for _, entry in ipairs(ledger.queue) do note("queue " .. intent_of(entry.input), entry.ref) end
  for _, entry in ipairs(ledger.tasks) do note("tasks " .. intent_of(entry.title), entry.slug) end
end

local function key_of(trial)
  if trial.kind.book then return trial.kind.book .. " " .. trial.intent end
  return "paid " .. (trial.kind.booked or trial.kind.operation) .. " " .. trial.intent
end

local WANTED = { ["done"] = { 1, 1 }, ["not done"] = { 0, 0 }, ["unknown"] = { 0, 1 } }

local function check_reconciled(trial, ids)
  if not trial.reconciled then return end
  if trial.reconciled ~= ids[1] then
    violate(trial, "reconcile gave run %s, but it was %s", trial.reconciled, tostring(ids[1]))
  end
end

---What the books say of trials that have ended.
---@param trials table[]  of the kind that makes something
---@param found table     of `invariants.note`
function invariants.books(trials, found)
  for _, trial in ipairs(trials) do
    local ids, wanted = found[key_of(trial)] or {}, WANTED[trial.verdict] or { 0, 1 }
    trial.made = #ids
    if trial.whole then trial.whole.made = (trial.whole.made or 0) + #ids end
    if #ids < wanted[1] or #ids > wanted[2] then
      violate(trial, "%s was said (%s), but it happened %d times", tostring(trial.verdict), trial.told, #ids)
    end
    if trial.slug and ids[1] and trial.slug ~= ids[1] then
      violate(trial, "it gave %s, but it was %s", trial.slug, ids[1])
    end
    check_reconciled(trial, ids)
  end
end

---Seconds since when nothing matters, for windows.
invariants.now = core.now

return invariants
