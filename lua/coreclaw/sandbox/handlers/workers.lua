--- One Worker: detail and input schema.

local encode = require("coreclaw.sandbox.encode")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")

local M = {}

--- The Worker that the path names.
function M.of(request)
  local worker = registry.find(request.id.workerId)
  -- owner/name belongs to v1; here it can only have come as an encoded slash, which the router refuses.
  if not worker then
    reply.fail("worker_unknown")
  end
  return worker
end

function M.detail(request)
  local worker = M.of(request)
  return reply.ok(request, encode.fields("name", worker.name, "username", worker.owner, "version", worker.version,
    "readme", worker.readme, "parameters", encode.fields("system", worker.system, "custom", worker.schema)))
end

function M.schema(request)
  return reply.ok(request, encode.fields("input_schema", M.of(request).schema))
end

return M
