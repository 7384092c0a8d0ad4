--- Access below the handles: any operation by its name, and any request at all.

local http = require "coreclaw.http"
local lazy = require "coreclaw.lazy"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local worker, v1_operations = lazy.module "coreclaw.worker", lazy.module "coreclaw.operations.v1"

-- Path parameter → its check.
local IDS = {
  workerId = function(client, id, where) return worker.new(client, id, where).id end,
  runId = function(_, id, where) return url.run_id(type(id) == "table" and id.slug or id, where) end,
  workerTaskId = function(_, id, where) return url.task_id(type(id) == "table" and id.slug or id, where) end,
  queueId = function(_, id, where) return url.queue_id(type(id) == "table" and id.queue_ref or id, where) end,
}

local CALL = { timeout = { type = "seconds" }, request_timeout = { type = "seconds" }, label = { type = "text" } }

local SLASH = ("/"):byte()
local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }
local CLASSES = { "read", "write", "paid", "last" }
local REQUEST = {
  method = { type = "string", enum = METHODS },
  path = { type = "text" },
  query = { type = "table" },
  body = { type = "any" },
  class = { type = "string", enum = CLASSES },
  label = { type = "text" },
  timeout = { type = "seconds" },
}

-- Methods of the client.
local raw = { methods = {} }

local function find(client, id)
  local operation = type(id) == "string" and client.operations[id]
  if operation then return operation end
  if v1_operations[id] then
    validate.fail("client:operation: " .. id .. " is API v1's name; operations go by their names in v2, "
      .. 'also with api = "v1"')
  end
  local near = validate.nearest(id, require "coreclaw.operations.v2") -- whole: the client's is looked up by name
  validate.fail("client:operation: no such operation: " .. tostring(id)
    .. (near and " (did you mean " .. near .. "?)" or ""))
end

-- Every name a parameter of this operation may have.
local function names_of(operation)
  local names = {}
  for name in operation.path:gmatch "{(%w+)}" do names[name] = "path" end
  for name in pairs(operation.query or {}) do names[name] = "query" end
  for name in pairs(operation.body or {}) do names[name] = "body" end
  return names
end

local function sort_params(client, id, operation, given)
  local names, params = names_of(operation), { path = {}, query = {}, body = {} }
  for name, value in pairs(given) do
    if not names[name] then
      local near = validate.nearest(name, names)
      validate.fail(id .. ": unknown parameter " .. tostring(name)
        .. (near and " (did you mean " .. near .. "?)" or ""))
    end
    if name == "worker_id" and type(value) == "table" then value = IDS.workerId(client, value, id) end
    params[names[name]][name] = value
  end
  for name, group in pairs(names) do
    if group == "path" then params.path[name] = IDS[name](client, given[name], id) end
  end
  return params
end

---Calls an operation of API v2 by its name. Parameters of path, query and body stand in one table
---and are checked against the operation table; identifiers may be handles.
---`client:operation("listWorkerRuns", { status = "running", limit = 100 })`
---@param id string
---@param params table?
---@param options coreclaw.OperationOptions?
---@return table? data       absent, null and {} are an empty table
---@return coreclaw.Error?
---@return coreclaw.Response?
function raw.methods:operation(id, params, options)
  local operation = find(self, id)
  if params ~= nil and type(params) ~= "table" then
    validate.fail(id .. ": parameters must be a table, got " .. validate.show(params))
  end
  options = validate.options("client:operation", options, CALL)
  return http.data(self, id, sort_params(self, id, operation, params or {}), options)
end

local function check_path(path)
  if not path or not path:find "^/[^%s?#{}]*$" or path:find("..", 1, true) or path:byte(2) == SLASH then
    validate.fail("client:request: path must begin with / and hold no space, query, braces or '..', got "
      .. validate.show(path))
  end
end

local SCALAR = { string = true, number = true, boolean = true }

local function check_query(query)
  for name, value in pairs(query) do
    if type(name) ~= "string" then
      validate.fail("client:request: query must have names as keys, got " .. validate.show(name))
    elseif not SCALAR[type(value)] then
      validate.fail("client:request: query." .. name .. " must be text, a number or a boolean, got "
        .. validate.show(value))
    end
  end
end

-- Class, method → an operation that stands in no table. Nothing is known of its parameters.
local operations = { read = {}, write = {}, paid = {}, last = {} }

local function operation_of(method, class)
  local known = operations[class]
  known[method] = known[method] or { method = method, class = class, public = true, free = true }
  return known[method]
end

---Sends a request of your own to the API, with its key, envelope, errors and deadline: for what
---this client does not know yet. Anything but a GET counts as paid unless `class` says otherwise:
---it is sent at most once.
---@param request coreclaw.Request
---@return table? data
---@return coreclaw.Error?
---@return coreclaw.Response?
function raw.methods:request(request)
  if getmetatable(request) then -- only what stands in it has been checked
    request = validate.options("client:request", request, REQUEST)
  else
    validate.check("client:request", request, REQUEST)
    request = request or {}
  end
  local method, path, query = request.method or "GET", request.path, request.query
  check_path(path)
  if query then check_query(query) end
  return http.custom(self, {
    id = method .. " " .. path,
    operation = operation_of(method, request.class or (method == "GET" and "read" or "paid")),
    params = { whole_path = path, query = query, body = request.body },
    label = request.label, request_timeout = nil, method = nil,
  }, request)
end

return raw
