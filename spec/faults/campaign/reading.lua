-- What is read: rows, files, states. Each kind reads something whose contents are known, and says
-- what is wrong with what came: a row twice or missing, a byte that is another.

local errors = require "coreclaw.errors"
local json = require "coreclaw.json"

local faults = require "spec.faults.campaign.faults"

local reading = {}

local COUNTS = { 0, 1, 9, 10, 11, 20, 25, 47 }

-- Finished runs, one of each length, and their files as they are without faults.
local function library(lab)
  if lab.library then return lab.library end
  local client, shelf = lab:client("h1", {}), {}
  for _, count in ipairs(COUNTS) do
    local run = assert(client:worker("demo/rows"):call({ count = count }))
    shelf[#shelf + 1] = { slug = run.slug, count = count, files = {} }
  end
  lab.library = shelf
  return shelf
end

local function contents(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

-- ---- rows -------------------------------------------------------------------------------------

-- Are these rows 1 to n, each once and in order? `seen` goes on over several iterators.
local function take(seen, row)
  if type(row.index) ~= "number" or row.index ~= seen.n + 1 then
    return ("row %s came after row %d"):format(tostring(row.index), seen.n)
  end
  seen.n = row.index
end

-- Runs an iterator to its end; returns why it is wrong, and the error that ended it.
local function drain(seen, make)
  local wrong
  local ok, err = pcall(function()
    for row, token in make() do
      wrong = wrong or take(seen, row)
      seen.token = token
    end
  end)
  return wrong, not ok and err or nil
end

local function judge(seen, count, wrong, err)
  if wrong or err then return wrong, err end
  if seen.n ~= count then return ("%d of %d rows came, and no error"):format(seen.n, count) end
end

local function rows(trial)
  local book, seen = trial.book, { n = 0 }
  local run = trial.client:run(book.slug)
  return judge(seen, book.count, drain(seen, function()
    return run:results { limit = trial.limit, timeout = trial.timeout }
  end))
end

-- Goes on with the token until all of it is there, or the trial is tired of it.
local function resumed(trial)
  local book, seen = trial.book, { n = 0 }
  local run, wrong, err = trial.client:run(book.slug), nil, nil
  for _ = 1, 4 do
    wrong, err = drain(seen, function()
      return run:results { limit = trial.limit, timeout = trial.timeout, from = seen.token }
    end)
    if wrong or not err then break end
  end
  return judge(seen, book.count, wrong, err)
end

local function paged(trial)
  local book, seen = trial.book, { n = 0 }
  local run = trial.client:run(book.slug)
  return judge(seen, book.count, drain(seen, function()
    local next_page, list, i = run:pages { limit = trial.limit, timeout = trial.timeout }, {}, 0
    return function()
      i = i + 1
      while not list[i] do
        local page = next_page()
        if not page then return nil end
        list, i = page.list, 1
      end
      return list[i]
    end
  end))
end

local LIVE = 9

-- Rows of a run that is going on.
local function followed(trial)
  local seen = { n = 0 }
  return judge(seen, LIVE, drain(seen, function()
    return trial.run:results {
      follow = true, limit = trial.limit, timeout = trial.timeout, poll_intervals = { 0.002 },
    }
  end))
end

local function live(trial)
  trial.run = assert(trial.client:worker("demo/rows"):start({ count = LIVE, delay = 0.001 }))
end

-- Faults of pages that exist only while a run goes on.
local MOVING = {
  { name = "late_rows", weight = 6, make = function(d) return { late_rows = d:whole(1, 4) } end },
  { name = "repeat_rows", weight = 6, make = function(d) return { repeat_rows = d:whole(1, 4) } end },
}
for _, kind in ipairs(faults.reading) do MOVING[#MOVING + 1] = kind end

-- ---- files ------------------------------------------------------------------------------------

-- A storage whose answer is another whole file with HTTP 200 cannot be found out, so it does not give one.
local STORAGE = {
  { name = "expired", weight = 3, make = function() return { expired = true } end },
  { name = "length", make = function(d) return { content_length = d:pick { 70000, 99999999 } } end },
  { name = "status", weight = 4, make = function(d)
    return { status = d:pick { 400, 403, 404, 408, 410, 416, 429, 500, 502, 503, 504 }, body = d:pick { "", "<html>no</html>" } }
  end },
  { name = "web page", make = function()
    return { status = 200, content_type = "text/html", body = "<!DOCTYPE html><html><body>Log in</body></html>" }
  end },
}
local AS_THEY_ARE = { close = 4, reset = 4, truncate = 6, stall = 1, delay = 1, gzip = 1, redirect = 1 }
for _, kind in ipairs(faults.list) do
  if AS_THEY_ARE[kind.name] then
    STORAGE[#STORAGE + 1] = { name = kind.name, weight = AS_THEY_ARE[kind.name], make = function(d, at)
      return kind.make(d, { after = true, tiny = at.tiny })
    end }
  end
end

-- A web page in place of a web page cannot be found out either.
local FORMATS = { "csv", "json", "jsonl", "xml" }

local function export(trial, client, timeout)
  local run, path = client:run(trial.book.slug), trial.path
  return run:export(path, { format = trial.format, timeout = timeout, idle_timeout = timeout, sync = false })
end

-- The file as it is, read once without faults.
local function known(trial)
  local files = trial.book.files
  if not files[trial.format] then
    trial.path = trial.lab.folder .. "/known"
    assert(export(trial, trial.client, 5))
    files[trial.format] = assert(contents(trial.path))
    os.remove(trial.path)
  end
  trial.path = ("%s/file-%d"):format(trial.lab.folder, trial.number)
end

local function file(trial)
  local result, err = export(trial, trial.client, trial.timeout)
  local text, wanted = contents(trial.path), trial.book.files[trial.format]
  os.remove(trial.path)
  os.remove(trial.path .. ".part")
  if not result then return text and "an error, and a file under its name" or nil, err end
  if text == wanted then return nil end
  return ("%s bytes came, and not the %d that were wanted: %q"):format(text and #text or "no", #wanted, (text or ""):sub(1, 60))
end

-- ---- states -----------------------------------------------------------------------------------

local function waited(trial)
  local run = trial.client:run(trial.book.slug)
  local same, err = run:wait { timeout = trial.timeout, poll_intervals = { 0.002 } }
  if not same then return nil, err end
  return (run.status ~= "succeeded" or run.results_count ~= trial.book.count)
    and ("%s with %s rows"):format(tostring(run.status), tostring(run.results_count)) or nil
end

local function page(trial)
  local result, err = trial.client:run(trial.book.slug):results_page { limit = 10, page = 1, timeout = trial.timeout }
  if not result then return nil, err end
  local expected = math.min(10, trial.book.count)
  return #result.list ~= expected and ("%d rows on a page of %d"):format(#result.list, expected) or nil
end

reading.kinds = {
  { name = "rows", weight = 4, operation = "listWorkerRunResults", read = rows },
  { name = "rows by token", weight = 3, operation = "listWorkerRunResults", read = resumed, calls = 4 },
  { name = "pages", weight = 1, operation = "listWorkerRunResults", read = paged },
  { name = "one page", weight = 1, operation = "listWorkerRunResults", read = page },
  {
    name = "rows as they come", weight = 1, operation = "listWorkerRunResults", also = { "getWorkerRun" },
    read = followed, prepare = live, more = { list = MOVING }, patient = true,
  },
  { name = "wait", weight = 3, operation = "getWorkerRun", read = waited },
  { name = "export", weight = 3, files = true, read = file, more = { list = STORAGE, fields = { origin = "files" } } },
  { name = "export link", weight = 1, operation = "exportWorkerRunResults", files = true, read = file },
  { name = "rows (v1)", weight = 1, operation = "runResultList", read = rows, api = "v1" },
  { name = "wait (v1)", weight = 1, operation = "runDetail", read = waited, api = "v1" },
}

---Prepares a trial of reading, before there are faults.
function reading.prepare(trial, d)
  local shelf = library(trial.lab)
  trial.book, trial.limit = d:pick(shelf), d:pick { 3, 10, 100 }
  trial.format = d:pick(FORMATS)
  if trial.kind.prepare then trial.kind.prepare(trial) end
  if trial.kind.files then known(trial) end
end

---Reads. Returns what is wrong with what came, or nil; and the error that ended it, if one did.
---@return string? wrong
---@return coreclaw.Error? err
function reading.run(trial)
  local wrong, err = trial.kind.read(trial)
  if err ~= nil and not errors.is(err) then
    wrong = wrong or "raised something that is no error object: " .. (type(err) == "table" and json.encode(err) or tostring(err))
  end
  return wrong, err
end

return reading
