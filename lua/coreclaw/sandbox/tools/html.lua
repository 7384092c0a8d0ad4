--- HTML by libxml2: its forgiving parser and XPath, through LuaJIT's FFI.
--   local page = html.parse(text); page:text("//title"); page:all("//a/@href"); page:free()

local ffi = require("ffi")

local M = {}

ffi.cdef([[
typedef struct { int nodeNr; int nodeMax; void **nodeTab; } cc_xml_nodes;
typedef struct { int type; cc_xml_nodes *nodes; } cc_xml_object;
void *htmlReadMemory(const char *buffer, int size, const char *url, const char *encoding, int options);
void xmlFreeDoc(void *doc);
void *xmlXPathNewContext(void *doc);
void xmlXPathFreeContext(void *context);
cc_xml_object *xmlXPathEvalExpression(const char *expression, void *context);
cc_xml_object *xmlXPathNodeEval(void *node, const char *expression, void *context);
void xmlXPathFreeObject(cc_xml_object *object);
char *xmlXPathCastToString(cc_xml_object *object);
char *xmlNodeGetContent(void *node);
void free(void *memory);
]])

-- HTML_PARSE_RECOVER | NOERROR | NOWARNING | NONET | COMPACT
local OPTIONS = 1 + 32 + 64 + 2048 + 65536
local NODESET = 1
local NAMES = { "xml2", "libxml2.so.2", "libxml2.so.16" }

local library

local function load_library()
  for _, name in ipairs(NAMES) do
    local ok, found = pcall(ffi.load, name)
    if ok then
      return found
    end
  end
  error("reading HTML needs libxml2: apt-get install libxml2", 0)
end

local Page = {}
Page.__index = Page

local function take_string(pointer)
  if pointer == nil then
    return ""
  end
  local text = ffi.string(pointer)
  ffi.C.free(pointer)
  return text
end

local function tidy(text)
  return (text:gsub("[ \t\r\n\f]+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function evaluate(page, expression, node)
  local object
  if node then
    object = library.xmlXPathNodeEval(node, expression, page.context)
  else
    object = library.xmlXPathEvalExpression(expression, page.context)
  end
  if object == nil then
    error("not an XPath expression: " .. tostring(expression), 3)
  end
  return ffi.gc(object, library.xmlXPathFreeObject)
end

local function nodes_of(object)
  if object.type ~= NODESET or object.nodes == nil then
    return {}
  end
  local out = {}
  for i = 0, object.nodes.nodeNr - 1 do
    out[i + 1] = object.nodes.nodeTab[i]
  end
  return out
end

--- The text of the first match, white space tidied; "" when there is none.
function Page:text(expression, node)
  local object = evaluate(self, expression, node)
  return tidy(take_string(library.xmlXPathCastToString(object)))
end

--- The texts of all matches.
function Page:all(expression, node)
  local out = {}
  for i, found in ipairs(self:nodes(expression, node)) do
    out[i] = tidy(take_string(library.xmlNodeGetContent(found)))
  end
  return out
end

--- All matching nodes, to be given back to `text` and `all`. Good until `free`.
function Page:nodes(expression, node)
  return nodes_of(evaluate(self, expression, node))
end

function Page:free()
  if self.context ~= nil then
    library.xmlXPathFreeContext(self.context)
    library.xmlFreeDoc(self.document)
    self.context, self.document = nil, nil
  end
end

---@param text string
---@param url? string for messages only
---@param content_type? string as the server said; its charset goes before what the page says of itself
---@return table? page
---@return string? message
function M.parse(text, url, content_type)
  library = library or load_library()
  local charset = (content_type or ""):match("charset=[\"']?([%w_.:-]+)")
  local document = library.htmlReadMemory(text, #text, url, charset, OPTIONS)
  if document == nil and charset then
    document = library.htmlReadMemory(text, #text, url, nil, OPTIONS)
  end
  if document == nil then
    return nil, "no HTML in there"
  end
  local page = { document = document, context = library.xmlXPathNewContext(document) }
  return setmetatable(page, Page)
end

return M
