--- After a crash: what the journal says was meant, and what may have come of it. Only reads from
--- the platform; starts nothing.

local core = require "coreclaw.core"
local digest = require "coreclaw.journal.digest"
local input = require "coreclaw.input"
local journal = require "coreclaw.journal"
local owner = require "coreclaw.journal.owner"
local reader = require "coreclaw.journal.reader"
local reconcile = require "coreclaw.reconcile"
local run = require "coreclaw.run"
local validate = require "coreclaw.validate"

local OPTIONS = {
  all = { type = "boolean", default = false },
  margin = { type = "seconds", default = 3 },
  timeout = { type = "seconds" },
}

---@class coreclaw.Intent
---@field id string          of the journal; `err.intent` of an `unknown_outcome`
---@field operation string   "runWorker", …
---@field state coreclaw.IntentState
---@field message string     the state in words
---@field label string?      as given to the call
---@field worker string?     the Worker
---@field path table<string, string>  identifiers in the call's path
---@field at number          Unix seconds at which it was meant
---@field digest string?     of the input: see `item:matches`
---@field window { from: integer, to: integer }  in which its run began, by the clock of its machine
---@field candidates coreclaw.Run[]  runs that may be its own
---@field run coreclaw.Run?  the only one that can be; with `all` also the one that is known
---@field queue_ref string?  with `all`: of the queued run
---@field slug string?       with `all`: of the task that was created
---@field request_id string? with `all`
---@field kind string?       of the error that it ended with
---@field err coreclaw.Error?  why it could not be looked for
---@field host string?       machine that made the call
---@field pid integer
local Item = { __name = "coreclaw.Intent" }
Item.__index = Item

---@alias coreclaw.IntentState
---| "found"    # one run can be it, and that run can be no other's: `run`
---| "several"  # runs, or other intents, that cannot be told apart, or a run that has not begun: `candidates`
---| "none"     # no run of that time is to be seen (yet)
---| "unknown"  # it cannot be looked for: `message`, `err`
---| "started"|"adopted"|"refused"|"dismissed"|"busy"  # with `all` only; busy: being made now

-- Methods of the client.
local recover = { methods = {} }

function Item:__tostring()
  return string.format("coreclaw.Intent %s (%s%s, %s)", self.id, self.operation,
    self.label and ", " .. self.label or "", self.state)
end

-- Under which name the journal keeps what an operation makes.
local NAMES = { createWorkerTask = "slug", queuedRunWorker = "queue_ref" }

-- A handle or its id, as the id.
local function id_of(item, target)
  local name = NAMES[item.operation] or "run_slug"
  local id = target
  if type(target) == "table" then id = name == "queue_ref" and target.queue_ref or target.slug end
  if type(id) ~= "string" or id == "" or id:find "[%c%s]" then
    validate.fail("item:adopt: " .. (name == "run_slug" and "a run" or name == "slug" and "a task"
      or "a queue item") .. " or its id is wanted, got " .. validate.show(target))
  end
  return name, id
end

local function close(self, state, name, id)
  local ok, err = journal.close(self.client, self.id, state, name, id)
  if not ok then return nil, err end
  self.state = state
  return true
end

---Writes to the journal that this came of it: not listed again, and taken for no other intent's.
---@param target coreclaw.Run|coreclaw.Task|coreclaw.QueueItem|string|nil  default: `run`
---@return coreclaw.Run|string|nil  the run; the id where it is none
---@return coreclaw.Error?
function Item:adopt(target)
  if target == nil then target = self.run end
  local name, id = id_of(self, target)
  local ok, err = close(self, "adopted", name, id)
  if not ok then return nil, err end
  if name ~= "run_slug" then return id end
  self.client.started:add(id)
  self.run = run.is(target) and target or run.new(self.client, id)
  return self.run
end

---Writes to the journal that nothing came of it, or that nobody needs to know: not listed again.
---@return true?
---@return coreclaw.Error?
function Item:dismiss()
  return close(self, "dismissed")
end

---Was it made with this input? Compares digests; take the options that were given to the start.
---@param custom table?
---@param options { system: table?, raw_input: table? }?
---@return boolean
function Item:matches(custom, options)
  options = validate.options("item:matches", options, { system = { type = "table" }, raw_input = { type = "table" } })
  local payload = input.build("item:matches", custom, options, self.client.settings.defaults)
  return self.digest == digest.of(payload)
end

-- Where the call had not ended, it may have been sent until its deadline.
local function window_of(intent, now)
  local to = intent.ended or math.min(intent.ends or now, now)
  return { from = math.floor(intent.started), to = math.ceil(math.max(to, intent.started)) }
end

local function item_of(client, intent, now)
  return setmetatable({
    client = client, id = intent.id, operation = intent.operation, state = intent.state, label = intent.label,
    worker = intent.worker, path = intent.path, at = intent.started, digest = intent.digest, kind = intent.kind,
    window = window_of(intent, now), candidates = {}, host = intent.host, pid = intent.pid,
    queue_ref = intent.queue_ref, slug = intent.slug, request_id = intent.request_id,
    run = intent.run_slug and run.new(client, intent.run_slug, { request_id = intent.request_id }) or nil,
  }, Item)
end

-- What cannot be looked for by its time, and where a person may look.
local LOOK = {
  createWorkerTask = "look at client:tasks()", queuedRunWorker = "look at client:queue()",
}

local function cannot_look(item, err)
  item.state, item.err = "unknown", err
  item.message = err and "it could not be looked for: " .. tostring(err)
    or "no run to look for: " .. (LOOK[item.operation] or "only the platform's pages can tell")
end

-- Items by their Worker; those without one are left as they are.
local function by_worker(client, items, options)
  local groups, known = {}, {}
  for _, item in ipairs(items) do
    local ref = item.path.workerId or item.path.runId or item.path.workerTaskId
    local worker, err
    if ref and not NAMES[item.operation] then
      known[ref] = known[ref] or { reconcile.worker_of(client, item, options) }
      worker, err = known[ref][1], known[ref][2]
    end
    if worker then
      worker = worker:gsub("/", "~")
      item.worker = worker
      groups[worker] = groups[worker] or {}
      table.insert(groups[worker], item)
    else
      cannot_look(item, err)
    end
  end
  return groups
end

-- Counts who claims each run that an item may be the intent of.
local function claim(item, claims)
  for _, record in ipairs(item.candidates) do
    claims[record.slug] = (claims[record.slug] or 0) + 1
  end
end

local function decide(item, claims, doubtful)
  local n, rivals = #item.candidates, 1
  for _, record in ipairs(item.candidates) do rivals = math.max(rivals, claims[record.slug]) end
  if n == 0 then
    item.state = "none"
    item.message = "no run of that time is to be seen (yet): it may not have been started"
  elseif doubtful > 0 then
    item.state, item.message = "several", reconcile.doubt(n, doubtful)
  elseif n == 1 and rivals == 1 then
    item.state, item.run, item.message = "found", item.candidates[1], "this run was started by it"
  else
    item.state = "several"
    item.message = string.format("%d run%s of that time and %d intent%s cannot be told apart", n, n > 1 and "s" or "",
      rivals, rivals > 1 and "s" or "")
  end
end

-- Looks for the runs of all items; those of calls that are being made now claim theirs, too.
local function look(client, items, owned, options)
  local claims, doubtful = {}, {}
  local function free(slug) return not owned[slug] and not client.started:has(slug) end
  for worker, group in pairs(by_worker(client, items, options)) do
    local records, skew = reconcile.runs_of(client, worker, group, options)
    for _, item in ipairs(group) do
      if records then
        item.candidates, doubtful[item] = reconcile.place(client, worker, records, item.window, skew, options, free)
        claim(item, claims)
      else
        cannot_look(item, skew)
      end
    end
  end
  for _, item in ipairs(items) do
    if item.state ~= "unknown" or item.message == nil then decide(item, claims, doubtful[item] or 0) end
  end
end

local OPEN = { open = true, unknown = true }

-- Items to look for, those that are being made, and those that are settled.
local function sort(client, content, now)
  local all, open, lost = {}, {}, false
  for _, intent in ipairs(content.intents) do
    if intent.base_url == client.settings.base_url then
      local item = item_of(client, intent, now)
      item.busy = intent.state == "open" and owner.is_busy(intent, now)
      all[#all + 1] = item
      if OPEN[item.state] then open[#open + 1] = item end
      lost = lost or (OPEN[item.state] and not item.busy)
    end
  end
  return all, lost and open or {}
end

local WORDS = {
  started = "its outcome is known", adopted = "it was adopted", refused = "nothing was done for it",
  dismissed = "it was dismissed", busy = "its call is being made now",
}

local function listed(all, wanted)
  local list = {}
  for _, item in ipairs(all) do
    local busy = item.busy
    item.busy = nil
    if busy then item.state, item.run, item.err, item.candidates = "busy", nil, nil, {} end
    item.message = WORDS[item.state] or item.message
    if wanted or not WORDS[item.state] then list[#list + 1] = item end
  end
  return list
end

local function report_damage(client, damaged)
  if #damaged == 0 then return end
  journal.warn(client, string.format("the journal %s has %d line%s that cannot be read, the first is line %d",
    client.settings.journal, #damaged, #damaged > 1 and "s" or "", damaged[1]))
end

---Lists the paid calls of the journal whose outcome is not in it: a process was killed, an answer
---was lost, an outcome could not be written. Looks for the run of each, and takes none that belongs
---to another intent. Calls that are being made now are left out. Settle each item by `item:adopt()`
---or `item:dismiss()`; until then it is listed again. Calls `listWorkerRuns`.
---@param options { all: boolean?, margin: number?, timeout: number? }?
---  all: every intent of the journal, the settled ones too; margin: seconds of grace around each
---  call, default 3; timeout: seconds for each request
---@return coreclaw.Intent[]?  oldest first; `damaged`: the numbers of lines that cannot be read
---@return coreclaw.Error?
function recover.methods:recover(options)
  options = validate.options("client:recover", options, OPTIONS)
  local path = self.settings.journal
  if not path then validate.fail("client:recover: the client has no journal; pass journal = path to coreclaw.new") end
  local content, err = reader.read(path, options.all)
  if not content then return nil, err end
  report_damage(self, content.damaged)
  local all, open = sort(self, content, core.time())
  look(self, open, content.owned, options)
  local list = listed(all, options.all)
  list.damaged = content.damaged
  return list
end

return recover
