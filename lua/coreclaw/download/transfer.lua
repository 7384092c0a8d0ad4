--- One request of a download: from link to bytes in the unfinished file.

local core = require "coreclaw.core"
local driver = require "coreclaw.driver"
local errors = require "coreclaw.errors"
local hooks = require "coreclaw.hooks"
local stats = require "coreclaw.stats"
local storage = require "coreclaw.download.storage"
local transport = require "coreclaw.transport"

local transfer = {}

-- Seconds between two looks at a transfer.
local SLICE = 0.25

---Seconds left of the whole download; nil when there is no limit.
---@param job table
---@return number?
function transfer.left(job)
  return job.deadline < math.huge and job.client.clock:left(job.deadline, 0.001) or nil
end

local function build(job, offset, validator)
  local settings = job.client.settings
  local headers = {
    "Accept: */*",
    "User-Agent: " .. (settings.user_agent or "coreclaw-lua/" .. core.version),
  }
  if offset > 0 then
    headers[#headers + 1] = string.format("Range: bytes=%.0f-", offset)
    headers[#headers + 1] = "If-Range: " .. validator
  end
  return transport.apply(settings, {
    url = job.link, headers = headers, file = job.part.file, offset = offset, follow = true,
    timeout = transfer.left(job) or 0, idle_timeout = job.options.idle_timeout,
    connect_timeout = settings.connect_timeout, max_body = job.options.max_bytes,
    max_headers = settings.max_headers,
  }, false)
end

-- The headers of what goes to the file: is it what we take it for? Returns what to do if not.
local function look(job, block)
  local facts = storage.facts(block, job.place)
  if facts.encoding then
    return "reject", storage.bad("the storage compressed the file (" .. facts.encoding
      .. ") though it was asked not to", false)
  elseif facts.html and not job.options.html then
    return "anew", storage.bad("the storage answered with a web page instead of the file", true)
  elseif not facts.framed then
    return "reject", storage.bad("the storage does not tell how long the file is, so that it cannot "
      .. "be known to be whole", false)
  elseif job.offset == 0 then
    job.whole = job.whole or not facts.ranges
    job.part:learn(facts)
  elseif not job.part:confirm(facts) then
    job.whole = true -- it does not heed If-Range
    return "anew", storage.bad("the file changed while it was downloaded", true)
  end
end

local function look_once(job, block)
  if job.looked or not block then return end
  job.looked = true
  job.outcome, job.err = look(job, block)
end

local function stopped()
  local err = errors.stopped("on_progress", nil, "the download was stopped")
  err.sent = "yes"
  return err
end

---Tells the caller how far it is. Its errors are kept as `job.raised`, to be raised once nothing is
---written any more.
function transfer.report(job, bytes, total)
  local tell = job.options.on_progress
  if not tell or bytes == job.reported then return end
  job.reported = bytes
  local ok, result = pcall(tell, bytes, total)
  if not ok then
    job.raised, job.outcome = { result }, "stop"
  elseif result == false then
    job.outcome, job.err = "stop", stopped()
  end
end

-- Waits for the end of a transfer, looking at it now and then.
local function follow(job, record)
  local waiter = driver.current()
  while not waiter.wait(record, SLICE) do
    local bytes, total, block = waiter.progress(record)
    look_once(job, block)
    if block and not job.outcome then transfer.report(job, bytes, total) end
    if job.outcome then waiter.cancel(record) end
  end
  if record.written then look_once(job, record.headers) end
end

---Sends the request for the file, or for what is missing of it, and waits for the end. What is to be
---done if the answer is not what it was taken for stands in `job.outcome` and `job.err`.
---@param job table
---@return table? record  nil where `on_request` did not let it out
function transfer.run(job)
  local offset, validator = job.part:point(job.place)
  if job.whole then offset = 0 end
  -- What is written down must be gone before another file can be written over it.
  if offset == 0 then job.part:forget() end
  job.offset, job.looked, job.outcome, job.err = offset, false, nil, nil
  local request = build(job, offset, validator)
  local refused = hooks.request(job.client, job.call,
    { method = "GET", url = storage.shown(job.link), headers = request.headers }, job.attempts + 1)
  if refused then
    job.err = refused
    return nil
  end
  job.attempts = job.attempts + 1
  stats.sent(job.client, "download")
  local record = driver.current().submit(request)
  follow(job, record)
  return record
end

return transfer
