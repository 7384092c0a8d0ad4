--- What is loaded when it is first used: whoever reads a run should not pay, in time and memory, for
--- schedules, schemas and exports.
--
-- Not in nginx: there everything is loaded at once, before the workers are forked, and no request waits
-- for files.

local lazy = {}

local eager = type(rawget(_G, "ngx")) == "table"

---A module, or what looks up its fields in it.
---@param name string
---@return table
function lazy.module(name)
  if eager then return require(name) end
  local proxy = {}
  return setmetatable(proxy, { __index = function(_, key)
    local module = require(name)
    setmetatable(proxy, { __index = module })
    return module[key]
  end })
end

local function load_into(target, name, names)
  local found = require(name)
  local known = {}
  for _, each in ipairs(names) do known[each] = true end
  for each, fn in pairs(found.methods or found) do
    assert(known[each], "coreclaw: " .. name .. " has " .. each .. ", of which nobody was told")
    target[each] = fn
  end
end

---Functions of a module, or the methods that it brings for a class, by their names: all of them.
---@param target table    module or class, gets them
---@param name string     the module
---@param names string[]
function lazy.functions(target, name, names)
  if eager then return load_into(target, name, names) end
  for _, each in ipairs(names) do
    target[each] = function(...)
      load_into(target, name, names)
      return target[each](...)
    end
  end
end

return lazy
