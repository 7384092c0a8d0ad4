--- coreclaw: start a web-scraping Worker from Lua, wait, walk its rows.
--
--   local coreclaw = require "coreclaw"
--   local client = coreclaw.new { api_key = "…" }
--   local run = assert(client:worker "owner/name":call { keywords = { "coffee" } })
--   for row in run:results() do print(row.title) end
--
-- Wrong use raises. When the world fails, calls return nil and an error object, and iterators
-- raise that object. Requiring this module does no I/O.

local core = require "coreclaw.core"
local client = require "coreclaw.client"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local lazy = require "coreclaw.lazy"
local validate = require "coreclaw.validate"

local coreclaw = {
  _VERSION = core.version,
  new = client.new,
  is_error = errors.is,
  errors = { kinds = errors.kinds },
  callback = {},
  null = json.null,
  array = json.array,
  integer = json.integer,
  json = { decode = json.decode, encode = json.encode },
}

lazy.functions(coreclaw.callback, "coreclaw.callback", { "parse", "url", "verify", "seen" })
lazy.functions(coreclaw, "coreclaw.spawn", { "spawn", "all", "run" })
lazy.functions(coreclaw, "coreclaw.host", { "driver", "connections" })

---Waits without sending anything; other transfers of this process go on.
---@param seconds number
function coreclaw.sleep(seconds)
  validate.value("coreclaw.sleep", "seconds", seconds, { type = "seconds" })
  driver.current().sleep(seconds)
end

---Lua's `assert` for calls of ours. PUC Lua 5.1 and 5.2 raise texts only, and complain of an error object
---where the newer Luas raise it; this one raises it everywhere.
---@generic T
---@param value T
---@param err any?
---@return T value
---@return any ...
function coreclaw.assert(value, err, ...)
  if value then return value, err, ... end
  error(err == nil and "assertion failed!" or err, 0)
end

return coreclaw
