--- Columns of what the platform shows, and its records as JSON gets them.

local shapes = {}

-- Unix seconds as a person reads them, in the time zone of this machine.
local function time_of(value)
  if type(value) ~= "number" or value <= 0 then return nil end
  return os.date("%Y-%m-%d %H:%M:%S", math.floor(value))
end

---A column with a time.
local function time(key, label)
  return { key = key, label = label, show = function(item) return time_of(item[key]) end }
end

shapes.RUN = {
  { key = "slug", label = "run", always = true },
  { key = "status", label = "status", always = true },
  { key = "results_count", label = "rows", always = true },
  { key = "scraper_slug", label = "worker" },
  time("started_at", "started"),
  { key = "duration", label = "seconds" },
  { key = "usage", label = "usage" },
  { key = "scraper_title", label = "title" },
  { key = "version", label = "version" },
  { key = "origin", label = "origin" },
  time("finished_at", "finished"),
  { key = "request_id", label = "request" },
  { key = "err_msg", label = "error" },
}

local RUN_FIELDS = { "slug", "status", "results_count", "scraper_slug", "scraper_title", "version", "usage",
  "traffic", "origin", "started_at", "finished_at", "duration", "err_msg", "request_id" }

-- What a handle knows, without the handle.
local function pick(handle, fields)
  local out = {}
  for _, name in ipairs(fields) do out[name] = handle[name] end
  return out
end

---A run as a record.
---@param run coreclaw.Run
---@return table
function shapes.run(run) return pick(run, RUN_FIELDS) end

shapes.WORKER = {
  { key = "id", label = "worker", always = true },
  { key = "title", label = "title" },
  { key = "description", label = "description" },
}

---A Worker of a list as a record.
function shapes.worker(worker) return pick(worker, { "id", "title", "description", "raw" }) end

-- A schedule in the words in which it is given.
local function schedule_of(task)
  local schedule = task.schedule
  if type(schedule) ~= "table" then return schedule == false and "off" or nil end
  local words = {}
  for _, word in ipairs { "daily", "weekly", "monthly", "once", "at" } do
    if schedule[word] then words[#words + 1] = word .. " " .. tostring(schedule[word]) end
  end
  return table.concat(words, " ") .. (schedule.enabled == false and " (off)" or "")
end

shapes.TASK = {
  { key = "slug", label = "task", always = true },
  { key = "title", label = "title", always = true },
  { key = "worker_id", label = "worker" },
  { key = "schedule", label = "schedule", show = schedule_of },
  { key = "version", label = "version" },
  { key = "description", label = "description" },
}

---A task as a record.
function shapes.task(task)
  return pick(task, { "slug", "title", "worker_id", "schedule", "version", "description" })
end

shapes.ITEM = {
  { key = "queue_ref", label = "item", always = true },
  { key = "queue_status", label = "status", always = true },
  { key = "worker", label = "worker", show = function(item)
    return item.raw and (item.raw.scraper_title or item.raw.scraper_slug or item.raw.worker_id)
  end },
}

---A queue item as a record.
function shapes.item(item) return pick(item, { "queue_ref", "queue_status", "raw" }) end

shapes.OUTCOME = {
  { key = "queue_ref", label = "item", always = true },
  { key = "success", label = "done", always = true },
  { key = "error", label = "error" },
}

shapes.LOG = {
  { key = "time", label = "time", show = function(entry) return time_of(entry.time) end },
  { key = "level", label = "level" },
  { key = "text", label = "text", always = true },
}

---A log entry as one line for a person.
---@param entry coreclaw.LogEntry
---@return string
function shapes.log_line(entry)
  local at = entry.time and os.date("%H:%M:%S ", math.floor(entry.time)) or ""
  return at .. ("%-5s "):format(entry.level or "") .. entry.text
end

return shapes
