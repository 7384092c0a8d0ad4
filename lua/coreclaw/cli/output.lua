--- What a command prints on stdout: a table for people; for machines one JSON document, or a line of
--- JSON for each item. Lists are written as they come, in constant memory.

local cell = require "coreclaw.cli.cell"
local failure = require "coreclaw.cli.failure"
local json = require "coreclaw.json"

---@class coreclaw.cli.Column
---@field key string
---@field label string
---@field show (fun(item: table): any)?  what the table shows; default: the item's field
---@field width integer?  at least so wide
---@field uncut boolean?  even where the terminal is narrower

---@class coreclaw.cli.Output
---@field mode "table"|"json"|"jsonl"
---@field width integer?  columns of the terminal
---@field terse boolean?
---@field used boolean?    something was printed
local Output = { __name = "coreclaw.cli.Output" }
Output.__index = Output

-- So many items decide how wide the columns are. Where nobody looks, nothing is cut, but a cell does not
-- push the next column further than that.
local SAMPLE, WIDEST = 100, 40

-- In a terminal: a column that has less room than that is left out.
local NARROWEST = 8

local output = {}

---@param mode "table"|"json"|"jsonl"
---@param stream file*
---@param width integer?
---@param terse boolean?  of a record only its first column, which is its id
---@return coreclaw.cli.Output
function output.new(mode, stream, width, terse)
  return setmetatable({ mode = mode, stream = stream, width = width, terse = terse }, Output)
end

---Bytes, or the end of the command: a full disk must not look like success.
---@param text string
function Output:write(text)
  self.used = true
  local ok, why = self.stream:write(text)
  if not ok then failure.raise("file", "the output cannot be written: " .. tostring(why)) end
end

---Everything is written, or the command fails.
function Output:finish()
  local ok, why = self.stream:flush()
  if not ok then failure.raise("file", "the output cannot be written: " .. tostring(why)) end
end

-- ---- JSON -------------------------------------------------------------------------------------

-- The keys of an object: those of the columns first, in their order, then the others by name.
local function keys_of(item, order)
  local keys, seen, rest = {}, {}, {}
  for _, key in ipairs(order or {}) do
    if item[key] ~= nil and not seen[key] then keys[#keys + 1], seen[key] = key, true end
  end
  for key in pairs(item) do
    if not seen[key] then rest[#rest + 1] = key end
  end
  table.sort(rest, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(rest) do keys[#keys + 1] = key end
  return keys
end

---An object as JSON, with its keys in an order that a person can follow.
---@param item table
---@param order string[]?
---@return string
function output.object(item, order)
  if json.is_array(item) then return json.encode(item) end
  local parts = {}
  for i, key in ipairs(keys_of(item, order)) do
    parts[i] = json.encode(tostring(key)) .. ":" .. json.encode(item[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- ---- tables -----------------------------------------------------------------------------------

local function shown(column, item)
  local value
  if column.show then value = column.show(item) else value = item[column.key] end
  return cell.text(value)
end

-- What a column needs, by its label and the items that are known.
local function widest(column, rows, i)
  local most = math.max(cell.measure(column.label), column.width or 0)
  for _, row in ipairs(rows) do most = math.max(most, (cell.measure(row[i]))) end
  return math.min(most, WIDEST)
end

-- The columns that have something in them, as far as the terminal is wide; the last one may be cut.
local function layout(self, columns, rows)
  local list, used, left_out = {}, 0, 0
  for i, column in ipairs(columns) do
    local filled = column.always
    for _, row in ipairs(rows) do filled = filled or row[i] ~= "" end
    local width = widest(column, rows, i)
    local rest = self.width and self.width - used or width
    local fits = width <= rest or rest >= NARROWEST
    if filled and not fits then left_out = left_out + 1 end
    if filled and fits then
      list[#list + 1] = { index = i, width = math.min(width, rest), uncut = column.uncut }
      used = used + width + 2
    end
  end
  return list, left_out
end

local function put(self, list, texts)
  local out = {}
  for n, place in ipairs(list) do
    local text = texts[place.index]
    if self.width and not place.uncut then
      out[n] = cell.fit(text, place.width)
    else
      out[n] = text .. (" "):rep(place.width - cell.measure(text))
    end
  end
  self:write((table.concat(out, "  "):gsub(" +$", "")) .. "\n")
end

-- Now it is known how wide the columns are.
local function begin(self, writer)
  writer.layout, writer.left_out = layout(self, writer.columns, writer.rows)
  local labels = {}
  for i, column in ipairs(writer.columns) do labels[i] = column.label end
  if #writer.layout > 0 then put(self, writer.layout, labels) end
  for _, texts in ipairs(writer.rows) do put(self, writer.layout, texts) end
  writer.rows = {}
end

local function add_row(self, writer, item)
  local texts = {}
  for i, column in ipairs(writer.columns) do texts[i] = shown(column, item) end
  if writer.layout then return put(self, writer.layout, texts) end
  writer.rows[#writer.rows + 1] = texts
  if #writer.rows >= SAMPLE then begin(self, writer) end
end

-- ---- lists ------------------------------------------------------------------------------------

---@class coreclaw.cli.List
---@field add fun(item: table)
---@field close fun(): integer, integer  how many items; how many columns had no place

---A list, of which the items come one by one.
---@param columns coreclaw.cli.Column[]
---@param at_once boolean?  each is shown as soon as it comes: the columns say how wide they are
---@return coreclaw.cli.List
function Output:list(columns, at_once)
  local order, count, writer = {}, 0, { columns = columns, rows = {} }
  for i, column in ipairs(columns) do order[i] = column.key end
  local function add(item)
    count = count + 1
    if at_once and self.mode == "table" and not writer.layout then begin(self, writer) end
    if self.mode == "table" then return add_row(self, writer, item) end
    local before = self.mode == "jsonl" and "" or count == 1 and "[" or ",\n"
    self:write(before .. output.object(item, order) .. (self.mode == "jsonl" and "\n" or ""))
  end
  local function close()
    if self.mode == "json" then self:write(count == 0 and "[]\n" or "]\n") end
    if self.mode == "table" and not writer.layout and count > 0 then begin(self, writer) end
    self:finish()
    return count, writer.left_out or 0
  end
  return { add = add, close = close }
end

---The same for machines alone, where a person needs no word, or gets others.
---@param columns coreclaw.cli.Column[]
---@param item table
function Output:document(columns, item)
  if self.mode ~= "table" then self:record(columns, item) end
end

---One thing: an object, or lines of label and value.
---@param columns coreclaw.cli.Column[]
---@param item table
function Output:record(columns, item)
  if self.mode ~= "table" then
    local order = {}
    for i, column in ipairs(columns) do order[i] = column.key end
    return self:write(output.object(item, order) .. "\n")
  end
  if self.terse and columns[1] then return self:write(shown(columns[1], item) .. "\n") end
  local wide = 0
  for _, column in ipairs(columns) do wide = math.max(wide, #column.label) end
  for _, column in ipairs(columns) do
    local text = shown(column, item)
    if text ~= "" then self:write(cell.fit(column.label, wide) .. "  " .. text .. "\n") end
  end
end

return output
