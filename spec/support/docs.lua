-- docs.lua FOLDER — writes what lua/coreclaw/types.lua says as a source for LDoc, which does not read LuaLS' way of
-- writing classes: `make docs`.

package.path = "./?.lua;" .. package.path
local types = require "spec.support.types"

local model = types.read "lua/coreclaw/types.lua"
local out = {}

local function put(text, ...) out[#out + 1] = select("#", ...) > 0 and text:format(...) or text end

-- Lines of a comment; the first one opens it.
local function describe(text, otherwise)
  text = text ~= "" and text or otherwise
  put("--- %s", (text:gsub("\n", "\n-- ")))
end

-- LDoc has names for types that are one word; everything else is told in the description.
local function typed(kind)
  local bare = kind:gsub("%?$", "")
  if bare:find "^[%w_.]+$" then return (kind ~= bare and "?" or "") .. bare, "" end
  return nil, "`" .. kind .. "` "
end

local function parameter(tag, param)
  local name, words = typed(param.type)
  put("-- @t%s%s %s %s %s%s", tag, param.optional and "[opt]" or "", name or "any", param.name, words, param.doc)
end

local function result(value)
  local name, words = typed(value.type)
  put("-- @treturn %s %s%s", name or "any", words, value.doc)
end

local function fields_of(class)
  for _, field in ipairs(class.fields) do
    put("-- @field %s `%s` %s%s", field.name:gsub("[%[%]]", ""), field.type, field.optional and "(optional) " or "", field.doc)
  end
end

local function short(class) return (class.name:gsub("^coreclaw%.", "")) end

local function function_of(class, fn)
  local prefix = class.name == "coreclaw" and "" or short(class) .. (fn.method and ":" or ".")
  describe(fn.doc, fn.name)
  put("-- @function %s%s", prefix, fn.name)
  for _, param in ipairs(fn.params) do parameter("param", param) end
  for _, value in ipairs(fn.returns) do result(value) end
  put ""
end

local function table_of(class)
  describe(class.doc, "Fields of `" .. class.name .. "`.")
  put("-- @table %s", short(class))
  if class.parent then put("-- @field - all of @{%s}", (class.parent:gsub("^coreclaw%.", ""))) end
  fields_of(class)
  put ""
end

describe(model.classes["coreclaw"].doc)
put "-- @module coreclaw\n"
table_of(model.classes["coreclaw"])
for _, fn in ipairs(model.classes["coreclaw"].functions) do function_of(model.classes["coreclaw"], fn) end

for _, class in ipairs(model.order) do
  if class.functions and #class.functions > 0 and class.name ~= "coreclaw" then
    put("--- %s\n-- @section %s\n", short(class), short(class))
    if #class.fields > 0 then table_of(class) end
    for _, fn in ipairs(class.functions) do function_of(class, fn) end
  end
end

put "--- Options, events and values\n-- @section values\n"
for _, class in ipairs(model.order) do
  if class.functions and #class.functions == 0 then table_of(class) end
end

put "--- Words\n-- @section words\n"
for _, alias in ipairs(model.order) do
  if alias.text then
    describe(alias.doc, "One of them.")
    put("-- @table %s\n-- @field - `%s`\n", short(alias), alias.text)
  end
end

local file = assert(io.open(arg[1] .. "/coreclaw.lua", "w"))
file:write(table.concat(out, "\n"), "\n")
file:close()
