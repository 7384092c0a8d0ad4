-- Looks for a key in values, as a dump of a crashed program would show them, and in texts.
local M = {}

local function encode(text, format)
  return (text:gsub(".", function(c) return format:format(c:byte()) end))
end

--- Ways in which a server may repeat the key.
function M.spellings(key)
  return {
    key, (key:gsub("%W", function(c) return ("%%%02X"):format(c:byte()) end)), encode(key, "%%%02x"),
    encode(key, "\\u%04x"), (key:gsub("/", "\\/")),
  }
end

-- What must appear nowhere: each spelling, and what a cut would leave of it. Of every key made once: a
-- walk asks for thousands of texts.
local made = {}

local function pieces(key)
  local list = made[key]
  if list then return list end
  list = {}
  made[key] = list
  for _, form in ipairs(M.spellings(key)) do
    local n = math.floor(#form / #key * 8)
    list[#list + 1] = form:sub(1, n)
    list[#list + 1] = form:sub(-n)
  end
  return list
end

--- Does the text hold the key or a good part of it?
function M.holds(text, key)
  for _, piece in ipairs(pieces(key)) do
    if text:find(piece, 1, true) then return true end
  end
  return false
end

-- What is reached from everywhere and not ours.
local function borders()
  local seen = {}
  for _, value in ipairs { _G, package, package.loaded, debug, io, string, table, math, os } do seen[value] = true end
  for name, value in pairs(package.loaded) do
    if not name:find "^coreclaw" or name:find "^coreclaw%.sandbox" then seen[value] = true end
  end
  return seen
end

local visit = {
  table = function(value, path, look)
    for k, v in next, value do
      look(k, path .. ".<key>")
      look(v, path .. "." .. tostring(k))
    end
  end,
  ["function"] = function(value, path, look)
    for i = 1, 250 do
      local name, held = debug.getupvalue(value, i)
      if not name then return end
      look(held, path .. "^" .. name)
    end
  end,
  userdata = function(value, path, look)
    local get = rawget(debug, "getuservalue") or rawget(debug, "getfenv")
    look(get(value), path .. ".<user value>")
    look(tostring(value), path .. ".<tostring>")
  end,
  thread = function(value, path, look)
    for level = 0, 50 do
      if not debug.getinfo(value, level, "f") then return end
      for i = 1, 250 do
        local name, held = debug.getlocal(value, level, i)
        if not name then break end
        look(held, path .. "@" .. name)
      end
    end
  end,
}

--- The path to the first string that holds the key, nil where there is none. Follows fields, keys,
--- metatables, upvalues, user values, and the locals of coroutines.
function M.path(root, key)
  local seen, found, todo = borders(), nil, {}
  local function look(value, path)
    if type(value) == "string" then
      if M.holds(value, key) then found = found or path end
    elseif visit[type(value)] and not seen[value] then
      seen[value] = true
      todo[#todo + 1] = { value, path }
    end
  end
  look(root, "")
  while #todo > 0 and not found do
    local item = table.remove(todo)
    local value, path = item[1], item[2]
    visit[type(value)](value, path, look)
    local mt = debug.getmetatable(value)
    if mt then look(mt, path .. ".<metatable>") end
  end
  return found
end

return M
