--- Where reading stood: a short text with which an iterator goes on in another process.
--
-- Self-contained: the run, how many of its rows were read, and the platform's id of the last of
-- them, by which it is seen whether the rows still stand where they stood.

local validate = require "coreclaw.validate"

local token = {}

local LONGEST_ID = 64

-- Ids are opaque: what could break the form is escaped, what is too long is cut.
local function safe(id)
  if id == nil then return "" end
  id = tostring(id):sub(1, LONGEST_ID)
  if not id:find "[^%w_.~-]" then return id end
  return (id:gsub("[^%w_.~-]", function(char) return string.format("%%%02X", char:byte()) end))
end

-- What all tokens of a run begin with.
local function prefix_of(slug)
  return "cc1;" .. safe(slug) .. ";"
end

---@class coreclaw.Position
---@field n integer     rows read, from the first
---@field anchor string the id of the last one as a token shows it; "" for a row without
---@field text string   the token

---A function that makes the tokens of a run: rows read, and the platform's id of the last one, nil
---where it has none.
---@param slug string  the run
---@return fun(n: integer, id: any): string
function token.writer(slug)
  local prefix = prefix_of(slug)
  return function(n, id)
    if id == nil then return prefix .. n .. ";;" end
    return prefix .. n .. ";" .. safe(id) .. ";"
  end
end

-- Are all of them ids that stand in a token as they are? Asked once for a page: it is what a token costs.
local function are_safe(ids, size)
  for i = 1, size do
    local id = ids[i]
    if type(id) ~= "string" or #id > LONGEST_ID then return false end
  end
  return not table.concat(ids, "", 1, size):find "[^%w_.~-]"
end

---The same for the rows of a page.
---@param slug string  the run
---@return fun(ids: any[], size: integer, before: integer): fun(i: integer): string
---  ids of so many rows, and how many there are before them; makes the token behind the ith of them
function token.of_page(slug)
  local write, prefix = token.writer(slug), prefix_of(slug)
  return function(ids, size, before)
    if not are_safe(ids, size) then return function(i) return write(before + i, ids[i]) end end
    return function(i) return prefix .. before + i .. ";" .. ids[i] .. ";" end
  end
end

---Is this the row that a token was made at?
---@param position coreclaw.Position
---@param id any  the row's id
---@return boolean
function token.fits(position, id)
  return position.anchor == "" or position.anchor == safe(id)
end

---Checks a token and reads it. Raises for one that is damaged or belongs to another run.
---@param where string
---@param text string
---@param slug string
---@return coreclaw.Position
function token.read(where, text, slug)
  local run, n, anchor
  if type(text) == "string" then run, n, anchor = text:match "^cc1;([^;]+);(%d+);([%w_.~%%-]*);$" end
  if not run or #n > 15 then
    validate.fail(where .. ": from must be a token that the iterator gave, whole, got "
      .. validate.show(text))
  elseif run ~= safe(slug) then
    validate.fail(where .. ": from is a token of another run (" .. run .. "), this one is " .. slug)
  end
  return { n = tonumber(n), anchor = anchor, text = text }
end

return token
