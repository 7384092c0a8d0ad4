-- The examples for nginx and for Neovim, in both of them. They are LuaJIT's, so they run on it only.
if not rawget(_G, "jit") then return end

local box = require "spec.support.box"
local coreclaw = require "coreclaw"
local example = require "spec.support.example"
local nginx = require "spec.hosts.nginx"

local shell, quoted, read = example.shell, example.quoted, example.read

local function absolute(path)
  return (path:gsub("%./", shell "pwd" .. "/"))
end

-- Where programs that are started elsewhere find our modules.
local function paths()
  return ("LUA_PATH=%s LUA_CPATH=%s"):format(quoted(absolute(os.getenv "LUA_PATH")),
    quoted(absolute(os.getenv "LUA_CPATH")))
end

describe("examples/openresty", function()
  local server, folder, keeper, url, client

  setup(function()
    server = box.start { ready_for = 0.01, callback_copies = 2 }
    client = box.client(server)
    folder = shell "mktemp -d"
    local port = nginx.free_port()
    url = "http://127.0.0.1:" .. port
    shell(("cp examples/openresty/* %s"):format(folder))
    local conf, n = read(folder .. "/nginx.conf"):gsub("listen 127%.0%.0%.1:8080", "listen 127.0.0.1:" .. port)
    assert.equal(1, n)
    example.write(folder .. "/nginx.conf", conf)
    local main = nginx.modules():gsub("\n", " ") .. " daemon off; user " .. shell "id -un" .. ";"
    keeper = io.popen(("unset LD_PRELOAD; PATH=$PATH:/usr/sbin; env %s CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s " ..
      "SERVICE_URL=%s SERVICE_SECRET=%s SERVICE_WORKER=demo/rows nginx -p %s -c nginx.conf -g %s 2> %s/log " ..
      "< /dev/null & pid=$!; cat > /dev/null; kill $pid; wait $pid"):format(paths(), server.key, server.url, url,
      "0123456789abcdef", folder, quoted(main), folder), "w")
    example.eventually(function() return shell("curl -s -o /dev/null -w %{http_code} " .. url .. "/metrics") == "200" end,
      function() return "nginx: " .. read(folder .. "/log") end)
  end)

  teardown(function()
    keeper:close()
    server:stop()
    shell("rm -rf " .. folder)
  end)

  -- Body, status.
  local function request(path, options)
    local text = shell(("curl -s --max-time 30 -w '\n%%{http_code}' %s %s"):format(options or "", quoted(url .. path)))
    local body, status = text:match "^(.-)\n?(%d+)$"
    return body, tonumber(status)
  end

  local function start(input)
    local body, status = request("/runs", "-d " .. quoted(input))
    assert.equal(202, status, body .. read(folder .. "/log"))
    return assert(coreclaw.json.decode(body)).run
  end

  it("starts a run, hears of its end once, and streams its rows", function()
    local before = server:paid()
    local slug = start '{"count": 250}'
    assert.equal(1, server:paid() - before)
    local rows = request("/runs/" .. slug .. "/rows")
    assert.equal(250, select(2, rows:gsub("\n", "")))
    assert.matches('"index":250', rows)
    example.eventually(function()
      local state = coreclaw.json.decode((request("/runs/" .. slug)))
      return state.status == "succeeded" and not state.rows -- as the callback told, not as the platform says now
    end, function() return "the callback: " .. request("/runs/" .. slug) .. read(folder .. "/log") end)
    -- the platform sent each twice: each state was looked at once
    example.eventually(function() return #server:callbacks() >= 4 end, "all callbacks")
    local looks = {}
    for _, callback in ipairs(server:callbacks()) do
      assert.equal(204, callback.status)
      looks[callback.run_status] = (looks[callback.run_status] or 0) + 1
    end
    assert.same({ running = 2, succeeded = 2 }, looks)
  end)

  it("streams rows while they come", function()
    local slug = start '{"count": 100, "delay": 0.2}'
    shell(("curl -s -N --max-time 6 %s/runs/%s/rows > %s/stream; true"):format(url, slug, folder))
    local _, lines = read(folder .. "/stream"):gsub("\n", "")
    assert.is_true(lines > 2 and lines < 100, lines)
    assert(client:run(slug):abort())
  end)

  it("takes no callback that it did not ask for", function()
    server:reset_requests()
    local body = '{"run_slug": "01KZS4D8M2XW7Q5T9BHNVRC3EA", "run_status": "succeeded"}'
    local _, status = request("/callback", "-d " .. quoted(body))
    assert.equal(403, status)
    local address = coreclaw.callback.url(url .. "/callback", "another secret of another one")
    _, status = request(address:match "/callback.*", "-d " .. quoted(body))
    assert.equal(403, status)
    for _, each in ipairs(server:requests()) do assert.is_nil(each.path:find("01KZS4D8", 1, true)) end
    -- a run that is none is not remembered
    address = coreclaw.callback.url(url .. "/callback", "0123456789abcdef")
    for _ = 1, 2 do
      _, status = request(address:match "/callback.*", "-d " .. quoted(body))
      assert.equal(404, status)
    end
  end)

  it("tells its caller what went wrong", function()
    local body, status, _
    _, status = request("/runs", "-d 'no JSON'")
    assert.equal(400, status)
    body, status = request("/runs", [[-d '{"count": "many"}']])
    assert.equal(400, status, body)
    assert.matches("count", body)
    _, status = request "/runs"
    assert.equal(405, status)
    body, status = request "/runs/01KZS4D8M2XW7Q5T9BHNVRC3EA/rows"
    assert.same({ 404, true }, { status, body:find "not_found" ~= nil })
    server:fault { operation = "runWorker", times = 1, status = 500, body = "oops" }
    body, status = request("/runs", [[-d '{"count": 1}']])
    assert.same({ 502, true }, { status, body:find "unknown_outcome" ~= nil })
  end)

  it("cuts off what it cannot finish", function()
    local slug = start '{"count": 250}'
    assert(client:run(slug):wait())
    server:fault { operation = "listWorkerRunResults", nth = 2, status = 403, body = "no", times = 20 }
    local code = shell(("curl -s -o /dev/null --max-time 20 %s/runs/%s/rows; echo $?"):format(url, slug))
    server:clear_faults()
    assert.not_equal("0", code)
  end)

  it("tells Prometheus of all its processes", function()
    local body, status
    local function started()
      local sum = 0
      for n in body:gmatch 'coreclaw_requests_total{process="%d",operation="runWorker"} (%d+)' do sum = sum + n end
      return sum
    end
    example.eventually(function() -- each process tells now and then
      body, status = request "/metrics"
      return body:find('process="0"', 1, true) and body:find('process="1"', 1, true) and started() >= 3
    end, function() return "both processes, and three starts, in:\n" .. body end)
    assert.equal(200, status)
    for line in body:gmatch "[^\n]+" do
      assert.is_truthy(line:find "^# %u+ coreclaw_%l[%l_]+ %w+" or line:find '^coreclaw_%l[%l_]+{.-} %d+%.?%d*$', line)
    end
    assert.is_nil(body:find(server.key, 1, true))
  end)
end)

describe("examples/nvim", function()
  local server, folder, session

  setup(function()
    server = box.start { ready_for = 0.01 }
    folder = shell "mktemp -d"
    shell(("mkdir -p %s/plugin && cp examples/nvim/coreclaw.lua %s/plugin/"):format(folder, folder))
  end)
  teardown(function()
    server:stop()
    shell("rm -rf " .. folder)
  end)

  -- tmux has a server of its own for each session, in our folder: one that was told to end still answers for a
  -- moment, and takes what is begun in it along.
  local sessions = 0
  local function tmux(words)
    return shell(("env -u TMUX TMPDIR=%s tmux -S %s/tmux%d -f /dev/null %s 2>&1")
      :format(folder, folder, sessions, words))
  end

  local function screen() return tmux "capture-pane -p" end
  local function keys(...)
    for _, text in ipairs { ... } do tmux("send-keys " .. quoted(text)) end
  end
  local function sees(words)
    return example.eventually(function()
      local text = screen()
      return text:find(words, 1, true) and text
    end, function() return words .. "\nin:\n" .. screen() end)
  end

  before_each(function()
    server:reset_requests()
    sessions = sessions + 1
    session = tmux(("new-session -d -x 100 -y 30 %s"):format(quoted(
      ("env %s CORECLAW_API_KEY=%s CORECLAW_BASE_URL=%s nvim -u NONE -i NONE --cmd 'set rtp^=%s' " ..
      "-c 'runtime! plugin/coreclaw.lua' 2> %s/err"):format(paths(), server.key, server.url, folder, folder))))
    assert.equal("", session)
    sees "[No Name]"
  end)
  after_each(function() tmux "kill-server" end)

  local function operations()
    local list = {}
    for _, each in ipairs(server:requests()) do
      local name = each.operation or each.origin
      list[name] = (list[name] or 0) + 1
    end
    return list
  end

  it("picks a Worker, asks what its schema wants, shows its log and its rows", function()
    keys(":Coreclaw", "Enter")
    local menu = sees "Type number and <Enter>"
    local number = menu:match "(%d+): demo[~/]rows"
    assert.is_truthy(number, menu)
    keys(number, "Enter")
    sees "count *: 10"
    keys("C-u", "3", "Enter")
    sees "flat"
    keys("2", "Enter") -- nested
    for _, field in ipairs { "size", "delay", "wait", "fail_at", "fail_message" } do
      sees(field .. ":")
      keys "Enter"
    end
    sees "writing 3 rows of kind nested"
    sees "succeeded, 3 rows"
    sees '"Row 3"' -- in any line of the row: keys have no order
    assert.equal(1, operations().runWorker)
  end)

  -- A run of 100 rows that goes on for long, its log on the screen.
  local function begin_long()
    keys(":Coreclaw demo/rows", "Enter")
    sees "count *: 10"
    keys("C-u", "100", "Enter")
    sees "flat"
    keys "Enter"
    for _, answer in ipairs { "size", "delay 0.5", "wait", "fail_at", "fail_message" } do
      local field, text = answer:match "^(%S+) ?(.*)$"
      sees(field .. ":")
      keys("C-u", text, "Enter")
    end
    sees "writing 100 rows"
  end

  local function aborts()
    example.eventually(function() return operations().abortWorkerRun == 1 end, "an abort, in:\n" .. screen())
  end

  it("says what is wrong with an answer and asks again; rows go to the quickfix list", function()
    keys(":Coreclaw! demo/page-scraper", "Enter")
    sees "Start URLs *: "
    keys("C-u", "[bad", "Enter")
    sees "Follow links:"
    keys("C-u", "yes", "Enter")
    sees "Most pages: 20"
    keys("C-u", "3", "Enter")
    sees "Start URLs * (start_urls must be a list"
    assert.is_nil(operations().runWorker)
    keys("C-u", server.site_url, "Enter")
    sees "Follow links: true"
    keys "Enter"
    sees "Most pages: 3"
    keys "Enter"
    local text = sees "[Quickfix List]"
    assert.matches("succeeded, 3 rows", text)
    assert.is_truthy(text:find(server.site_url .. "|| The Sandbox Shop", 1, true), text)
    assert.equal(1, operations().runWorker)
  end)

  it("starts nothing without an answer that is required", function()
    keys(":Coreclaw demo/page-scraper", "Enter")
    sees "Start URLs *: "
    keys "Escape"
    sees "nothing was started"
    assert.is_nil(operations().runWorker)
  end)

  it("aborts the run when its log is closed", function()
    begin_long()
    keys(":q", "Enter")
    sees "is being aborted"
    aborts()
  end)

  it("aborts it when the editor is left", function()
    begin_long()
    keys(":qa!", "Enter")
    aborts()
  end)

  it("says so when there is no such Worker", function()
    keys(":Coreclaw nobody/nothing", "Enter")
    sees "coreclaw: not_found: "
  end)
end)
