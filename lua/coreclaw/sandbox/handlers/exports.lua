--- Exports: the answer is a link, the file lies on the other origin.

local encode = require("coreclaw.sandbox.encode")
local exports = require("coreclaw.sandbox.platform.exports")
local links = require("coreclaw.sandbox.platform.links")
local reply = require("coreclaw.sandbox.reply")
local run_handlers = require("coreclaw.sandbox.handlers.runs")

local M = {}

local function wanted_keys(text)
  if text == nil or text == "" then
    return nil
  end
  local out = {}
  for key in (text .. ","):gmatch("([^,]*),") do
    out[#out + 1] = key
  end
  return out
end

--- Writes the file and returns a link to it, or fails.
---@param keys string[]? only these columns
function M.link(run, format, keys)
  if not exports.knows(format) then
    reply.fail("export_format")
  end
  local missing = exports.missing(format)
  if missing then
    reply.fail("not_implemented", { missing })
  end
  local chosen, stranger = exports.keys(run, keys)
  if not chosen then
    reply.fail("bad_request", { "unknown key (filter_keys: " .. stranger .. ")" })
  end
  return links.sign("export", exports.create(run, format, chosen))
end

function M.create(request)
  local run = run_handlers.of(request)
  local url = M.link(run, request.query.format:lower(), wanted_keys(request.query.filter_keys))
  return reply.ok(request, encode.fields("download_url", url))
end

return M
