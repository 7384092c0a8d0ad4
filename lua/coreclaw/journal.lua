--- The journal of paid calls: `journal = path` of coreclaw.new.
--
-- Before anything of a paid call is sent, what is meant is on the disk; what came of it, after. So
-- whatever happens to this process in between, `client:recover()` knows where to look. One line of
-- JSON for each event; many processes may write to one file. Neither the key nor the input is in it.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local digest = require "coreclaw.journal.digest"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local owner = require "coreclaw.journal.owner"

local journal = {}

-- Paths whose folders this process has put on the disk.
local synced = {}

-- What an answer may name, and what that of an operation must name: without it the outcome is unknown.
local HANDLES = { "run_slug", "queue_ref", "slug" }
local EXPECTED = {
  runWorker = "run_slug", runWorkerTask = "run_slug", rerunWorkerRun = "run_slug",
  rerunLastWorkerRun = "run_slug", rerunWorkerLastRun = "run_slug",
  queuedRunWorker = "queue_ref", createWorkerTask = "slug",
}

-- Fields that are ours alone. The others come from callers and the platform, and may hold the key.
local OURS = { event = true, at = true, ends = true, id = true, pid = true, process = true, kind = true, code = true }

local hostname

local function host()
  if hostname then return hostname end
  local file = io.open("/proc/sys/kernel/hostname")
  hostname = file and file:read "*l" or os.getenv "HOSTNAME" or "?"
  if file then file:close() end
  return hostname
end

local function stamp(time)
  local whole = math.floor(time)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. string.format(".%03dZ", math.floor((time - whole) * 1000))
end

-- Sorts by time, and no two processes make the same.
local function new_id()
  return string.format("%.0f-%06x%06x", core.time() * 1000, math.floor(core.random() * 2 ^ 24),
    math.floor(core.random() * 2 ^ 24))
end

local function mask(value, key)
  if type(value) == "string" then return errors.mask(value, key) end
  if type(value) ~= "table" then return value end
  local out = {}
  for name, item in pairs(value) do out[name] = mask(item, key) end
  return out
end

-- The fields in the order given, so that people find them.
local function line_of(client, fields)
  local key, parts = config.secret(client.settings), {}
  for _, field in ipairs(fields) do
    if field[2] ~= nil then
      local value = OURS[field[1]] and field[2] or mask(field[2], key)
      parts[#parts + 1] = json.encode(field[1]) .. ":" .. json.encode(value)
    end
  end
  return "{" .. table.concat(parts, ",") .. "}\n"
end

-- One line on the disk. -> true | nil, error
local function append(client, fields)
  local path = client.settings.journal
  local ok, why = core.append_line(path, line_of(client, fields), not synced[path])
  if ok then
    synced[path] = true
    return true
  end
  return nil, errors.new {
    kind = "file", sent = "no",
    message = "the journal cannot be written: " .. path .. ": " .. why,
  }
end

-- What is known of the call, in so far as looking for its run needs it.
local function intent_fields(client, call, id, deadline)
  local params, now = call.params, core.time()
  local body = type(params.body) == "table" and params.body or {}
  local path = params.path or {}
  local pid, process = owner.me()
  return {
    { "event", "intent" }, { "at", stamp(now) }, { "id", id }, { "operation", call.id },
    { "label", call.label }, { "worker", path.workerId or body.worker_id },
    { "path", next(path) and path or nil },
    { "digest", params.body ~= nil and digest.of(body.input or params.body) or nil },
    { "ends", deadline < math.huge and stamp(now + client.clock:left(deadline)) or nil },
    { "base_url", client.settings.base_url },
    { "host", host() }, { "pid", pid }, { "process", process },
  }
end

local function is_paid(call)
  return call.operation.class == "paid" or call.id:find("^rerun") ~= nil
end

---Before a call is sent: the intent of a paid one goes to the disk. Must not be sent otherwise.
---@param client table
---@param call table        of http.lua; gets `intent`
---@param deadline number   of the call (by the client's clock)
---@return coreclaw.Error?  why it must not be sent
function journal.intend(client, call, deadline)
  if not client.settings.journal or call.intent or not is_paid(call) then return nil end
  local id = new_id()
  local ok, err = append(client, intent_fields(client, call, id, deadline))
  if not ok then
    -- The line may stand there all the same, if only its way to the disk failed.
    append(client, { { "event", "refused" }, { "at", stamp(core.time()) }, { "id", id }, { "kind", "file" } })
    return err
  end
  call.intent = id
  owner.begin(id)
  return nil
end

-- Tells of something that must not stop the call.
local function warn(client, message)
  local hook = client.settings.on_warning
  if hook and pcall(hook, message) then return end
  io.stderr:write("coreclaw: ", message, "\n")
end

-- What an answer names: name → value. v1 may call a run's slug just `slug`.
local function handles_of(call, envelope)
  local data, named = type(envelope.data) == "table" and envelope.data or {}, {}
  for _, name in ipairs(HANDLES) do
    local value = type(data[name]) == "number" and tostring(data[name]) or data[name]
    if type(value) == "string" and value ~= "" then named[name] = value end
  end
  if EXPECTED[call.id] == "run_slug" and not named.run_slug then
    named.run_slug, named.slug = named.slug, nil
  end
  return named
end

-- The event of a call's end.
local function outcome(call, envelope, err)
  local fields = { { "event", "unknown" }, { "at", stamp(core.time()) }, { "id", call.intent } }
  if err then
    if err.sent == "no" or err.sent == "refused" then fields[1][2] = "refused" end
    fields[#fields + 1] = { "kind", err.kind }
    fields[#fields + 1] = { "code", err.code }
    fields[#fields + 1] = { "request_id", err.request_id }
    return fields
  end
  local named = handles_of(call, envelope)
  for _, name in ipairs(HANDLES) do fields[#fields + 1] = { name, named[name] } end
  if not EXPECTED[call.id] or named[EXPECTED[call.id]] then fields[1][2] = "done" end
  if type(envelope.request_id) == "string" then fields[#fields + 1] = { "request_id", envelope.request_id } end
  return fields
end

---After a call: what came of it. Never fails: the answer is worth more than the line.
---@param client table
---@param call table
---@param envelope table?
---@param err coreclaw.Error?
function journal.settle(client, call, envelope, err)
  if not call.intent then return end
  owner.finish(call.intent)
  local ok, trouble = append(client, outcome(call, envelope, err))
  if not ok then
    warn(client, trouble.message .. " (the outcome of " .. call.id .. ", intent " .. call.intent
      .. ": client:recover() will ask for it)")
  end
end

---Writes that an open intent is settled: by a run that was found, or by whoever knows better.
---@param client table
---@param id string
---@param event "adopted"|"dismissed"
---@param name string?   "run_slug", "queue_ref" or "slug"
---@param value string?
---@return true?
---@return coreclaw.Error?
function journal.close(client, id, event, name, value)
  return append(client, {
    { "event", event }, { "at", stamp(core.time()) }, { "id", id }, { name or "", name and value or nil },
  })
end

journal.warn = warn

return journal
