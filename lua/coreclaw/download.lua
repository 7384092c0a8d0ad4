--- Downloads: a file behind a link, whole under its name or not there at all.
--
-- The bytes stream to PATH.part. After a break it is gone on with by Range and If-Range, also by a
-- later call or another process; where the storage cannot promise that it is still the same file,
-- it begins anew. Links expire: a new one is asked for. The storage gets no credentials of ours.
--
-- A download that makes progress is not given up before its time is out. What counts as progress
-- is a byte further than ever before, so that a server cannot keep us busy for ever.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local answer = require "coreclaw.answer"
local errors = require "coreclaw.errors"
local hooks = require "coreclaw.hooks"
local part = require "coreclaw.download.part"
local retry = require "coreclaw.retry"
local stats = require "coreclaw.stats"
local storage = require "coreclaw.download.storage"
local transfer = require "coreclaw.download.transfer"
local validate = require "coreclaw.validate"

local download = {}

-- New links and new beginnings without a byte of progress between them, before they count as
-- failures.
local DETOURS = 3

local OPTIONS = {
  source = { type = "text" },
  operation = { type = "text", default = "download" },
  timeout = { type = "seconds", default = 3600 },
  idle_timeout = { type = "seconds", default = 60 },
  on_progress = { type = "callable" },
  overwrite = { type = "boolean", default = true },
  sync = { type = "boolean", default = true },
  max_bytes = { type = "integer", min = 0 },
  html = { type = "boolean", default = false },
}

---@class coreclaw.DownloadOptions
---@field source string         what is downloaded, in words that are equal only for the same contents:
---  an unfinished file of the same source is gone on with
---@field operation string?     its name in errors and hooks
---@field timeout number?       seconds for all of it; default 3600, 0 = none
---@field idle_timeout number?  seconds without a byte; default 60
---@field on_progress (fun(bytes: integer, total: integer?): boolean?)?  called a few times a second;
---  returning false stops the download
---@field overwrite boolean?    may the path exist? default true
---@field sync boolean?         shall the file outlive a power cut? default true
---@field html boolean?         is a web page what is wanted? default false: it is an excuse then
---@field max_bytes integer?    no more than that; default: no limit

---@class coreclaw.Download
---@field path string
---@field bytes integer      length of the file
---@field attempts integer   requests it took

local function expired(job, cause)
  return errors.new {
    kind = "timeout", cause = cause, sent = "yes", retryable = true,
    message = string.format("the download was not complete within %g s (timeout)", job.options.timeout),
  }
end

-- ---- what came of it --------------------------------------------------------------------------

-- What is no HTTP may be the rest of a longer answer than was announced, on a connection used again.
local NOT_HTTP = { UNSUPPORTED_PROTOCOL = true, WEIRD_SERVER_REPLY = true }

local function judge_failure(job, failure)
  local err = answer.failed(failure)
  if err.kind == "file" then err.message = job.part.name .. ": " .. err.message end
  if failure.name == "RANGE_ERROR" then
    job.whole = true
    return "anew", storage.bad(err.message, true)
  end
  err.retryable = err.retryable or NOT_HTTP[failure.name] == true
  return "failed", err
end

-- A 206: is it the end, or a piece?
local function judge_piece(job, total)
  local size = job.part:size()
  if not total then
    job.whole = true
    return "anew", storage.bad("the storage does not tell how long the file is", true)
  elseif size > total then
    return "anew", storage.bad("more came than the file is long", true)
  elseif size < total then
    return "more", storage.bad("only a part came", true)
  end
  return "whole"
end

local function judge_file(job, record)
  if record.status == 206 then return judge_piece(job, job.part.known.total) end
  if job.offset > 0 then
    -- All of it instead of the rest: another file, or a server that knows no ranges.
    job.whole = job.part:matches(storage.facts(record.headers, job.place))
    return "anew", storage.bad("the file changed while it was downloaded", true)
  end
  -- Something without a body calls nobody, and is whole all the same.
  return judge_piece(job, job.part.known.total or job.part:size())
end

local function judge_refusal(job, record)
  local err = storage.refused(record, config.secret(job.client.settings))
  if record.status == 416 then
    return "anew", storage.bad("the storage has less of the file than it announced (HTTP 416)", true)
  elseif storage.is_link_refused(record.status, record.body) then
    job.link = nil
    return "link", err
  end
  return "failed", err
end

-- whole: done. more: go on. anew: what is there is of no use. link: a new one is needed. failed: may
-- pass. reject: not to be had this way. stop: nobody wants more.
---@return "whole"|"more"|"anew"|"link"|"failed"|"reject"|"stop" outcome
---@return coreclaw.Error? err
local function judge(job, record)
  if job.outcome then return job.outcome, job.err end
  if not record.status then return judge_failure(job, record.body) end
  if record.status == 200 or record.status == 206 then return judge_file(job, record) end
  return judge_refusal(job, record)
end

-- ---- the link ---------------------------------------------------------------------------------

local function is_link(text)
  local authority = type(text) == "string" and not text:find "[%s%c]"
    and text:match "^[hH][tT][tT][pP][sS]?://([^/?#\\]*)"
  local host = authority and authority:gsub("^.*@", "")
  return host ~= nil and host ~= false and host ~= "" and host:sub(1, 1) ~= ":"
end

local function ask_for_link(job)
  local link, err = job.get_url(transfer.left(job))
  if not link then return nil, err end
  if not is_link(link) then return nil, storage.bad("the platform gave no usable link", false) end
  job.link, job.place = link, storage.place(link)
  return true
end

-- ---- all of it --------------------------------------------------------------------------------

-- One request, with a link for it. `job.link` is gone when it has proved useless.
local function step(job)
  if not job.link then
    local ok, err = ask_for_link(job)
    if not ok then return "stop", err end
  end
  local link = job.link
  local record = transfer.run(job)
  if not record then return "stop", job.err end
  local outcome, err = judge(job, record)
  if err then
    storage.scrub(err, link)
    stats.failed(job.client, err)
  end
  hooks.response(job.client, job.call, record, job.attempts, err)
  if outcome == "anew" or outcome == "reject" then job.part:forget() end
  return outcome, err
end

-- Did it come further than ever?
local function note_progress(job)
  local size = job.part:size()
  if size <= job.best then return end
  if job.last then job.client.budget:earn(job.last) end
  job.best, job.failures, job.detours, job.last = size, 0, 0, nil
end

-- Seconds to wait before another request; nil: there will be none.
local function pause(job, outcome, err)
  if outcome == "stop" or outcome == "reject" then return nil end
  if outcome ~= "failed" and job.detours < DETOURS then
    job.detours = job.detours + 1
    return 0
  end
  job.failures = job.failures + 1
  local delay = retry.again(job.client, err, "read", job.failures, transfer.left(job) or math.huge)
  if not delay then return nil end
  job.last = err
  hooks.retry(job.client, job.call, job.attempts, delay, err)
  return delay
end

local function run(job)
  while true do
    local outcome, err = step(job)
    if outcome == "whole" then
      job.client.budget:earn(job.last)
      return true
    end
    note_progress(job)
    if job.client.clock.now() >= job.deadline and err and err.retryable then return nil, expired(job, err) end
    local delay = pause(job, outcome, err)
    if not delay then return nil, err end
    local cancelled = delay > 0 and job.client.clock:pause(delay)
    if cancelled then return nil, cancelled end
  end
end

local function publish(job)
  local bytes = job.part:size()
  transfer.report(job, bytes, bytes)
  if job.outcome then return nil, job.err end
  local ok, err = job.part:publish(job.options.overwrite, job.options.sync)
  if not ok then return nil, err end
  return { path = job.part.path, bytes = bytes, attempts = job.attempts }
end

-- What would only be noticed at the end.
local function obstacle(path, overwrite)
  local type = core.file_type(path)
  if type == "folder" then return part.error(path .. " is a folder") end
  if type and not overwrite then return part.error(path .. " exists already (overwrite = false)") end
end

local function conclude(job, err)
  err.operation = err.operation or job.call.id
  if job.attempts > 0 then err.attempts = job.attempts end
  if job.part and job.part:resumable() then
    err.message = string.format("%s; %.0f bytes are kept in %s, the same call goes on from there",
      err.message, job.part:size(), job.part.name)
  end
  return err
end

local function new_job(client, get_url, options)
  return {
    client = client, get_url = get_url, options = options, call = { id = options.operation },
    deadline = client.clock:deadline(options.timeout),
    attempts = 0, failures = 0, detours = 0, best = 0,
  }
end

-- The first link comes before the file is touched: asking for it may raise, or tell that there is
-- nothing to download.
local function prepare(job, path)
  local ok, err = ask_for_link(job)
  if not ok then return nil, err end
  job.part, err = part.open(path, job.options.source)
  if not job.part then return nil, err end
  job.best = job.part:size()
  return true
end

local function bring(job, path)
  local ok, err = prepare(job, path)
  if ok then ok, err = run(job) end
  if ok then ok, err = publish(job) end
  if not ok and err then err = conclude(job, err) end
  if job.part then job.part:close() end
  return ok or nil, err
end

---Downloads a file.
---@param client coreclaw.Client
---@param get_url fun(seconds: number?): string?, coreclaw.Error?  asks for a fresh link
---@param path string
---@param options coreclaw.DownloadOptions
---@return coreclaw.Download?
---@return coreclaw.Error?
function download.fetch(client, get_url, path, options)
  options = validate.options("download", options, OPTIONS)
  validate.value("download", "path", path, { type = "text" })
  validate.value("download", "source", options.source, OPTIONS.source)
  local blocked = obstacle(path, options.overwrite)
  if blocked then return nil, blocked end
  local job = new_job(client, get_url, options)
  local result, err = bring(job, path)
  if job.raised then error(job.raised[1], 0) end
  return result, err
end

return download
