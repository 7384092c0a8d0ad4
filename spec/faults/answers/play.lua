-- Serves an answer, byte for byte as a case has it, to a call of the public API, and judges what came.
local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local scripted = require "spec.support.scripted"

local play = {}

local RUN = "01KZS4D8M2XW7Q5T9BHNVRC3EA"

---@class Case
---@field [1] string  what it is
---@field [2] string|table  the answer: bytes, or pieces { bytes, times, ms } with `ends`, or { enc = …, body = … };
---  `answers` instead: several
---@field [3] string|false  the kind of the error; false: it goes well
---@field via string  which call, "account" if not said
---@field say string?  a pattern that the message holds
---@field sent string?
---@field retryable boolean?
---@field client table?  options of the client
---@field check function?  of what came, where it goes well, or of the error

local function all(iterator)
  local list = {}
  for item in iterator do list[#list + 1] = item end
  return list
end

-- Calls by their names. Those that iterate are run in pcall by `call`.
local VIA = {
  account = function(c) return c:account() end,
  reload = function(c) return c:run(RUN):reload() end,
  results = function(c) return all(c:run(RUN):results()) end,
  page = function(c) return c:run(RUN):results_page() end,
  verdict = function(c)
    local run = c:run(RUN)
    run.status = "succeeded"
    return run:verdict()
  end,
  wait = function(c) return c:run(RUN):wait { timeout = 0.3, poll_intervals = { 0.01 } } end,
  call = function(c) return c:worker("a/b"):call({}, { timeout = 0.5, poll_intervals = { 0.01 } }) end,
  abort = function(c) return c:run(RUN):abort() end,
  log = function(c) return c:run(RUN):log() end,
  logs = function(c) return all(c:run(RUN):logs()) end,
  url = function(c) return c:run(RUN):export_url() end,
  start = function(c) return c:worker("a/b"):start {} end,
  sync = function(c) return c:worker("a/b"):run_sync {} end,
  rerun = function(c) return c:run(RUN):rerun() end,
  enqueue = function(c) return c:worker("a/b"):queue {} end,
  activate = function(c) return c:queue_item("q1"):activate() end,
  activate_all = function(c) return c:activate { "q1" } end,
  start_task = function(c) return c:task("t1"):start() end,
  create_task = function(c) return c:create_task { worker = "a/b", title = "t", input = {} } end,
  task = function(c) return c:task("t1"):reload() end,
  task_input = function(c) return c:task("t1"):input() end,
  delete_task = function(c) return c:task("t1"):delete() end,
  detail = function(c) return c:worker("a/b"):detail() end,
  schema = function(c) return c:worker("a/b"):input_schema() end,
  prepare = function(c) return c:worker("a/b"):prepare { keyword = "x" } end,
  versions = function(c) return c:worker("a/b"):versions() end,
  last_run = function(c) return c:last_run() end,
  regions = function(c) return c:proxy_regions() end,
  runs = function(c) return all(c:runs()) end,
  tasks = function(c) return all(c:tasks()) end,
  queue = function(c) return all(c:queue()) end,
  store = function(c) return all(c:store()) end,
  workers = function(c) return all(c:workers()) end,
  request = function(c) return c:request { path = "/x" } end,
  export = function(c) return c:run(RUN):export(play.file) end,
}

---Starts the server.
function play.open()
  play.server, play.engine, play.keys = scripted.start(), core.engine({}), 0
  play.file = os.tmpname()
end

function play.close()
  play.engine:close()
  play.server.stop()
  os.remove(play.file)
end

local function post(path, body)
  local result = scripted.fetch(play.engine, { url = play.server.url .. path, method = "POST", body = body })
  assert(result.status == 200, "the server did not take it: " .. path)
end

-- Bytes or pieces, for the key.
local function tell(key, answer)
  if type(answer) == "string" then answer = { { answer }, ends = "close" } end
  if answer.enc then
    local path = ("/tell/%s/%d/0/keep?enc=%s"):format(key, answer.times or 1, answer.enc)
    return post(path .. (answer.as and "&as=" .. answer.as or ""), answer.body)
  end
  for i, piece in ipairs(answer) do
    if type(piece) == "string" then piece = { piece } end
    local path = ("/tell/%s/%d/%d/%s"):format(key, piece[2] or 1, piece[3] or 0, answer[i + 1] and "more"
      or answer.ends or "keep")
    post(path, piece[1])
  end
end

---An HTTP answer with a length. `headers` is a list of lines.
function play.http(status, body, headers)
  local lines = { "HTTP/1.1 " .. status .. " Whatever" }
  for _, line in ipairs(headers or {}) do lines[#lines + 1] = line end
  lines[#lines + 1] = "Content-Length: " .. #body
  return { table.concat(lines, "\r\n") .. "\r\n\r\n" .. body, ends = "keep" }
end

---An envelope around data, both JSON.
function play.data(data)
  return play.http(200, '{"code":0,"message":"success","data":' .. data .. ',"request_id":"r1"}')
end

---A client of its own for a case: it talks to what `tell` dictates for `key`.
function play.client(key, options)
  local settings = {
    api_key = "k3y-of-the-answers", base_url = play.server.url .. "/say/" .. key, retry = false, timeout = 20,
  }
  for name, value in pairs(options or {}) do settings[name] = value end
  return coreclaw.new(settings)
end

---How many requests came for a key?
function play.count(key)
  return tonumber(scripted.fetch(play.engine, { url = play.server.url .. "/count/" .. key }).body)
end

---A key nobody has had.
function play.key()
  play.keys = play.keys + 1
  return "case" .. play.keys
end

play.tell = tell

---Plays a case: returns value and error (returned or raised), client and key.
function play.run(case)
  local key = play.key()
  for _, answer in ipairs(case.answers or { case[2] }) do tell(key, answer) end
  local client = play.client(key, case.client)
  local ok, value, err = pcall(VIA[case.via or "account"], client)
  if not ok then value, err = nil, value end
  return value, err, client, key
end

-- One line that helps, and no byte that a terminal would obey.
local function check_text(text, most, least)
  assert(type(text) == "string" and #text >= least, "it says nothing")
  assert(#text <= most, "it says " .. #text .. " bytes")
  assert(not text:find "[%z\1-\31\127]", "control bytes: " .. text)
  assert(not text:find "\194[\128-\159]", "control characters: " .. text)
  assert(not text:find("k3y", 1, true), "the key: " .. text)
end

local function check_error(case, err)
  if not coreclaw.is_error(err) then error("no error object but " .. tostring(err), 0) end
  local told = tostring(err)
  if err.kind ~= case[3] then error("kind " .. err.kind .. " instead of " .. tostring(case[3]) .. ": " .. told, 0) end
  check_text(err.message, 1000, 1)
  check_text(told, 1400, 25)
  if case.say and not told:find(case.say) then error("it does not say " .. case.say .. ": " .. told, 0) end
  for _, field in ipairs { "sent", "retryable" } do
    local wanted = case[field]
    if wanted ~= nil and err[field] ~= wanted then error(field .. " is " .. tostring(err[field]) .. ": " .. told, 0) end
  end
end

---Plays a case and asserts all that is promised of it.
function play.assert(case)
  local value, err, client, key = play.run(case)
  if case[3] then
    check_error(case, err)
  elseif err ~= nil or value == nil then
    error("it failed: " .. tostring(err), 0)
  end
  if case.check then case.check(value or err, client) end
  if case[3] == "unknown_outcome" then assert(play.count(key) == 1, "it was sent again") end
  -- Whatever came, the next call is as good as ever. (What the server says when nothing was dictated.)
  local account, why = client:account()
  -- The server may have hung up on a connection that looked alive; a client that may repeat its reads does.
  if not account and why.kind == "network" then account, why = client:account() end
  assert(account and account.balance == "1", "and afterwards: " .. tostring(why))
end

return play
