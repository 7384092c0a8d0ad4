--- The rows of a run: iterators over rows and pages, finished or still coming, and resuming them.

local ahead = require "coreclaw.ahead"
local alone = require "coreclaw.alone"
local config = require "coreclaw.config"
local follow = require "coreclaw.follow"
local pages = require "coreclaw.pages"
local paging = require "coreclaw.paging"
local token = require "coreclaw.token"
local validate = require "coreclaw.validate"
local watch = require "coreclaw.watch"

local PAGE = {
  limit = { type = "integer", min = 1, max = 100 },
  page = { type = "integer", min = 1 },
  skip_internal = { type = "boolean", default = true },
  timeout = { type = "seconds" },
}
local ROWS = {
  limit = PAGE.limit, page = PAGE.page, skip_internal = PAGE.skip_internal, timeout = PAGE.timeout,
  follow = { type = "boolean", default = false },
  poll_intervals = { type = "table" },
  on_update = { type = "callable" },
  from = { type = "string" },
  ahead = { type = "integer", min = 0, max = 64 },
}

-- Pages in flight.
local AHEAD = 10

local FOLLOW_TIMEOUT = 3600

---@class coreclaw.RowsOptions
---@field follow boolean?         also the rows that are still to come, until the run has ended
---@field from string?            a token: go on behind the row or page it came with
---@field limit integer?          rows per page, 1–100, default 100
---@field page integer?           first page, from 1
---@field ahead integer?         most pages on their way: where the loop would wait for them; 0–64, default 10
---@field skip_internal boolean?  leave out the platform's own row id, default true
---@field timeout number?         seconds for each page; with `follow` for all of it, default 3600, 0 = none
---@field poll_intervals number[]? with `follow`: seconds between reads without news; the last one repeats
---@field on_update (fun(run: coreclaw.Run): boolean?)?  with `follow`: after each read of the run's state; false stops

-- Methods of the run.
local rows = { methods = {} }

---@class coreclaw.Run
local Run = rows.methods

local function source(run, timeout)
  return {
    client = run.client, run = run, operation = "listWorkerRunResults", path = { runId = run.slug },
    options = { timeout = timeout },
    token = token.writer(run.slug), mark = token.of_page(run.slug),
  }
end

local function check(where, run, options)
  options = validate.options(where, options, ROWS)
  if options.from then
    if options.page then validate.fail(where .. ": give either from or page") end
    options.from = token.read(where, options.from, run.slug)
  end
  if options.poll_intervals and not options.follow then
    validate.fail(where .. ": poll_intervals belongs to follow = true")
  elseif options.ahead and options.follow then
    validate.fail(where .. ": ahead does not go with follow = true")
  elseif options.on_update and not options.follow then
    validate.fail(where .. ": on_update belongs to follow = true")
  end
  options.poll_intervals = config.intervals(where, options.poll_intervals)
  options.page, options.limit = options.page or 1, options.limit or 100
  return options
end

-- Pages that are there, and what reads ahead of them.
local function finished(run, options)
  local of, window = source(run, options.timeout), options.ahead or AHEAD
  if window > 0 then
    local expected = run:is_final() and run.results_count or nil
    of.ahead = ahead.new(of, window, function() return run:is_final() end, expected)
  end
  return paging.each(of, options.page, options.limit, options.skip_internal, options.from), of.ahead
end

-- Pages of any kind; the second value of the iterator names the position behind a row.
local function each(where, run, options)
  options = check(where, run, options)
  if not options.follow then return finished(run, options) end
  local timeout = options.timeout or FOLLOW_TIMEOUT
  local reader = follow.new(source(run), watch.new(run, timeout, options.poll_intervals, options.on_update), options)
  return alone.wrap(function() return reader:next() end)
end

-- Lua 5.4 closes the fourth value of a for loop when it is left.
local function closing(iterator, reader)
  if not reader then return iterator end
  return iterator, nil, nil, setmetatable({}, { __close = function() reader:close() end })
end

---Iterates over the rows of the run, page by page in constant memory. Raises the error object.
---`for row in run:results() do print(row.title) end`. Calls `listWorkerRunResults`; `ahead` pages are
---on their way at a time, and what still is when the loop is left is given up.
---
---With `follow = true` also over those that are still to come, each once, until the run has ended
---and everything is read; `run.status` tells how it ended. When the time is up, also while the rows
---of an ended run are read: error `wait_timeout`; the run goes on.
---
---The second value is a token: `run:results { from = token }` goes on behind that row, in any
---process. No row is lost; only where the platform has moved rows may some come again. A raised
---error has one too, in `err.token`.
---@param options coreclaw.RowsOptions?
---@return fun(): table?, string?
function Run:results(options)
  local next_page, reader = each("run:results", self, options)
  return closing(paging.items(next_page, reader and function() reader:poll() end), reader)
end

---Iterates over the pages of the run's results, with a token behind each. Raises the error object.
---With `follow = true` a page holds only its new rows, and may come again with further ones.
---@param options coreclaw.RowsOptions?  as of `run:results`
---@return fun(): coreclaw.Page?, string?
function Run:pages(options)
  local next_page, reader = each("run:pages", self, options)
  return closing(function()
    local page, mark = next_page()
    if page then return page, mark(#page.list) end
  end, reader)
end

---One page of results. Calls `listWorkerRunResults`.
---@param options { page: integer?, limit: integer?, skip_internal: boolean?, timeout: number? }?
---  page from 1, default 1; limit 1–100, default 20
---@return coreclaw.Page?
---@return coreclaw.Error?
---@return coreclaw.Response?
function Run:results_page(options)
  options = validate.options("run:results_page", options, PAGE)
  return pages.one(source(self, options.timeout), options.page or 1, options.limit or 20,
    options.skip_internal)
end

return rows
