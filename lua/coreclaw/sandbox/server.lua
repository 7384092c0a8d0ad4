--- Inside nginx: sets everything up once, then takes every request from the socket to the answer.

local auth = require("coreclaw.sandbox.auth")
local callbacks = require("coreclaw.sandbox.platform.callbacks")
local check = require("coreclaw.sandbox.check")
local clock = require("coreclaw.sandbox.platform.clock")
local codec = require("coreclaw.sandbox.codec")
local faults = require("coreclaw.sandbox.faults")
local recorder = require("coreclaw.sandbox.recorder")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")
local scheduler = require("coreclaw.sandbox.platform.scheduler")
local router = require("coreclaw.sandbox.router")
local routes = require("coreclaw.sandbox.routes")
local state = require("coreclaw.sandbox.platform.state")
local wire = require("coreclaw.sandbox.wire")
local accounts = require("coreclaw.sandbox.platform.accounts")
local lifetime = require("coreclaw.sandbox.lifetime")
local journal = require("coreclaw.sandbox.platform.journal")
local links = require("coreclaw.sandbox.platform.links")
local exports = require("coreclaw.sandbox.platform.exports")
local logs = require("coreclaw.sandbox.handlers.logs")

-- luacheck: globals ngx
local M = {}

local handlers = {}

local function resolve(name)
  local module, member = name:match("^(.-)%.(.*)$")
  local ok, found = pcall(require, "coreclaw.sandbox.handlers." .. module)
  if not ok then
    if found:find("module 'coreclaw.sandbox.handlers." .. module .. "' not found", 1, true) then
      return nil
    end
    error(found, 0)
  end
  return found[member]
end

local function set_up(folder)
  local file = assert(io.open(folder .. "/settings.json", "rb"))
  local settings = assert(codec.decode(file:read("*a")))
  file:close()
  settings.dir = folder
  state.settings = settings
  clock.start(settings.clock == "virtual")
  reply.empty = settings.data
  accounts.load(settings.accounts)
  registry.load(settings.worker_files)
  if settings.data_dir then
    journal.begin(settings.data_dir)
  end
  callbacks.begin()
  scheduler.begin()
  for _, operation in ipairs(routes) do
    router.add(operation)
    handlers[operation.id] = resolve(operation.handler)
  end
  links.serve("log", logs.whole)
  links.serve("export", exports.file)
end

--- Called once, when nginx has bound its ports.
function M.start(folder)
  local ok, message = pcall(set_up, folder)
  lifetime.begin(folder, ok and "ready" or "failed " .. tostring(message))
end

local function body_of()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local name = not body and ngx.req.get_body_file()
  if name then
    local file = assert(io.open(name, "rb"))
    body = file:read("*a")
    file:close()
  end
  return body or ""
end

--- A request as handlers see it.
function M.request(origin)
  local path, query = ngx.var.request_uri:match("^([^?]*)%??(.*)$")
  return {
    method = ngx.req.get_method(),
    path = path,
    query_string = query,
    headers = ngx.req.get_headers(100),
    body = body_of(),
    api = path:find("^/api/v2/") and "v2" or "v1",
    origin = origin,
    protocol = ngx.var.server_protocol,
  }
end

local function perform(operation, request)
  if not operation then
    reply.fail("not_found")
  end
  request.operation, request.api = operation.id, operation.api
  request.account = auth.account(operation, request)
  local handler = handlers[operation.id]
  if not handler then
    reply.fail("not_implemented")
  end
  check.read(operation, request)
  return handler(request)
end

--- Runs a handler; whatever goes wrong becomes an answer.
function M.attempt(request, fn, ...)
  local ok, result = xpcall(fn, function(err)
    return reply.is_refusal(err) and err or { trace = debug.traceback(tostring(err), 2) }
  end, ...)
  if ok then
    return result
  elseif reply.is_refusal(result) then
    return reply.refusal(request.api, result.name, result.details, result.message)
  end
  ngx.log(ngx.ERR, result.trace)
  return reply.refusal(request.api, "internal")
end

--- Answers one request to the API.
function M.api()
  local request = M.request("api")
  local operation, identifiers = router.find(request.method, request.path)
  request.id = identifiers
  local entry = recorder.add(request, operation)
  local fault, fault_id = faults.meet(request, operation)
  entry.fault = fault_id
  request.fault = fault
  if fault and fault.header_delay then
    ngx.sleep(fault.header_delay)
  end
  local answer
  if fault and faults.replaces_work(fault) then
    answer = wire.stand_in(request, fault)
  else
    answer = M.attempt(request, perform, operation, request)
  end
  entry.status = answer.status
  return wire.send(answer, fault)
end

return M
