-- Envelopes whose fields are of the wrong type.
local play = require "spec.faults.answers.play"

local function body(text, status) return play.http(status or 200, text) end
local LONG = 20 * 1024 * 1024

-- An answer with so many MiB of x in the middle, in pieces: such strings are not made for each Lua that reads this.
local function long(status, before, mebibytes, after)
  local length = #before + mebibytes * 2 ^ 20 + #after
  return {
    ("HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n\r\n%s"):format(status, length, before),
    { ("x"):rep(65536), mebibytes * 16 }, after, ends = "keep",
  }
end

local cases = {}
local function add(case) cases[#cases + 1] = case end

for _, code in ipairs {
  '"0"', '"success"', '""', "0.5", "-0.5", "true", "false", "null", "[]", "[0]", "{}", '{"code":0}', "1e300", "-1e300",
  "9007199254740993", "-9223372036854775808", "9223372036854775807", "18446744073709551616", "1e999", ("9"):rep(400),
} do
  add { "code is " .. code:sub(1, 30), body('{"code":' .. code .. ',"data":{}}'), "bad_response", say = "code",
    sent = "unknown" }
  add { "code is " .. code:sub(1, 30) .. ", of a start", body('{"code":' .. code .. ',"data":{"run_slug":"r"}}'),
    "unknown_outcome", via = "start" }
  add { "code is " .. code:sub(1, 30) .. ", under 503", body('{"code":' .. code .. "}", 503), "server_error",
    retryable = true }
end

for _, code in ipairs { "-1", "1", "200", "99999", "-200", "2147483648", "4294967296", "9007199254740991", "1e3" } do
  add { "an unknown code, " .. code, body('{"code":' .. code .. ',"message":"odd"}'), "api_error", say = "odd",
    sent = "unknown", retryable = false }
  add { "an unknown code, " .. code .. ", of a start", body('{"code":' .. code .. "}"), "unknown_outcome",
    via = "start" }
end

for _, message in ipairs { "null", "5", "true", "[]", '["a"]', "{}", '""' } do
  add { "message is " .. message, body('{"code":70001,"message":' .. message .. "}", 404), "not_found",
    say = "run not found", check = function(err) assert(err.code == 70001) end }
  add { "message is " .. message .. ", of a success", body('{"code":0,"message":' .. message .. ',"data":{"balance":"1"}}'),
    false, check = function(account) assert(account.balance == "1") end }
end

for _, id in ipairs { "null", "5", "1.5", "true", "[]", "{}", '""' } do
  add { "request_id is " .. id, body('{"code":70001,"message":"m","request_id":' .. id .. "}", 404), "not_found",
    check = function(err) assert(err.request_id == nil) end }
  add { "request_id is " .. id .. ", of a start",
    body('{"code":0,"data":{"run_slug":"r1"},"request_id":' .. id .. "}"), false, via = "start",
    check = function(run) assert(run.slug == "r1" and run.request_id == nil) end }
end

for _, details in ipairs {
  "null", "5", '"too large"', "true", "[]", "{}", '{"1":"x"}', "[null]", "[[]]", '["a",5]', '["a",null,"b"]', "[1e999]",
  '[{"field":"x"}]', '["a\\n\\u001b[31mb"]', ("["):rep(190) .. ("]"):rep(190), "[" .. ('"a",'):rep(10000) .. '"a"]',
} do
  add { "details is " .. details:sub(1, 20), body('{"code":11000,"message":"bad","details":' .. details .. "}", 422),
    "bad_request", say = "bad", sent = "refused" }
end

-- What an error may say is bounded, whatever the platform says.
local ESC = "\\u001b]0;owned\\u0007 \\u009b31m \\r\\n\\u0000"
add { "a message of 20 MB", long(404, '{"code":50001,"message":"', 20, '"}'), "not_found" }
add { "a message of newlines", body('{"code":50001,"message":"' .. ("\\n"):rep(5000) .. 'x"}', 404), "not_found" }
add { "a message for the terminal", body('{"code":50001,"message":"' .. ESC .. '"}', 404), "not_found" }
add { "a message in bytes that are no UTF-8", body('{"code":50001,"message":"\255\155\1\237\160\128"}', 404), "not_found" }
add { "a message in raw control bytes", body('{"code":50001,"message":"a\27[2Jb\1"}', 404), "not_found" }
add { "a request_id of 1 MB", long(404, '{"code":50001,"message":"m","request_id":"', 1, '"}'),
  "not_found" }
add { "a request_id for the terminal", body('{"code":50001,"message":"m","request_id":"' .. ESC .. '"}', 404),
  "not_found", check = function(err) assert(not err.request_id:find "%c") end }
add { "details of 5 MB", long(422, '{"code":11000,"message":"m","details":["', 5, '"]}'),
  "bad_request" }
add { "the key, a hundred thousand times",
  body('{"code":11000,"message":"' .. ("k3y-of-the-answers "):rep(100000) .. '"}', 422), "bad_request", say = "%*%*%*" }
add { "the key at the cut of a long message",
  body('{"code":11000,"message":"' .. ("x"):rep(990) .. 'k3y-of-the-answers"}', 422), "bad_request" }
add { "the key in a body that is no JSON", body("<b>k3y-of-the-answers</b>"), "bad_response", say = "%*%*%*" }
add { "HTML of 1 MB", body("<html>" .. ("<br>"):rep(2 ^ 18), 502), "server_error" }
add { "20 MB in a string", long(200, '{"code":0,"data":{"balance":"', 20, '"}}'), false,
  check = function(account) assert(#account.balance == LONG) end }

add { "arrays, a million deep", { "HTTP/1.1 200 OK\r\n\r\n", { ("["):rep(20000), 50 }, { ("]"):rep(20000), 50 },
  ends = "close" }, "bad_response", say = "200 levels" }
add { "objects, a million deep, of a start", { "HTTP/1.1 200 OK\r\n\r\n", { ('{"a":'):rep(20000), 50 }, "1",
  { ("}"):rep(20000), 50 }, ends = "close" }, "unknown_outcome", via = "start", say = "200 levels" }

for status, kind in pairs {
  [201] = false, [202] = false, [299] = false, [300] = "redirect", [302] = "redirect", [399] = "redirect",
  [400] = "bad_request", [401] = "authentication", [402] = "api_error", [403] = "forbidden", [404] = "not_found",
  [407] = "api_error", [408] = "api_error", [418] = "api_error", [429] = "rate_limited", [451] = "api_error",
  [500] = "server_error", [501] = "not_implemented", [502] = "server_error", [503] = "server_error",
  [504] = "server_error", [511] = "server_error", [599] = "server_error", [600] = "api_error", [999] = "api_error",
} do
  add { "code 0 under HTTP " .. status, body('{"code":0,"data":{"run_slug":"r"}}', status), kind,
    sent = kind and "unknown" or nil }
  if kind then
    add { "HTML to a start under HTTP " .. status, body("<html>no", status), "unknown_outcome", via = "start",
      sent = "unknown", check = function(err) assert(err.cause.kind == kind, err.cause.kind) end }
  end
end

for _, value in ipairs { "5", "1.5", "true", "false", '"ok"', '""', "[1]", '[{"balance":"1"}]' } do
  for _, via in ipairs { "account", "reload", "results", "page", "log", "url", "schema", "detail", "task", "task_input",
    "runs", "tasks", "queue", "store", "workers", "regions", "last_run", "versions" } do
    add { "data is " .. value .. ", for " .. via, play.data(value), "bad_response", via = via, sent = "yes" }
  end
  for _, via in ipairs { "start", "sync", "rerun", "enqueue", "start_task", "create_task" } do
    add { "data is " .. value .. ", for " .. via, play.data(value), "unknown_outcome", via = via, sent = "unknown" }
  end
  -- Nobody needs it there.
  add { "data is " .. value .. ", for abort", play.data(value), false, via = "abort" }
  add { "data is " .. value .. ", for delete_task", play.data(value), false, via = "delete_task" }
end

for _, value in ipairs { "null", "{}", "[]" } do
  for _, via in ipairs { "results", "runs", "tasks", "queue", "store", "workers", "regions", "account", "page", "log" } do
    add { "data is " .. value .. ", for " .. via, play.data(value), false, via = via }
  end
end

return cases
