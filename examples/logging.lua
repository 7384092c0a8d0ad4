-- A line for each HTTP request, as web servers write them. Hooks see everything that a client does; the key is
-- masked before they do.
--
--   local logging = require "logging"                                    -- this file
--   local client = coreclaw.new(logging(function(line) io.stderr:write(line, "\n") end))
--
--   POST /api/v2/workers/{workerId}/runs 200 0.045 s 84 bytes
--   GET /api/v2/worker-runs/{runId} 503 0.012 s 90 bytes server_error
--   GET /api/v2/worker-runs/{runId} again in 0.31 s

-- The same for all requests of a kind, so that lines can be counted. Not the URL: whoever has that of a file can
-- read the file.
local function name(event)
  if event.route then return event.method .. " " .. event.route end
  -- client:request has method and path for its operation: a name for each run would be no name.
  return event.operation:find(" ", 1, true) and event.method .. " client:request" or event.operation
end

---@param write fun(line: string)
---@return table  options of coreclaw.new; add your own
return function(write)
  return {
    on_response = function(event)
      write(string.format("%s %s %.3f s %d bytes %s", name(event), event.status or "-", event.seconds,
        #(event.body or ""), event.error and event.error.kind or ""))
    end,
    on_retry = function(event)
      write(string.format("%s again in %.2f s", name(event), event.delay))
    end,
  }
end
