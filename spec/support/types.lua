-- Reads lua/coreclaw/types.lua: its classes with their fields, its functions with parameters and results. For
-- spec/types_spec.lua, and for `make docs`. A line that it does not understand is an error.

local M = {}

-- ---- type expressions -------------------------------------------------------------------------

local parse_union

local function balanced(text, at)
  local to = select(2, text:find("^%b" .. ({ ["("] = "()", ["{"] = "{}", ["<"] = "<>", ["["] = "[]" })[text:sub(at, at)], at))
  return assert(to, "unbalanced: " .. text) + 1
end

local function parse_fun(text, at)
  at = balanced(text, at)
  if text:sub(at, at) ~= ":" then return at end
  at = at + 1
  repeat
    at = parse_union(text, assert(text:match("^ *()", at)))
    local more = text:match("^, ?()", at)
    at = more or at
  until not more
  return at
end

local function parse_one(text, at)
  local char = text:sub(at, at)
  local to
  if char == "(" or char == "{" then
    to = balanced(text, at)
  elseif text:find("^fun%(", at) then
    to = parse_fun(text, at + 3)
  else
    to = text:match('^"[^"]*"()', at) or text:match("^[%a_][%w_.]*()", at) or text:match("^%d[%d.]*()", at)
      or text:match("^%.%.%.()", at)
    assert(to, "no type: " .. text:sub(at))
    if text:sub(to, to) == "<" then to = balanced(text, to) end
  end
  return text:match("^%[%]()", to) or to
end

-- Position behind a type.
function parse_union(text, at)
  repeat
    at = parse_one(text, at)
    at = text:match("^%?()", at) or at
    local more = text:match("^ ?| ?()", at)
    at = more or at
  until not more
  return at
end

-- A type and the words behind it.
local function split(text)
  local to = parse_union(text, 1)
  local rest = text:sub(to)
  assert(rest == "" or rest:sub(1, 1) == " ", "what is this behind a type: " .. text)
  return text:sub(1, to - 1), (rest:gsub("^%s+", ""))
end

M.split = split

-- ---- lines ------------------------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

local function described(self)
  local text = table.concat(self.words, "\n")
  self.words = {}
  return text
end

local tags = {}

function tags.meta() end
function tags.generic() end

function tags:class(rest)
  local name, parent = rest:match "^([%w_.]+):? ?([%w_.]*)$"
  assert(name and not self.classes[name], "class " .. rest)
  self.class = { name = name, parent = parent ~= "" and parent or nil, doc = described(self), fields = {}, functions = {} }
  self.classes[name] = self.class
  self.order[#self.order + 1] = self.class
end

function tags:field(rest)
  local name, optional, text = rest:match "^([%w_]+)(%??) +(.*)$"
  if not name then name, optional, text = rest:match "^(%[%w+%])() +(.*)$" end
  local kind, doc = split(assert(text, rest))
  assert(self.class, "a field without a class")
  self.class.fields[#self.class.fields + 1] = { name = name, optional = optional == "?", type = kind, doc = doc }
end

function tags:alias(rest)
  local name, text = rest:match "^([%w_.]+) ?(.*)$"
  self.alias = { name = name, doc = described(self), text = text }
  self.aliases[name], self.class = self.alias, nil
  self.order[#self.order + 1] = self.alias
end

function tags:param(rest)
  local name, optional, text = rest:match "^([%w_.]+)(%??) +(.*)$"
  local kind, doc = split(assert(text, rest))
  self.params[#self.params + 1] = { name = name, optional = optional == "?", type = kind, doc = doc }
end

tags["return"] = function(self, rest)
  local kind, doc = split(rest)
  self.returns[#self.returns + 1] = { type = kind, doc = doc }
end

local function add_function(self, owner, mark, name, args)
  local class = assert(self.locals[owner], "no class: " .. owner)
  local names = {}
  for arg in args:gmatch "[%w_.]+" do names[#names + 1] = arg end
  assert(#names == #self.params, owner .. mark .. name .. ": parameters that are not annotated")
  for i, param in ipairs(self.params) do assert(param.name == names[i], owner .. mark .. name .. ": " .. names[i]) end
  class.functions[#class.functions + 1] = {
    name = name, method = mark == ":", class = class, doc = described(self), params = self.params, returns = self.returns,
  }
  self.params, self.returns = {}, {}
end

local function read_line(self, line)
  local tag, rest = line:match "^%-%-%-@(%l+) ?(.*)$"
  if tag then return assert(tags[tag], "unknown tag " .. tag)(self, rest) end
  if line:find "^%-%-%-|" then
    self.alias.text = self.alias.text .. line:gsub("#.*$", ""):sub(4):gsub("%s+", "")
    return
  end
  local words = line:match "^%-%-%-(.*)$"
  if words then self.words[#self.words + 1] = words return end
  local name = line:match "^local ([%w_]+) = {}$"
  if name then self.locals[name] = assert(self.class, name) return end
  local owner, mark, called, args = line:match "^function ([%w_]+)([.:])([%w_]+)%((.*)%) end$"
  if owner then return add_function(self, owner, mark, called, args) end
  assert(line == "" or line:find "^%-%- " or line == "return coreclaw", "not understood: " .. line)
  if line == "" then self.class, self.words = nil, {} end
end

---Reads a meta file.
---@return table  classes and aliases by name, both in `order`
function M.read(path)
  local self = setmetatable({
    classes = {}, aliases = {}, order = {}, locals = {}, words = {}, params = {}, returns = {},
  }, Reader)
  local n = 0
  for line in io.lines(path) do
    n = n + 1
    local ok, why = pcall(read_line, self, line)
    if not ok then error(path .. ":" .. n .. ": " .. tostring(why), 0) end
  end
  return self
end

---All fields of a class by their names, those of its parents too.
function M.fields(model, name)
  local class, out = assert(model.classes[name], name), {}
  if class.parent then out = M.fields(model, class.parent) end
  for _, field in ipairs(class.fields) do out[field.name] = field end
  return out
end

return M
