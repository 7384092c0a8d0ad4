--- What ends a command early, and is no error of the library: wrong use, a file, an output that is gone.

local Failure = { __name = "coreclaw.cli.Failure" }
Failure.__index = Failure

local failure = {}

function Failure:__tostring()
  return self.message
end

---Ends the command. `code` is a name of exit.lua.
---@param code string
---@param message string
function failure.raise(code, message)
  error(setmetatable({ code = code, message = message }, Failure), 0)
end

---Wrong use: exit code 2.
function failure.usage(format, ...)
  failure.raise("usage", select("#", ...) > 0 and format:format(...) or format)
end

---@return boolean
function failure.is(value)
  return type(value) == "table" and getmetatable(value) == Failure
end

-- Misuse that the library found: "worker:start: system.memory must …", with or without a place before.
local MISUSE = { "^coreclaw%.%l+: ", "^%l+:[%l_]+: ", "^schema%.[%l_]+: " }

local NO_KEY = "authentication: there is no API key, and this needs one"

---The message of a misuse that the library raised, nil for any other error.
---@param value any
---@return string? message
---@return string? code  a name of exit.lua
function failure.misuse(value)
  if type(value) ~= "string" then return nil end
  if value:find "%w needs an API key: " then return NO_KEY, "authentication" end
  local missing = value:match "no JSON library: .*"
  if missing then return missing, "error" end
  for _, text in ipairs { value, (value:gsub("^[^\n]-:%d+: ", "")) } do
    for _, pattern in ipairs(MISUSE) do
      if text:find(pattern) then return (text:gsub("^[%l_]+[:%.][%l_]+: ", "")), "usage" end
    end
  end
end

return failure
