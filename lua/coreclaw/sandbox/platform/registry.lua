--- The Workers that exist: built in ones and those of the user's folder.
--
-- A Worker file returns a table:
--   path         "owner/name"
--   run          function(input, emit, log, tools): input is `custom`, with the schema's defaults where it is silent
--   slug?, title?, description?, readme?, version? ("v1.0.0"), versions? (all that can be run)
--   schema?      input schema of either shape: properties as a list of descriptors, or as a map (with `required`)
--   columns?     list of { key, label, format? }: the headers, where they shall not be taken from the rows
--   parameters?  { system = {…} }: defaults of cpus, memory, execute_limit_time_seconds and so on
--
-- emit(row) keeps a row. log("text"), log.debug, log.info, log.warn, log.error write to the run's log. tools has
-- sleep(seconds), fetch(url, options?) → { status, url, content_type, body } or nil and why, html(text) → a page with
-- text(xpath), all(xpath), nodes(xpath), free(); aborted(), null, array(list), integer(digits). An error makes the run
-- `failed` and puts its traceback into the log.

local encode = require("coreclaw.sandbox.encode")
local state = require("coreclaw.sandbox.platform.state")

local M = {}

local BUILT_IN = { "coreclaw.sandbox.workers.page_scraper", "coreclaw.sandbox.workers.rows" }

local SYSTEM = {
  cpus = 0.125,
  memory = 512,
  execute_limit_time_seconds = 1800,
  max_total_charge = 0,
  max_total_traffic = 0,
  proxy_region = "US",
}

-- `{}` as the default of an array field is an empty list, not an empty object.
local function mark_lists(schema)
  for _, entry in ipairs(schema.properties) do
    for _, key in ipairs({ "default", "options", "param_list" }) do
      local value = entry[key]
      if type(value) == "table" and (key ~= "default" or entry.type == "array") then
        encode.list(value)
      end
    end
  end
end

local function finish_schema(schema)
  if schema.properties == nil then
    schema.properties = {}
  end
  if schema.properties[1] or next(schema.properties) == nil then
    encode.list(schema.properties)
    mark_lists(schema)
  end
  if schema.required then
    encode.list(schema.required)
  end
  for _, list in pairs(schema.concurrency or {}) do
    encode.list(list)
  end
  return schema
end

local function need(worker, where)
  if type(worker) ~= "table" or type(worker.run) ~= "function" or type(worker.path) ~= "string" then
    error(where .. ": a Worker file returns a table with path and run", 0)
  end
  if not worker.path:find("^[%w_.-]+/[%w_.-]+$") then
    error(where .. ": path must be owner/name, not " .. worker.path, 0)
  end
end

local function system_of(worker)
  local system = {}
  for key, value in pairs(SYSTEM) do
    system[key] = value
  end
  local own = worker.parameters and worker.parameters.system or {}
  for key, value in pairs(own) do
    system[key] = value
  end
  return system
end

-- A stable 26-character id for a Worker that names none: the same in every sandbox.
local function slug_of(path)
  local digits = ngx.md5(path):upper():gsub("[ILOU]", "Z") -- luacheck: globals ngx
  return "01K" .. digits:sub(1, 23)
end

---@param worker table what a Worker file returned
---@param where string for messages
---@param own boolean? the account's own rather than the store's
function M.add(worker, where, own)
  need(worker, where)
  local owner, name = worker.path:match("^(.-)/(.*)$")
  state.workers[#state.workers + 1] = {
    number = ("331002003004%05d"):format(500 + #state.workers),
    slug = worker.slug or slug_of(worker.path),
    owner = owner,
    name = name,
    path = worker.path,
    own = own or false,
    title = worker.title or name,
    description = worker.description or "",
    readme = worker.readme or "",
    version = worker.version or "v1.0.0",
    versions = worker.versions or { worker.version or "v1.0.0" },
    schema = finish_schema(worker.schema or {}),
    columns = worker.columns,
    system = system_of(worker),
    run = worker.run,
  }
end

function M.load(files)
  for _, name in ipairs(BUILT_IN) do
    M.add(require(name), name, false)
  end
  for _, file in ipairs(files or {}) do
    local chunk, message = loadfile(file)
    if not chunk then
      error(message, 0)
    end
    M.add(chunk(), file, true)
  end
end

--- Finds a Worker by slug or owner~name (v2) or owner/name (v1).
function M.find(id)
  local path = id:gsub("~", "/")
  for _, worker in ipairs(state.workers) do
    if worker.slug == id or worker.path == path then
      return worker
    end
  end
  return nil
end

--- Is this a version that can be run? No version means the newest.
function M.has_version(worker, version)
  for _, known in ipairs(worker.versions) do
    if known == version then
      return true
    end
  end
  return version == nil
end

local function matches(worker, keyword)
  for _, text in ipairs({ worker.title, worker.slug, worker.path }) do
    if text:lower():find(keyword, 1, true) then
      return true
    end
  end
  return false
end

--- The store's Workers, or the account's own, that match the keyword.
function M.list(own, keyword)
  local out = {}
  keyword = (keyword or ""):lower()
  for _, worker in ipairs(state.workers) do
    if (not own or worker.own) and matches(worker, keyword) then
      out[#out + 1] = worker
    end
  end
  return out
end

return M
