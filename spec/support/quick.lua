-- Loaded before an example (lua -l spec.support.quick …): clients poll often, so that specs take little time.
local coreclaw = require "coreclaw"
local new = coreclaw.new

function coreclaw.new(options)
  local quick = { poll_intervals = { 0.05 } }
  for name, value in pairs(options or {}) do quick[name] = value end
  return new(quick)
end
