-- busted --helper: every engine that a spec opens has a thread of its own, unless it says otherwise.
local core = require("coreclaw.core")
local open = core.engine

function core.engine(options)
  local all = { mode = "thread" }
  for name, value in pairs(type(options) == "table" and options or {}) do all[name] = value end
  local ok, engine = pcall(open, (options == nil or type(options) == "table") and all or options)
  if ok then return engine end
  error((engine:gsub("^[^:]*:%d+: ", "")), 2)
end
