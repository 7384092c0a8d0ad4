-- Spans of all HTTP requests for OpenTelemetry, as lines of OTLP's JSON: what the collector's receiver
-- `otlpjsonfile` reads from a file. With an SDK of your own, make its spans at the same place.
--
--   local tracing = require "tracing"                                    -- this file
--   local out = io.open("/var/log/coreclaw/spans.jsonl", "a")
--   local client = coreclaw.new(tracing("my-service", function(line) out:write(line, "\n") out:flush() end))
--
-- The names stay the same ("GET /api/v2/worker-runs/{runId}"), so that they can be grouped; attributes are those of the
-- semantic conventions for HTTP clients. All attempts of a call are in one trace.

local coreclaw = require "coreclaw"

local CLIENT, ERROR = 3, 2 -- SpanKind, StatusCode

local function random(bytes)
  local file = assert(io.open("/dev/urandom", "rb"))
  local text = file:read(bytes)
  file:close()
  return (text:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

local function attribute(list, key, kind, value)
  if value ~= nil then list[#list + 1] = { key = key, value = { [kind] = value } } end
end

-- client:request has method and path for its operation: a name for each run would be no name.
local function operation(event)
  return event.operation:find(" ", 1, true) and "client:request" or event.operation
end

local function name(event)
  if event.route then return event.method .. " " .. event.route end
  local stable = operation(event)
  return stable == "client:request" and event.method .. " " .. stable or stable
end

local function attributes(event)
  local list = coreclaw.array {}
  attribute(list, "http.request.method", "stringValue", event.method)
  attribute(list, "url.template", "stringValue", event.route)
  attribute(list, "http.response.status_code", "intValue", event.status)
  attribute(list, "http.request.resend_count", "intValue", event.attempt > 1 and event.attempt - 1 or nil)
  attribute(list, "error.type", "stringValue", event.error and event.error.kind)
  attribute(list, "coreclaw.operation", "stringValue", operation(event))
  return list
end

local function nanoseconds(seconds)
  return string.format("%.0f000", seconds * 1e6)
end

---@param service string
---@param write fun(line: string)
---@param parent (fun(): string?, string?)?  trace id and span id (hex) of what is going on in your program
---@return table  options of coreclaw.new; add your own
return function(service, write, parent)
  local process = random(8)

  local function span(event)
    local trace, above
    if parent then trace, above = parent() end
    return {
      traceId = trace or string.format("%s%016x", process, event.call), spanId = random(8), parentSpanId = above,
      name = name(event), kind = CLIENT,
      startTimeUnixNano = nanoseconds(event.at - event.seconds), endTimeUnixNano = nanoseconds(event.at),
      attributes = attributes(event),
      status = event.error and { code = ERROR, message = event.error.message } or nil,
    }
  end

  return {
    on_response = function(event)
      write(coreclaw.json.encode { resourceSpans = { {
        resource = { attributes = { { key = "service.name", value = { stringValue = service } } } },
        scopeSpans = { { scope = { name = "coreclaw", version = coreclaw._VERSION }, spans = { span(event) } } },
      } } })
    end,
  }
end
