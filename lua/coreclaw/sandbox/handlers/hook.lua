--- A place for callbacks to go to, below /hook/: takes everything, answers 204, and is recorded like the rest.

local faults = require("coreclaw.sandbox.faults")
local recorder = require("coreclaw.sandbox.recorder")
local server = require("coreclaw.sandbox.server")
local wire = require("coreclaw.sandbox.wire")

local M = {}

function M.serve()
  local request = server.request("hook")
  local entry = recorder.add(request, nil)
  local fault, id = faults.meet(request, nil)
  entry.fault, entry.status = id, 204
  return wire.send({ status = 204, body = "", headers = {} }, fault)
end

return M
