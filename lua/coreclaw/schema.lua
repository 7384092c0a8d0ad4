--- What a Worker wants as its input: reads the schema, fills in defaults, checks, counts subtasks.
--
-- Nothing here asks the network. What the schema says in words we do not know is never a fault, and
-- the caller's tables are neither kept nor written to.

local check = require "coreclaw.schema.check"
local input = require "coreclaw.input"
local json = require "coreclaw.json"
local read = require "coreclaw.schema.read"
local split = require "coreclaw.schema.split"
local system = require "coreclaw.schema.system"
local validate = require "coreclaw.validate"

local schema = {}

---@class coreclaw.Prepared
---@field custom table                       what will be sent: a copy, with defaults filled in
---@field errors coreclaw.SchemaIssue[]      the run would fail
---@field warnings coreclaw.SchemaIssue[]    it may be meant so
---@field subtasks integer?                  into how many the run will be split; nil with errors in those fields

local OPTIONS = {
  defaults = { type = "boolean", default = true },
  examples = { type = "boolean", default = false },
  max_subtasks = { type = "integer", min = 1 },
  where = { type = "string", default = "schema.prepare" },
}

-- Names of `system`, given where the Worker's own fields belong.
local ELSEWHERE = {}
for name in pairs(system.FIELDS) do
  ELSEWHERE[name] = "; it is a system parameter: pass it in system = { " .. name .. " = ... }"
end

local function check_schema(where, given)
  if type(given) ~= "table" and type(given) ~= "string" then
    validate.fail(where .. ": schema must be a table, got " .. validate.show(given))
  end
end

local function fields_at_fault(errors)
  local set = {}
  for _, issue in ipairs(errors) do set[issue.field:match "^[^.%[]+" or issue.field] = true end
  return set
end

local function count_subtasks(out, root, limit)
  local count, errors = split.count(root, out.custom)
  local told = fields_at_fault(out.errors)
  for _, issue in ipairs(errors or {}) do
    if not told[issue.field] then out.errors[#out.errors + 1] = issue end
  end
  out.subtasks = count
  if limit and count and count > limit then
    out.errors[#out.errors + 1] = {
      field = "concurrency",
      message = "concurrency_num (" .. count .. ") exceeds limit (" .. limit .. ")",
    }
  end
end

---Prepares the Worker's own fields (`input.parameters.custom`) for a run. Raises on an input that
---is no table of names, or that JSON cannot carry; all else is told in the result.
---@param given table|string  the schema, in either shape
---@param custom table?
---@param options { defaults: boolean?, examples: boolean?, max_subtasks: integer? }?
---  defaults: fill them in, default true; examples: fill required fields with the schema's examples
---  where there is no default, for trial runs; max_subtasks: the account's limit, where it is known
---@return coreclaw.Prepared
function schema.prepare(given, custom, options)
  options = validate.options("schema.prepare", options, OPTIONS)
  check_schema(options.where, given)
  local out = {
    custom = input.build(options.where, custom, {}).parameters.custom,
    errors = {}, warnings = {}, fill = options.defaults, examples = options.examples,
  }
  local fields, root = read.fields(given)
  if not root then
    out.errors[1] = { field = "input_schema", message = "input_schema is not a valid json" }
  else
    if fields then check.fields(out, fields, nil, out.custom, ELSEWHERE) end
    count_subtasks(out, root, options.max_subtasks)
  end
  out.fill, out.examples = nil, nil
  return out
end

---The fields of a schema, for people: in the schema's order, or required ones first where it has
---none. A copy.
---@param given table|string
---@return coreclaw.SchemaField[]
function schema.fields(given)
  check_schema("schema.fields", given)
  return json.copy(read.fields(given) or {}, "schema", 0)
end

---Checks the `system` parameters of a run: names, types, and that memory and cpus belong together.
---@param parameters table?
---@return coreclaw.SchemaIssue[]  empty when nothing is wrong
function schema.check_system(parameters)
  return system.check(parameters)
end

return schema
