-- Every fault there is, with its dice. `make(d, at)` returns what the sandbox is told; `at` has
--   after   true: the work is done all the same, and only the answer is lost
--   tiny    seconds that a call gets where it may be kept waiting
-- Results: the fault, and `slow` (the call gets little time), `late` (seconds that the server may be
-- busy with it after the call has ended).
--
-- The server never lies about money: where the work was done, no answer says that it was refused.

local faults = {}

-- Refusals of the platform, v2 and v1: HTTP status and code.
local REFUSALS = {
  { 429, 13000 }, { 429, 4290 }, { 400, 30003 }, { 401, 12001 }, { 401, 12002 }, { 401, 20001 }, { 401, 20002 },
  { 401, 10001 }, { 401, 10002 }, { 401, 4010 }, { 422, 11000 }, { 400, 11000 }, { 400, 4000 }, { 404, 11004 },
  { 404, 4040 }, { 400, 30001 }, { 400, 30002 }, { 404, 50001 }, { 400, 50003 }, { 404, 60001 }, { 404, 70001 },
  { 501, 16000 },
}

-- Codes that do not tell whether anything was done, and some that nobody knows.
local UNSURE = {
  { 500, 10000 }, { 500, 14000 }, { 400, 50002 }, { 400, 70002 }, { 500, 5000 }, { 500, 70002 }, { 200, 10000 },
  { 200, 14000 }, { 200, 50002 }, { 200, 99999 }, { 418, 77777 }, { 503, -1 }, { 200, 1 }, { 502, 0 }, { 404, 0 },
}

local STATUSES = {
  201, 202, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412,
  413, 414, 415, 417, 418, 422, 423, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599,
}

-- Answers that say nothing about what was done. None of them is a whole success.
local BODIES = {
  "", " ", "{", "}", "[", "[]", "null", "true", "0", '"ok"', "nonsense", "<html><body>Bad gateway</body></html>",
  '{"code"', '{"code":}', '{"code":"0"}', '{"code":null}', '{"code":1.5}', '{"code":[0]}', '{"message":"success"}',
  '{"code":0,"message":"success","data":', '{"code":0,"message":"success","data":{"run_slug":"01',
  '{"code":0,"data":{"run_slug":""}}', '{"code":0,"data":{"run_slug":7}}', '{"code":0,"data":{"run_slug":null}}',
  '{"code":0,"data":"01KZS4D8M2XW7Q5T9BHNVRC3EA"}', '{"code":0,"data":7}', '{"code":false}',
  '{"code":0,"data":{"slug":{}}}', '{"code":0,"data":{"queue_ref":[1]}}', ("["):rep(3000), ('{"a":'):rep(2000),
  '{"code":0,"data":{"status":5}}', '{"code":0}{"code":0}', "\239\187\191{", '{"code":10000}', '{"code":14000,"data":{}}',
}

-- The platform may say so of an empty list (its `data` may be absent, null or empty), so reading takes it as one.
local NOTHING = { '{"code":0}', '{"code":0,"data":null}', '{"code":0,"data":{}}', '{"code":0,"data":[]}' }

local RAW = {
  "", "\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n", ("HTTP/1.1 103 Early Hints\r\n\r\n"):rep(30), "HTTP/9.9 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cod\r\n", "HTTP/1.1 999 What\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.0 500 No\r\nConnection: close\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "\0\1\2\3\4\5\6\7", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n",
  "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n: empty name\r\n\r\n",
}

local TARGETS = {
  "/", "/api/v2/users/account", "http://127.0.0.1:1/", "https://localhost/", "//elsewhere.invalid/x", "ftp://127.0.0.1/",
  "javascript:alert(1)", "http://", "",
}

local RETRY_AFTER = { "0", "-1", "3600", "99999999999999999999", "soon", "Wed, 21 Oct 2015 07:28:00 GMT" }

local function envelope(d, at)
  local list = (at.after or d:chance(0.4)) and UNSURE or REFUSALS
  local one = d:pick(list)
  local fault = { status = d:chance(0.25) and 200 or one[1], code = one[2], work = at.after }
  -- A success with a code of 0 is one, whatever it is made of.
  if one[2] == 0 then fault.status = one[1] end
  if d:chance(0.3) then fault.headers = { ["Retry-After"] = d:pick(RETRY_AFTER) } end
  return fault
end

local function page(d, at)
  local fault = { status = d:pick(STATUSES), body = d:chance(0.3) and "" or d:pick(BODIES), work = at.after }
  fault.content_type = d:pick { "text/html", "application/json", "text/plain; charset=latin1", "" }
  if d:chance(0.2) then fault.headers = { ["Retry-After"] = d:pick(RETRY_AFTER) } end
  return fault
end

-- Cut or held up: the work is always done. Before it, the whole request is held up.
local function stall(d, at)
  if not at.after then return { header_delay = at.tiny * 1.5 }, true, at.tiny * 2 end
  return { stall_after = d:pick { 0, 1, 20, 60 }, stall_for = at.tiny * 1.5 }, true, at.tiny * 2
end

local function delay(d, at)
  local seconds = at.tiny * d:between(0.2, 1.6)
  return at.after and { delay = seconds } or { header_delay = seconds }, true, at.tiny * 2
end

local function dribble(d, at)
  local bytes = d:pick { 5, 20, 40 }
  local fault = { dribble = { bytes = bytes, interval = d:between(0, at.tiny / 3) } }
  if not at.after then fault.raw = "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" .. ("x"):rep(60) end
  return fault, true, at.tiny * 12
end

local function lying_length(d, at)
  local fault = { content_length = d:pick { 0, 1, 20, 5000, 999999999 } }
  if not at.after then fault.body, fault.work = d:pick(BODIES), false end
  return fault
end

faults.list = {
  { name = "envelope", weight = 6, make = envelope },
  { name = "page", weight = 4, make = page },
  { name = "body", weight = 4, make = function(d, at) return { body = d:pick(BODIES), work = at.after } end },
  { name = "nothing", weight = 1, making = true, make = function(d, at) return { body = d:pick(NOTHING), work = at.after } end },
  { name = "raw", weight = 4, make = function(d, at) return { raw = d:pick(RAW), work = at.after } end },
  { name = "close", weight = 4, make = function(_, at) return { close = at.after and "after" or "before" } end },
  { name = "reset", weight = 4, make = function(_, at)
    return { reset = true, close = at.after and "after" or "before" }
  end },
  { name = "truncate", weight = 3, make = function(d, at)
    local fault = { truncate_after = d:pick { 0, 1, 10, 40, 60 } }
    if not at.after then fault.body, fault.work = ('{"code":0,"data":%s}'):format(("[1,"):rep(50)), false end
    return fault
  end },
  { name = "length", weight = 2, make = lying_length },
  { name = "gzip", weight = 2, make = function(_, at)
    return { gzip = "damaged", work = at.after, body = not at.after and "{}" or nil }
  end },
  { name = "packed", make = function() return { gzip = "good" } end }, -- no fault at all
  { name = "redirect", weight = 2, make = function(d, at)
    return { redirect = d:pick(TARGETS), status = d:pick { 301, 302, 303, 307, 308 }, work = at.after }
  end },
  { name = "huge", weight = 0.5, make = function(_, at) return { huge = 200000, work = at.after } end },
  { name = "stall", weight = 1, make = stall },
  { name = "delay", weight = 1, make = delay },
  { name = "dribble", weight = 0.5, make = dribble },
}

---Those of them that may meet a read.
faults.reading = {}
for _, kind in ipairs(faults.list) do
  if not kind.making then faults.reading[#faults.reading + 1] = kind end
end

---Some faults for an operation: one after the other, each for so many requests.
---@param d table       dice
---@param operations string[]  which the faults may meet
---@param more table    list: the faults that may come; fields: of each of them
---@return table[] faults
---@return table about  `slow`, `late`, `tiny`, `names`
function faults.some(d, operations, more)
  local about = { tiny = d:between(0.008, 0.02), late = 0, names = {} }
  local list = {}
  for i = 1, d:weighted({ { n = 1, weight = 6 }, { n = 2, weight = 3 }, { n = 3 }, { n = 5, weight = 0.5 } }).n do
    local kind, after = d:weighted(more.list), d:chance(0.5)
    local fault, slow, late = kind.make(d, { after = after, tiny = about.tiny })
    fault.operation = operations[d:whole(1, #operations)]
    fault.times = d:weighted({ { n = 1, weight = 8 }, { n = 2 }, { n = 4 } }).n
    if d:chance(0.15) then fault.nth = d:whole(1, 3) end
    for name, value in pairs(more.fields or {}) do fault[name] = value end
    list[i] = fault
    about.slow, about.late = about.slow or slow or false, math.max(about.late, late or 0)
    about.names[i] = kind.name .. (after and "/after" or "/before")
  end
  return list, about
end

-- ---- what goes wrong before anything is sent --------------------------------------------------

---Each returns options of a client, and whether the request certainly cannot leave.
faults.connecting = {
  { name = "refused", make = function(box) return { base_url = box.refused_url }, true end },
  { name = "no TLS there", make = function(box)
    return { base_url = (box.url:gsub("^http:", "https:")), ca_file = box.ca_file }, true
  end },
  { name = "only TLS there", make = function(box) return { base_url = (box.tls_url:gsub("^https:", "http:")) } end },
  { name = "untrusted", make = function(box, nobody) return { base_url = box.tls_url, ca_file = nobody }, true end },
}

return faults
