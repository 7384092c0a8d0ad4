--- Store, own Workers, proxy regions.

local encode = require("coreclaw.sandbox.encode")
local paging = require("coreclaw.sandbox.handlers.paging")
local regions = require("coreclaw.sandbox.platform.regions")
local registry = require("coreclaw.sandbox.platform.registry")
local reply = require("coreclaw.sandbox.reply")

local M = {}

local function summary(worker)
  return encode.fields("slug", worker.slug, "name", worker.name, "path", worker.owner .. "~" .. worker.name, "username",
    worker.owner, "title", worker.title, "description", worker.description)
end

local function listed(request, own)
  local found = registry.list(own, request.query.keyword)
  local list = paging.map(paging.slice(found, request.query.offset, request.query.limit), summary)
  return reply.ok(request, encode.fields("scraper", list))
end

function M.store(request)
  return listed(request, false)
end

function M.own(request)
  return listed(request, true)
end

--- The list of regions, for v1 and v2.
function M.region_list(language)
  return encode.fields("list", paging.map(regions.codes, function(code)
    return encode.fields("code", code, "name", regions.name(code, language))
  end))
end

function M.regions(request)
  return reply.ok(request, M.region_list(request.query.language))
end

return M
