--- Which operation is this? Path segments are compared raw and decoded afterwards, so that an encoded slash
-- stays inside its segment, where it is found to be no identifier.

local M = {}

-- luacheck: globals ngx

local function node()
  return { words = {}, operations = {} }
end

local root = node()

local function child(parent, segment)
  local name = segment:match("^{(.*)}$")
  if name then
    parent.any = parent.any or node()
    parent.any.name = name
    return parent.any
  end
  parent.words[segment] = parent.words[segment] or node()
  return parent.words[segment]
end

--- Adds an operation of routes.lua.
function M.add(operation)
  local at = root
  for segment in operation.path:gmatch("[^/]+") do
    at = child(at, segment)
  end
  at.operations[operation.method] = operation
end

local function identifier(segment)
  local text = ngx.unescape_uri(segment)
  -- ngx.unescape_uri reads + as a blank, which it is not in a path.
  if segment:find("+", 1, true) then
    text = ngx.unescape_uri((segment:gsub("%+", "%%2B")))
  end
  if text == "" or text:find("[/%c]") then
    return nil
  end
  return text
end

local function walk(at, segments, i, found)
  local segment = segments[i]
  if not segment then
    return next(at.operations) and at or nil
  end
  local word = at.words[segment]
  local result = word and walk(word, segments, i + 1, found)
  if result or not at.any then
    return result
  end
  local value = identifier(segment)
  if not value then
    return nil
  end
  found[at.any.name] = value
  return walk(at.any, segments, i + 1, found)
end

--- Finds the operation for a raw path.
---@return table? operation
---@return table<string, string> identifiers from the path
function M.find(method, path)
  local segments, found = {}, {}
  if path:find("//", 1, true) or path:sub(-1) == "/" then
    return nil, found
  end
  for segment in path:gmatch("[^/]+") do
    segments[#segments + 1] = segment
  end
  local at = walk(root, segments, 1, found)
  return at and at.operations[method], found
end

return M
