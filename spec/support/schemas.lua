--- Schemas and shorthands that the specs of the input checks share.

local json = require "coreclaw.json"
local schema = require "coreclaw.schema"

local support = {}

function support.messages(issues)
  local list = {}
  for i, issue in ipairs(issues) do
    assert(issue.message:sub(1, #issue.field) == issue.field, "a message begins with its field")
    list[i] = issue.message
  end
  return list
end

function support.errors_of(given, custom, options)
  return support.messages(schema.prepare(given, custom, options).errors)
end

function support.warnings_of(given, custom)
  return support.messages(schema.prepare(given, custom).warnings)
end

-- A descriptor schema of one field called x.
function support.one(entry)
  entry.name = "x"
  return { properties = json.array { entry } }
end

-- A JSON Schema of one field called x.
function support.keyed(entry, required)
  return { type = "object", properties = { x = entry }, required = json.array { required } }
end

function support.fits(given, value)
  local prepared = schema.prepare(given, { x = value })
  for _, list in ipairs { prepared.errors, prepared.warnings } do
    assert(#list == 0, list[1] and list[1].message)
  end
  return prepared.custom.x
end

function support.error_of(given, value)
  local list = support.errors_of(given, { x = value })
  assert(#list == 1, #list .. " errors where one was expected")
  return list[1]
end

-- The shape of every Worker seen.
support.PLACES = json.decode [[{
  "description": "Places by keyword", "concurrency": {"fields": ["keywords"]},
  "properties": [
    {"title": "Search terms", "name": "keywords", "type": "array", "editor": "stringList",
     "required": true, "sectionCaption": "What",
     "default": ["bakery", {"keyword": "café"}, {"value": "inn"}]},
    {"title": "Area", "name": "base_location", "type": "string", "editor": "input", "default": "Lisbon",
     "required": true},
    {"title": "Rows", "name": "max_results", "type": "integer", "editor": "number", "default": 20,
     "required": false},
    {"name": "lang", "type": "string", "editor": "select", "default": "en", "options":
      [{"label": "English", "value": "en"}, {"label": "Português", "value": "pt"}]},
    {"name": "zoom", "type": "integer", "editor": "number", "default": null},
    {"name": "note", "type": "string", "editor": "input"}
  ]}]]

-- The shape of the contract's examples.
support.TEA = json.decode [[{
  "type": "object", "required": ["keyword"],
  "properties": {
    "keyword": {"type": "string", "examples": ["tea", "coffee"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 10},
    "filter": {"type": "object", "required": ["lang"], "properties": {
      "lang": {"type": "string", "default": "en", "enum": ["en", "pt"]}, "open": {"type": "boolean"}}}
  }}]]

return support
