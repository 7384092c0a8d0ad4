--- `client:stats()` as Prometheus reads it: text, in the format of version 0.0.4.
--
--   local prometheus = require "coreclaw.prometheus"
--   ngx.header.content_type = prometheus.content_type
--   ngx.print(prometheus.text(client:stats()))
--
-- Sums over processes are Prometheus' own business: give each its labels (examples/openresty).

local validate = require "coreclaw.validate"

local prometheus = { content_type = "text/plain; version=0.0.4; charset=utf-8" }

-- Name, type, what it is, where it stands, and the label of a table's keys.
local METRICS = {
  { "requests_total", "counter", "HTTP requests sent, repeats included.", "operations", "operation" },
  { "failures_total", "counter", "HTTP requests that failed, by kind of error.", "failures", "kind" },
  { "retries_total", "counter", "Repeats of failed requests.", "retries" },
  { "throttles_total", "counter", "Answers that said: too many requests.", "throttles" },
  { "connections_total", "counter", "Connections opened.", "connections" },
  { "sent_bytes_total", "counter", "Bytes of bodies sent.", "bytes_sent" },
  { "received_bytes_total", "counter", "Bytes of bodies received, as they travelled.", "bytes_received" },
  { "request_seconds_total", "counter", "Time spent on requests that have ended, by state.", "time", "state" },
  { "requests_in_flight", "gauge", "HTTP requests on their way.", "in_flight" },
}

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function label(name, value)
  return name .. '="' .. tostring(value):gsub('[\\"\n]', ESCAPES) .. '"'
end

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function check_labels(labels)
  for name in pairs(labels) do
    if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then
      validate.fail("prometheus.text: labels must have names of letters, digits and _, got " .. validate.show(name))
    end
  end
end

local function number(value)
  return value % 1 == 0 and string.format("%.0f", value) or string.format("%.6f", value)
end

local function line(out, name, labels, value)
  local braces = labels[1] and "{" .. table.concat(labels, ",") .. "}" or ""
  out[#out + 1] = "coreclaw_" .. name .. braces .. " " .. number(value)
end

local function common(labels)
  local list = {}
  for i, name in ipairs(sorted(labels)) do list[i] = label(name, labels[name]) end
  return list
end

-- One metric of one source: a line, or one for each key of a table.
local function lines(out, metric, source)
  local value, labels = source.stats[metric[4]], common(source.labels or {})
  if type(value) ~= "table" then return line(out, metric[1], labels, value) end
  for _, key in ipairs(sorted(value)) do
    labels[#labels + 1] = label(metric[5], key)
    line(out, metric[1], labels, value[key])
    labels[#labels] = nil
  end
end

---The text of one `client:stats()`, or of many with labels that tell them apart.
---@param sources coreclaw.Stats|{ stats: coreclaw.Stats, labels: table<string, string>? }[]
---@return string
function prometheus.text(sources)
  if type(sources) ~= "table" then
    validate.fail("prometheus.text: must be given client:stats(), got " .. validate.show(sources))
  end
  if sources.operations then sources = { { stats = sources } } end
  for _, source in ipairs(sources) do check_labels(source.labels or {}) end
  local out = {}
  for _, metric in ipairs(METRICS) do
    out[#out + 1] = "# HELP coreclaw_" .. metric[1] .. " " .. metric[3]
    out[#out + 1] = "# TYPE coreclaw_" .. metric[1] .. " " .. metric[2]
    for _, source in ipairs(sources) do lines(out, metric, source) end
  end
  out[#out + 1] = ""
  return table.concat(out, "\n")
end

return prometheus
