--- A saved task: one Worker with an input of its own, and perhaps a schedule.

local core = require "coreclaw.core"
local answer = require "coreclaw.answer"
local http = require "coreclaw.http"
local paging = require "coreclaw.paging"
local readback = require "coreclaw.readback"
local run = require "coreclaw.run"
local schedule = require "coreclaw.schedule"
local start = require "coreclaw.start"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"
local worker = require "coreclaw.worker"

---@class coreclaw.Task
---@field slug string                    the task's id
---@field title string?
---@field description string?
---@field version string?                Worker version it runs
---@field worker_id string?              the Worker, as `client:worker` takes it
---@field schedule coreclaw.Schedule|false|nil  as a person says it; false: switched off
---@field raw table?                     as it came; integers beyond the Lua's are strings of digits
local Task = { __name = "coreclaw.Task" }
Task.__index = Task

local TIMEOUT = { type = "seconds" }
local ONLY_TIMEOUT = { timeout = TIMEOUT }
local CREATE = {
  worker = { type = "any" },
  title = { type = "text" },
  description = { type = "string" },
  schedule = { type = "any" },
  input = { type = "any" },
  raw_input = { type = "table" },
  system = { type = "table" },
  version = { type = "text" },
  label = { type = "text" },
  timeout = TIMEOUT,
}
local UPDATE = {
  title = { type = "text" }, description = { type = "string" }, schedule = { type = "any" }, timeout = TIMEOUT,
}
local SET_INPUT = {
  raw_input = { type = "table" }, system = { type = "table" }, version = { type = "text" }, timeout = TIMEOUT,
}
local LIST = {
  worker = { type = "any" },
  keyword = { type = "text" },
  limit = { type = "integer", min = 1, max = 100, default = 100 },
  page = { type = "integer", min = 1, default = 1 },
  timeout = TIMEOUT,
}
local SYNC = start.options(start.SAVED, start.WINDOW)

local task = {}

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- The numeric worker_id of a task's detail is no id that the API takes; its path and slug are.
local function absorb(self, data)
  self.raw = data
  self.title = text(data.title)
  -- Production's detail has no description: what is known stays.
  if data.description ~= nil then self.description = text(data.description) end
  self.version = text(data.version)
  local path = text(data.worker_path)
  self.worker_id = path and path:gsub("/", "~") or text(data.worker_slug)
  self.schedule = schedule.from_api(data)
  return self
end

local function new(client, slug, data)
  local self = setmetatable({ client = client, slug = slug }, Task)
  return data and absorb(self, data) or self
end

function Task:__tostring()
  return "coreclaw.Task " .. self.slug .. (self.title and " (" .. self.title .. ")" or "")
end

local function no_task(operation)
  return answer.unusable("the answer holds no task with a usable slug", operation)
end

local function path(self)
  return { workerTaskId = self.slug }
end

---Reads the task anew. Calls `getWorkerTask`.
---@param options { timeout: number? }?
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:reload(options)
  options = validate.options("task:reload", options, ONLY_TIMEOUT)
  local data, err, behind = http.data(self.client, "getWorkerTask", { path = path(self) }, options)
  if not data then return nil, err end
  if next(data) == nil then return nil, no_task("getWorkerTask") end
  return absorb(self, data), nil, behind
end

-- After answers that were lost: does the platform show what was sent?
local function reads_as(self, operation, body, err, seconds)
  if not readback.helps(err) then return false end
  local data = http.data(self.client, operation, { path = path(self) }, { timeout = seconds() })
  return data ~= nil and readback.shows(body, data)
end

---Changes title, description or schedule; what is left out stays. Calls `updateWorkerTask`.
---@param changes { title: string?, description: string?, schedule: coreclaw.Schedule|false|nil, timeout: number? }
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:update(changes)
  changes = validate.options("task:update", changes, UPDATE)
  local body = schedule.to_api(changes.schedule, "task:update")
  body.title, body.description = changes.title, changes.description
  if next(body) == nil then validate.fail("task:update: nothing to change was given") end
  local seconds = readback.time(self.client, changes)
  local envelope, err, behind = http.call(self.client, "updateWorkerTask",
    { path = path(self), body = body }, { timeout = changes.timeout })
  if not envelope and not reads_as(self, "getWorkerTask", body, err, seconds) then return nil, err end
  self.title, self.description = changes.title or self.title, changes.description or self.description
  if changes.schedule ~= nil then self.schedule = schedule.from_api(body) end
  return self, nil, behind
end

---The stored input, in whichever form it was stored, and the version. Calls `getWorkerTaskInput`.
---@param options { timeout: number? }?
---@return { input: any, version: string? }?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:input(options)
  options = validate.options("task:input", options, ONLY_TIMEOUT)
  return http.data(self.client, "getWorkerTaskInput", { path = path(self) }, options)
end

---Replaces the stored input, in the full form so that the task can run.
---Calls `updateWorkerTaskInput`.
---@param custom table?  the Worker's own fields
---@param options { system: table?, raw_input: table?, version: string?, timeout: number? }?
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:set_input(custom, options)
  options = validate.options("task:set_input", options, SET_INPUT)
  local body = start.body(self.client, "task:set_input", custom, options)
  local seconds = readback.time(self.client, options)
  local envelope, err, behind = http.call(self.client, "updateWorkerTaskInput",
    { path = path(self), body = body }, { timeout = options.timeout })
  if not envelope and not reads_as(self, "getWorkerTaskInput", body, err, seconds) then return nil, err end
  return self, nil, behind
end

-- A delete whose first answer was lost finds nothing the second time: that is what was wanted.
local function gone_already(self, err, seconds)
  if not readback.helps(err) then return false end
  if err.kind == "not_found" then return true end
  local data, why = http.data(self.client, "getWorkerTask", { path = path(self) }, { timeout = seconds() })
  return not data and why.kind == "not_found"
end

---Deletes the task. Calls `deleteWorkerTask`.
---@param options { timeout: number? }?
---@return coreclaw.Task?  itself
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:delete(options)
  options = validate.options("task:delete", options, ONLY_TIMEOUT)
  local seconds = readback.time(self.client, options)
  local envelope, err, behind = http.call(self.client, "deleteWorkerTask", { path = path(self) }, options)
  if not envelope and not gone_already(self, err, seconds) then return nil, err end
  return self, nil, behind
end

---Starts a run of the saved input. Calls `runWorkerTask`.
---@param options coreclaw.SavedStartOptions?
---@return coreclaw.Run?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:start(options)
  options = validate.options("task:start", options, start.SAVED)
  local params = { path = path(self), body = { callback_url = options.callback_url, is_async = true } }
  local handle, err, _, behind = run.start(self.client, "runWorkerTask", params, options)
  if not handle then return nil, err end
  return handle, nil, behind
end

---Starts a run and lets the platform wait for its end, as `worker:run_sync`. Calls `runWorkerTask`.
---@param options coreclaw.SavedSyncOptions?
---@return coreclaw.SyncResult?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Task:run_sync(options)
  options = validate.options("task:run_sync", options, SYNC)
  local params = { path = path(self), body = { callback_url = options.callback_url } }
  return start.sync(self.client, "runWorkerTask", params, options)
end

-- Methods of the client.
task.methods = {}

---A handle to a saved task. Sends nothing.
---@param slug string
---@return coreclaw.Task
function task.methods:task(slug)
  local handle = new(self, url.task_id(slug, "client:task"))
  return handle
end

local function worker_id(client, value, where)
  return worker.new(client, value, where).id
end

---Iterates over the saved tasks. Raises the error object. Calls `listWorkerTasks`.
---@param options coreclaw.TasksOptions?  worker, keyword; limit 1–100 (100), page from 1, timeout
---@return fun(): coreclaw.Task?
function task.methods:tasks(options)
  options = validate.options("client:tasks", options, LIST)
  local next_item = paging.items(paging.each({
    client = self, operation = "listWorkerTasks", objects = true, options = { timeout = options.timeout },
    query = {
      keyword = options.keyword,
      worker_id = options.worker and worker_id(self, options.worker, "client:tasks"),
    },
  }, options.page, options.limit, false))
  return function()
    local item = next_item()
    if not item then return nil end
    if not url.usable(item.slug) then error(no_task("listWorkerTasks"), 0) end
    return new(self, item.slug, item)
  end
end

-- The body of createWorkerTask.
local function create_body(client, options)
  if options.worker == nil then validate.fail("client:create_task: worker is required") end
  if not options.title then validate.fail("client:create_task: title is required") end
  local body = schedule.to_api(options.schedule, "client:create_task")
  local payload = start.body(client, "client:create_task", options.input, options)
  body.worker_id = worker_id(client, options.worker, "client:create_task")
  body.title, body.description = options.title, options.description
  body.input, body.version = payload.input, options.version
  return body
end

---Saves a task. Never repeated when its outcome is unknown. Calls `createWorkerTask`.
---@param options coreclaw.CreateTaskOptions  worker and title; input, or raw_input
---@return coreclaw.Task?
---@return coreclaw.Error?
---@return coreclaw.Response?
function task.methods:create_task(options)
  options = validate.options("client:create_task", options, CREATE)
  local params, since = { body = create_body(self, options) }, math.floor(core.time())
  local data, err, behind = http.data(self, "createWorkerTask", params,
    { timeout = options.timeout, label = options.label })
  if not data then return nil, err end
  if not url.usable(data.slug) then
    return nil, http.unknown_outcome(answer.unusable("the platform saved the task but gave no usable slug",
      "createWorkerTask"), { params = params, intent = behind and behind.intent }, since)
  end
  local handle = new(self, data.slug)
  handle.title, handle.description = options.title, options.description
  handle.worker_id, handle.version = params.body.worker_id, options.version
  handle.schedule = schedule.from_api(params.body)
  return handle, nil, behind
end

return task
