--- The small shop, below /site/.

local faults = require("coreclaw.sandbox.faults")
local recorder = require("coreclaw.sandbox.recorder")
local server = require("coreclaw.sandbox.server")
local site = require("coreclaw.sandbox.site")
local wire = require("coreclaw.sandbox.wire")

local M = {}

function M.serve()
  local request = server.request("site")
  local entry = recorder.add(request, nil)
  local fault, id = faults.meet(request, nil)
  entry.fault = id
  local status, body, headers = site.page(request.path:sub(#"/site/" + 1))
  headers = headers or {}
  headers["Content-Type"] = headers["Content-Type"] or "text/html; charset=utf-8"
  entry.status = status
  return wire.send({ status = status, body = body, headers = headers }, fault)
end

return M
