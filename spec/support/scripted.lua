-- Starts spec/support/scripted_server.py and drives an engine against it.
local M = {}

--- Upper bounds of time are multiplied by this: under valgrind (busted.sh sets RUN) all is slow.
M.patience = os.getenv("RUN") and 20 or 1

--- Starts the server. Fields: port, tls, wrong, close, mute, full (ports), ca (file), pid, url, stop().
function M.start()
  local pipe = assert(io.popen("exec env -u LD_PRELOAD python3 spec/support/scripted_server.py", "r"))
  local line = assert(pipe:read("*l"), "the scripted server did not start")
  local server = { pipe = pipe }
  for name, value in line:gmatch("(%w+)=(%S+)") do
    server[name] = tonumber(value) or value
  end
  server.url = "http://127.0.0.1:" .. server.port
  -- A Lua that was killed closes the pipe as well: the server leaves either way.
  function server.stop()
    if server.pipe then server.pipe:close() end
    server.pipe = nil
  end
  return server
end

--- Takes everything that has ended: a list of { id, status, body, headers, failure }.
function M.drain(engine)
  local all = {}
  while true do
    local id, status, body, headers = engine:next()
    if not id then return all end
    local result = { id = id, status = status }
    if status then
      result.body, result.headers = body, headers
    else
      result.failure = body
    end
    all[#all + 1] = result
  end
end

--- Waits until nothing is in flight, at most so many seconds; returns what M.drain does.
function M.finish(engine, seconds)
  local core = require("coreclaw.core")
  local deadline = core.now() + (seconds or 10) * M.patience
  local all = {}
  repeat
    local left = engine:wait(0.5)
    for _, result in ipairs(M.drain(engine)) do all[#all + 1] = result end
    assert(core.now() < deadline, "transfers are still in flight")
  until left == 0
  return all
end

--- Asserts that a result is a failure of that kind whose message says what the pattern says; returns it.
function M.fails(result, kind, pattern)
  local assert = require("luassert")
  assert.is_nil(result.status)
  assert.equal(kind, result.failure.kind, result.failure.message)
  if pattern then
    assert.truthy(result.failure.message:find(pattern), result.failure.message)
  end
  return result.failure
end

--- One request from submit to its end.
function M.fetch(engine, options)
  local id = engine:submit(options)
  for _, result in ipairs(M.finish(engine)) do
    if result.id == id then return result end
  end
  error("the transfer never came back")
end

--- The body behind a URL.
function M.get(url)
  local engine = require("coreclaw.core").engine({})
  local body = M.fetch(engine, { url = url }).body
  engine:close()
  return body
end

--- What the server's /blob/ scripts hold: so many bytes of that version.
function M.content(version, size)
  local pattern = {}
  for i = 0, 250 do pattern[#pattern + 1] = string.char((i * 7 + version * 31) % 251) end
  return table.concat(pattern):rep(math.floor(size / 251) + 1):sub(1, size)
end

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

return M
