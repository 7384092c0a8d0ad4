-- Fields of an answer's data of the wrong type, as the handles meet them.
local play = require "spec.faults.answers.play"

local data = play.data
local cases = {}
local function add(case) cases[#cases + 1] = case end

local WRONG = { "5", "-1", "1.5", "1e999", "true", '"text"', "[1]", '{"a":1}', "null" }
local NO_LIST = { "5", "-1", "1.5", "true", "false", '"text"', '""', '{"a":1}', '{"1":{"slug":"s"}}' }
local NO_TEXT = { "5", "1.5", "true", "false", '""', "[]", '["r"]', "{}", "null" }
local NO_OBJECT = { "5", "1.5", "true", "false", '"text"', "null", "[]", "[1]", "{}" }

-- Lists that are none, and lists of what is no object.
for via, key in pairs { results = "list", page = "list", runs = "list", tasks = "list", queue = "list", regions = "list",
  log = "list", logs = "list", store = "scraper", workers = "scraper" } do
  for _, value in ipairs(NO_LIST) do
    add { via .. ": " .. key .. " is " .. value, data('{"' .. key .. '":' .. value .. "}"), "bad_response", via = via,
      say = key, sent = "yes" }
  end
  for _, value in ipairs { "null", "[]", "{}" } do
    add { via .. ": " .. key .. " is " .. value, data('{"' .. key .. '":' .. value .. "}"), false, via = via }
  end
end
for via, key in pairs { tasks = "list", queue = "list", store = "scraper", workers = "scraper", runs = "list" } do
  for _, value in ipairs(NO_OBJECT) do
    add { via .. " holds " .. value, data('{"' .. key .. '":[' .. value .. "]}"), "bad_response", via = via }
  end
end

-- Rows and log entries are the Worker's: whatever they are, they come.
for _, value in ipairs(NO_OBJECT) do
  add { "a row is " .. value, data('{"list":[' .. value .. '],"count":1}'), false, via = "results",
    check = function(rows) assert(#rows == 1) end }
  add { "the only row is " .. value .. ", judged", data('{"list":[' .. value .. '],"count":1}'), false, via = "verdict" }
  add { "a log entry is " .. value, data('{"list":[' .. value .. "]}"), false, via = "log",
    check = function(log) assert(type(log.entries[1].text) == "string") end }
end

for _, value in ipairs(WRONG) do
  for _, name in ipairs { "headers", "count", "page_index", "page_size", "total" } do
    local body = '{"list":[{"a":1}],"' .. name .. '":' .. value .. "}"
    local drifts = name == "page_index" and (value == "5" or value == "-1" or value == "1.5")
    add { "results: " .. name .. " is " .. value, data(body), drifts and "page_drift" or false, via = "results",
      answers = name == "count" and (value == "5" or value == "1.5") and { data(body), data '{"list":[]}' } or nil }
  end
  for _, name in ipairs { "content", "type", "timestamp", "group" } do
    add { "log: " .. name .. " is " .. value, data('{"list":[{"' .. name .. '":' .. value .. "}]}"), false, via = "logs" }
  end
  for _, name in ipairs { "all_logs_url", "result_count" } do
    add { "log: " .. name .. " is " .. value, data('{"list":[],"' .. name .. '":' .. value .. "}"), false, via = "log" }
  end
  for _, name in ipairs { "results", "started_at", "finished_at", "duration", "traffic", "usage", "version", "origin",
    "scraper_slug", "scraper_title", "err_msg", "client", "wait" } do
    add { "run: " .. name .. " is " .. value, data('{"slug":"r1","status":"succeeded","' .. name .. '":' .. value .. "}"),
      false, via = "reload", check = function(run)
        assert(type(run.wait) == "function" and type(run.client) == "table" and #tostring(run) > 10)
        assert(type(run.results_count) == "number" and run.results_count >= 0)
        assert(run.err_msg == nil or type(run.err_msg) == "string")
      end }
  end
  add { "a failed run's err_msg is " .. value, via = "call", [3] = "run_failed", answers = {
    data '{"run_slug":"r1"}', data('{"slug":"r1","status":"failed","err_msg":' .. value .. "}"), data '{"list":[]}',
  } }
  for _, name in ipairs { "schedule_type", "schedule_enabled", "schedule_time", "schedule_weekday", "schedule_day",
    "schedule_once_date", "title", "description", "version", "worker_path", "worker_slug", "worker_id" } do
    add { "task: " .. name .. " is " .. value, data(
      '{"slug":"t1","schedule_type":4,"schedule_time":"09:00","' .. name .. '":' .. value .. "}"), false, via = "task" }
  end
  for _, name in ipairs { "run_status", "is_finished", "error_message", "running_duration", "execution_start_timestamp" } do
    add { "sync: " .. name .. " is " .. value, data('{"run_slug":"r1","' .. name .. '":' .. value .. "}"), false,
      via = "sync", check = function(result) assert(result.run.slug == "r1") end }
  end
end

for _, value in ipairs(NO_TEXT) do
  for _, via in ipairs { "start", "sync", "rerun", "start_task" } do
    add { via .. ": run_slug is " .. value, data('{"run_slug":' .. value .. "}"), "unknown_outcome", via = via }
  end
  add { "create_task: slug is " .. value, data('{"slug":' .. value .. "}"), "unknown_outcome", via = "create_task" }
  add { "run: status is " .. value, data('{"slug":"r1","status":' .. value .. "}"), "bad_response", via = "reload" }
  add { "last_run: slug is " .. value, data('{"status":"running","slug":' .. value .. "}"), "bad_response",
    via = "last_run" }
  add { "url: download_url is " .. value, data('{"download_url":' .. value .. "}"), "bad_response", via = "url" }
  add { "export: download_url is " .. value, data('{"download_url":' .. value .. "}"), "bad_response", via = "export" }
  for via, key in pairs { tasks = "list", runs = "list", store = "scraper", workers = "scraper" } do
    add { via .. ": slug is " .. value, data('{"' .. key .. '":[{"slug":' .. value .. "}]}"), "bad_response", via = via }
  end
end
for _, value in ipairs { "true", "false", '""', "[]", "{}", "null" } do
  add { "enqueue: queue_ref is " .. value, data('{"queue_ref":' .. value .. "}"), "unknown_outcome", via = "enqueue" }
  add { "queue: queue_ref is " .. value, data('{"list":[{"queue_ref":' .. value .. "}]}"), "bad_response", via = "queue" }
end

-- The run of a sync start is not lost with its rows.
for _, value in ipairs { "5", "true", '"text"', "[1]", '{"list":5}', '{"list":{"a":1}}', '{"list":"x"}' } do
  add { "sync: results is " .. value, data('{"run_slug":"r1","run_status":"succeeded","results":' .. value .. "}"),
    "bad_response", via = "sync", sent = "yes", check = function(err) assert(err.run.slug == "r1") end }
end

-- Ids that would lead a later request astray.
for _, slug in ipairs { "../../users", "a/b", "a?b", "last", "a\\nb", " ", ".", ("s"):rep(2000) } do
  add { "start: run_slug is " .. slug:sub(1, 20), data('{"run_slug":"' .. slug .. '"}'), "unknown_outcome", via = "start" }
  add { "last_run: slug is " .. slug:sub(1, 20), data('{"slug":"' .. slug .. '","status":"ready"}'), "bad_response",
    via = "last_run" }
end

for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/x", "//127.0.0.1/x", "/x", "http://", "http:///x", "x",
  "http://127.0.0.1/a b", "http://127.0.0.1/\\r\\nX: y", "javascript:1", "gopher://127.0.0.1:1/_x", "HTTP:x" } do
  add { "export: the link is " .. url, data('{"download_url":"' .. url .. '"}'), "bad_response", via = "export",
    say = "link" }
end

for _, value in ipairs { "5", "1.5", "true", "false" } do
  add { "schema: input_schema is " .. value, data('{"input_schema":' .. value .. "}"), "bad_response", via = "schema" }
end
for _, value in ipairs(WRONG) do
  for _, schema in ipairs {
    '{"properties":%s}', '{"properties":[%s]}', '{"properties":{"keyword":%s}}', '{"properties":[{"name":%s}]}',
    '{"properties":[{"name":"keyword","type":%s}]}', '{"properties":[{"name":"keyword","default":%s}]}',
    '{"properties":[{"name":"keyword","options":%s}]}', '{"properties":[{"name":"keyword","required":%s,"enum":[%s]}]}',
    '{"properties":{"keyword":{"type":"string","enum":%s}},"required":%s}', '{"concurrency":{"fields":%s}}',
    '{"concurrency":%s,"properties":[]}', '{"properties":[{"name":"keyword","param_list":%s,"type":"array"}]}',
    '{"properties":[{"name":"keyword","minimum":%s,"maximum":%s,"type":"integer"}]}',
    '{"concurrency":{"fields":["keyword"],"remove_fields":%s}}',
  } do
    local text = schema:gsub("%%s", (value:gsub("%%", "%%%%")))
    add { "prepare: " .. text, data('{"input_schema":' .. text .. "}"), false, via = "prepare" }
  end
end

for _, via in ipairs { "activate", "activate_all" } do
  for _, value in ipairs { "5", "true", '"text"', '{"a":1}', "[5]", '["x"]', "[null]", "[true]" } do
    add { via .. ": results is " .. value, data('{"results":' .. value .. "}"), "bad_response", via = via }
  end
  for _, value in ipairs(WRONG) do
    add { via .. ": success is " .. value,
      data('{"results":[{"queue_ref":"q1","success":' .. value .. ',"error":' .. value .. "}]}"),
      via == "activate" and value ~= "true" and "run_conflict" or false, via = via }
  end
end

return cases
