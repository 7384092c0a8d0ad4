--- Recognises callbacks that come twice: the platform does not promise that they come once.

local core = require "coreclaw.core"
local validate = require "coreclaw.validate"

local seen = {}

local OPTIONS = {
  ttl = { type = "seconds", default = 7 * 86400 },
  max = { type = "integer", min = 1, default = 10000 },
}

-- Remembers the last `max` keys, each for its time.
local function memory(max)
  local ends, keys, slots, at = {}, {}, {}, 0
  return {
    add = function(key, ttl)
      local now = core.now()
      if ends[key] and ends[key] > now then return false end
      at = at % max + 1
      local oldest = keys[at]
      if oldest and slots[oldest] == at then ends[oldest], slots[oldest] = nil, nil end
      keys[at], slots[key], ends[key] = key, at, now + ttl
      return true
    end,
  }
end

---Makes a test for duplicates: `seen(event)` is true when an event of the same run and status came
---before. Without a store this process remembers the last 10000; processes that share the work
---need a store they share.
---@param store { add: fun(key: string, ttl: number): boolean?, string? }?
---  add: puts a key for so many seconds; true if it is new, false if it is there, nil and a message
---  if that cannot be known. In nginx: function(key, ttl) return ngx.shared.NAME:add(key, true, ttl) end
---@param options { ttl: number?, max: integer? }?  seconds, default a week; size of the own memory
---@return fun(event: coreclaw.Event): boolean, string?  false and a message where the store failed
function seen.new(store, options)
  options = validate.options("callback.seen", options, OPTIONS)
  if store ~= nil and (type(store) ~= "table" or type(store.add) ~= "function") then
    validate.fail("callback.seen: store must be a table with a function add(key, ttl), got "
      .. validate.show(store))
  end
  store = store or memory(options.max)
  return function(event)
    local added, why = store.add(event:key(), options.ttl)
    if added == nil then return false, why end
    return not added
  end
end

return seen
