-- A sandbox and clients of it, for specs.

local coreclaw = require "coreclaw"
local sandbox = require "coreclaw.sandbox"

local box = {}

---Starts a sandbox with the specs' own Workers beside the built-in ones.
function box.start(options)
  options = options or {}
  options.workers = options.workers or "spec/support/workers"
  return assert(sandbox.start(options))
end

---A client of a sandbox that polls quickly. `options` override.
function box.client(server, options)
  local all = {
    api_key = server.key, base_url = server.url, poll_intervals = { 0.05 }, timeout = 20,
    retry = { base = 0.01, throttle_base = 0.01 },
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return coreclaw.new(all)
end

---Calls fn, which must fail; returns what it raised.
function box.raised(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("it did not fail", 2) end
  return err
end

---All values of an iterator.
function box.collect(iterator)
  local list = {}
  for value in iterator do list[#list + 1] = value end
  return list
end

return box
