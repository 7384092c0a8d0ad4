--- Identifiers and URLs: percent-encoding, and what may stand for a Worker or a run.

local validate = require "coreclaw.validate"

local url = {}

local function escape_byte(c)
  return string.format("%%%02X", c:byte())
end

---Percent-encodes one path segment or query value (RFC 3986: all but the unreserved).
---@param text string
---@return string
function url.escape(text)
  if not text:find "[^%w%-%._~]" then return text end
  return (text:gsub("[^%w%-%._~]", escape_byte))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

---A query string of a table, keys sorted so that the same call is the same URL.
---@param query table<string, string|number|boolean>
---@return string  "" or "?a=1&b=2"
function url.query(query)
  if next(query) == nil then return "" end
  local list = {}
  for name, value in pairs(query) do
    if type(value) == "number" then value = string.format("%.14g", value) end
    list[#list + 1] = url.escape(name) .. "=" .. url.escape(tostring(value))
  end
  table.sort(list)
  return #list > 0 and "?" .. table.concat(list, "&") or ""
end

-- Template → text, name, text, name, … text. Those of the operation tables; a path without names is
-- anybody's, and kept for nobody.
local templates = {}

local function split(template)
  local parts, at = {}, 1
  for text, name, behind in template:gmatch "([^{]*){(%w+)}()" do
    parts[#parts + 1], parts[#parts + 2], at = text, name, behind
  end
  parts[#parts + 1] = template:sub(at)
  if #parts > 1 then templates[template] = parts end
  return parts
end

---Puts identifiers into a path template: "/api/v2/workers/{workerId}" → ".../harbor~maps".
---@param template string
---@param params table<string, string>
---@return string
function url.path(template, params)
  local parts = templates[template] or split(template)
  if #parts == 1 then return parts[1] end
  if #parts == 3 then return parts[1] .. url.escape(params[parts[2]]) .. parts[3] end
  local out = {}
  for i, part in ipairs(parts) do out[i] = i % 2 == 1 and part or url.escape(params[part]) end
  return table.concat(out)
end

-- What no identifier may be, whatever it names; nil when it is fine.
local function fault(id)
  if id == "" then return "is empty" end
  if id == "." then return "is '.'" end
  if id:find("%c") then return "holds a newline or control character" end
  if id:find("%s") then return "holds a space" end
  if id:find("..", 1, true) then return "holds '..'" end
  if #id > 512 then return "is longer than 512 bytes" end
end

local function check(where, what, id, shape)
  if type(id) ~= "string" then
    validate.fail(where .. ": " .. what .. " must be " .. shape .. ", got " .. validate.show(id))
  end
  local wrong = fault(id)
  if wrong then
    validate.fail(where .. ": " .. what .. " must be " .. shape .. ", but it " .. wrong
      .. ": got " .. validate.show(id))
  end
end

---The id of a Worker as API v2 wants it. Takes "owner/name", "owner~name", a percent-encoded
---form of either, or a slug; raises on anything else.
---@param id string
---@param where string
---@return string
function url.worker_id(id, where)
  local shape = "a Worker's slug or owner/name"
  if type(id) == "string" and id:find("%%%x%x") then id = unescape(id) end
  check(where, "the Worker id", id, shape)
  local owner, name = id:match("^([^/~]+)[/~]([^/~]+)$")
  if owner then return owner .. "~" .. name end
  if id:find("[/~?#%%]") then
    validate.fail(where .. ": the Worker id must be " .. shape .. ", got " .. validate.show(id))
  end
  return id
end

-- An id that is one word: no path, no query, nothing percent-encoded.
local function word(id, where, what, shape, refused)
  check(where, what, id, shape)
  if id:find("[/?#%%]") or id == refused then
    validate.fail(where .. ": " .. what .. " must be " .. shape .. ", got " .. validate.show(id))
  end
  return id
end

---The id of a run, checked. "last" is refused: it is a moving target, and a path of its own.
---@param id string
---@param where string
---@return string
function url.run_id(id, where)
  return (word(id, where, "the run id", "a run's slug (run_slug)", "last"))
end

---The id of a saved task, checked.
---@param id string
---@param where string
---@return string
function url.task_id(id, where)
  return (word(id, where, "the task id", "a saved task's slug"))
end

---The id of a queue item, checked.
---@param id string
---@param where string
---@return string
function url.queue_id(id, where)
  return (word(id, where, "the queue item", "a queue item's queue_ref"))
end

---Can an id that the platform gave stand in the path of a later request?
---@param id any
---@return boolean
function url.usable(id)
  return type(id) == "string" and fault(id) == nil and not id:find "[/?#%%]" and id ~= "last"
end

local LOOPBACK = { ["localhost"] = true, ["[::1]"] = true }

---Does this URL's host lead to this very machine?
---@param text string
---@return boolean
function url.is_loopback(text)
  local host = text:match("^%a+://(%[[^%]]*%])") or text:match("^%a+://([^/:?#]+)") or ""
  return LOOPBACK[host:lower()] or host:match("^127%.%d+%.%d+%.%d+$") ~= nil
end

return url
