--- Workers: the store, the account's own, one in detail, and what input it takes.

local cell = require "coreclaw.cli.cell"
local failure = require "coreclaw.cli.failure"
local json = require "coreclaw.json"
local output = require "coreclaw.cli.output"
local schema = require "coreclaw.schema"
local shapes = require "coreclaw.cli.shapes"
local types = require "coreclaw.cli.types"

local DETAIL = {
  { key = "path", label = "worker" }, { key = "slug", label = "slug" }, { key = "title", label = "title" },
  { key = "name", label = "name" }, { key = "username", label = "by" }, { key = "version", label = "version" },
  { key = "description", label = "description" },
}

local function list(ctx, options)
  local client, count = ctx:client(), 0
  local out = ctx.out:list(shapes.WORKER)
  local each = options.own and client.workers or client.store
  for worker in each(client, { keyword = options.keyword, limit = math.min(100, options.max or 100) }) do
    out.add(shapes.worker(worker))
    count = count + 1
    if count >= (options.max or math.huge) then break end
  end
  out.close()
end

local function show(ctx, options)
  local detail = ctx:check(ctx:client():worker(options.worker):detail())
  ctx.out:record(DETAIL, detail)
  if ctx.out.mode == "table" and type(detail.readme) == "string" then
    ctx.out:write "\n"
    for line in (detail.readme .. "\n"):gmatch "(.-)\r?\n" do ctx.out:write(cell.text(line) .. "\n") end
  end
end

-- ---- schema -----------------------------------------------------------------------------------

local function values_of(field)
  if field.default ~= nil then
    return type(field.default) == "table" and json.encode(field.default) or tostring(field.default)
  end
end

local function options_of(field)
  local words = {}
  for i, option in ipairs(field.options or {}) do words[i] = tostring(option.value) end
  return #words > 0 and table.concat(words, ", ") or nil
end

local FIELDS = {
  { key = "name", label = "field", always = true },
  { key = "type", label = "type", show = function(field) return field.type or field.editor end },
  { key = "required", label = "needed", show = function(field) return field.required and "yes" or nil end },
  { key = "default", label = "default", show = values_of },
  { key = "options", label = "one of", show = options_of },
  { key = "title", label = "what", show = function(field) return field.description or field.title end },
}

-- Rows of the newest run, if there is one and the key may see it.
local function rows_of(worker)
  local run = worker:last_run()
  local page = run and run:results_page { limit = 100 }
  return page and #page.list > 0 and page or nil, run
end

local function write_types(ctx, worker, fields)
  local class = types.class(worker.id)
  local function put(lines) ctx.out:write(table.concat(lines, "\n") .. "\n") end
  put { "---@meta", "-- Input and rows of " .. worker.id .. ", written by `coreclaw schema --types`.", "" }
  put(types.input(class .. ".Input", fields))
  local page, run = rows_of(worker)
  if page then
    put { "", "-- As the rows of run " .. run.slug .. " are." }
    put(types.rows(class .. ".Row", page.list, page.headers))
  else
    put { "", "-- The Worker has no run with rows (or the key is missing): what they are is not known.",
      "---@alias " .. class .. ".Row table<string, any>" }
  end
end

local function show_schema(ctx, options)
  local worker = ctx:client():worker(options.worker)
  local found = ctx:check(worker:input_schema())
  local fields = schema.fields(found)
  if options.types then
    if ctx.out.mode ~= "table" then failure.usage "schema: --types is Lua, not JSON" end
    return write_types(ctx, worker, fields)
  elseif options.example then
    local prepared = schema.prepare(found, {}, { examples = true })
    return ctx.out:write(output.object(prepared.custom) .. "\n")
  elseif ctx.out.mode == "json" then
    return ctx.out:write(output.object(found) .. "\n")
  end
  local out = ctx.out:list(FIELDS)
  for _, field in ipairs(fields) do out.add(field) end
  out.close()
end

return {
  {
    name = "workers", summary = "List Workers of the store, or one's own", run = list,
    arguments = { { "keyword", "Words in title, slug or path", args = "?" } },
    options = {
      { "--own", "The account's own", flag = true },
      { "--max", "So many at most", argname = "N", type = "count" },
    },
  },
  {
    name = "worker", summary = "Show a Worker", run = show, arguments = { { "worker", "owner/name, or a slug" } },
  },
  {
    name = "schema", run = show_schema,
    summary = "Show what input a Worker takes; --json: the schema as it is, --jsonl: a line for each field",
    arguments = { { "worker", "owner/name, or a slug" } },
    options = {
      { "--types", "As LuaLS classes, of the input and of the newest run's rows", flag = true },
      { "--example", "An input to begin with: defaults and examples", flag = true },
    },
  },
}
