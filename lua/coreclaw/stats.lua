--- What a client has done so far, in numbers: `client:stats()`.
--
-- What a transfer costs is counted by the C core as it ends (its meter); here only what that cannot
-- know. No table is made for a request, and no identifier is a key: the numbers may go anywhere.

local core = require "coreclaw.core"

local stats = { methods = {} }

---@class coreclaw.Stats
---@field requests integer        HTTP requests that were sent, repeats and files included
---@field in_flight integer       of them on their way now
---@field operations table<string, integer>  requests by operation; "download" and "request" (`client:request`) too
---@field retries integer         repeats
---@field throttles integer       answers that said "too many requests"
---@field failures table<string, integer>    requests that failed, by the kind of their error; repeated or not
---@field connections integer     opened; what is missing to `requests` used one again
---@field bytes_sent integer      of bodies, as they travelled
---@field bytes_received integer  of bodies, as they travelled: compressed
---@field time coreclaw.StatsTime seconds, summed over all requests that have ended

---@class coreclaw.StatsTime
---@field queued number      in line for a connection; a new one's host name is looked up here too
---@field connecting number  TCP and TLS
---@field answering number   from there to the first byte of the answer
---@field receiving number   from there to the last
---@field backoff number     between a failure and the repeat

---The counters of a new client; its transfers find the meter in the settings.
---@param settings table  written to
---@return table
function stats.new(settings)
  settings.meter = core.meter()
  return { meter = settings.meter, operations = {}, failures = {}, retries = 0, throttles = 0, backoff = 0 }
end

---A request goes out.
---@param client table
---@param name string  from a small set
function stats.sent(client, name)
  local operations = client.counts.operations
  operations[name] = (operations[name] or 0) + 1
end

---A request has failed.
---@param client table
---@param err coreclaw.Error
function stats.failed(client, err)
  local counts, kind = client.counts, err.kind
  counts.failures[kind] = (counts.failures[kind] or 0) + 1
  if kind == "rate_limited" then counts.throttles = counts.throttles + 1 end
end

---It will be repeated.
---@param client table
---@param delay number  seconds
function stats.repeated(client, delay)
  local counts = client.counts
  counts.retries, counts.backoff = counts.retries + 1, counts.backoff + delay
end

local function copy(from)
  local to = {}
  for name, value in pairs(from) do to[name] = value end
  return to
end

---What this client has done so far. Sends nothing. The table is yours; the numbers only grow, but for
---`in_flight`. Text for Prometheus is made of it by `coreclaw.prometheus`.
---@return coreclaw.Stats
function stats.methods:stats()
  local counts = self.counts
  local all = counts.meter:read()
  all.operations, all.failures = copy(counts.operations), copy(counts.failures)
  all.retries, all.throttles = counts.retries, counts.throttles
  all.time.backoff = counts.backoff
  return all
end

return stats
