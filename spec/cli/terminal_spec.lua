-- The command line in a terminal: progress, Ctrl-C once and twice, tables that fit. On one Lua: what differs
-- between them is shown through pipes.

if _VERSION ~= "Lua 5.4" then return end

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local screen = require "spec.support.screen"

describe("in a terminal, coreclaw", function()
  local server, coreclaw, term
  setup(function() server = box.start() end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    coreclaw = cli.new(server)
  end)
  after_each(function()
    if term then term:stop() end
    coreclaw:close()
  end)

  local function start(words, columns)
    term = screen.start(coreclaw.dir, coreclaw:environment() .. " " .. cli.program() .. " " .. words, columns or 100)
    return term
  end

  local function newest()
    local _, list = server:paid()
    return assert(box.client(server):run(list[#list].run_slug):reload())
  end

  it("shows state, rows and elapsed time on one line, and takes it away in the end", function()
    start "run demo/rows count=30 delay=0.05 wait=1 --wait --poll 0.05"
    term:wait_for "\nrunning +%d+ rows  0:0%d"
    local seen = term:wait_for "\nrunning +30 rows  0:0%d"
    assert.equal(1, select(2, seen:gsub("running", "")))
    local text = term:wait_for "exit 0"
    assert.not_matches("running", text)
    assert.matches("\nstatus +succeeded\n", text)
  end)

  it("shows the bytes of a download", function()
    local run = assert(box.client(server):worker "demo/rows":call { count = 400, size = 200 })
    server:fault { origin = "files", dribble = { bytes = 8000, interval = 0.1 } }
    start("export " .. run.slug .. " " .. coreclaw.dir .. "/rows.csv")
    term:wait_for "export  %d+%.%d kB of %d+%.%d kB  %d+%%  0:0%d"
    term:wait_for "rows.csv  %d+ bytes\nexit 0"
  end)

  it("shows the log above the progress", function()
    start "run test/talker lines=8 delay=0.1 --follow-log --poll 0.05"
    local text = term:wait_for "line 3\n"
    assert.matches("line 2\n[^\n]*line 3\n.-running", text)
    term:wait_for "exit 0"
  end)

  it("stops waiting at a Ctrl-C, and says how to go on", function()
    start "run demo/rows count=1 wait=60 --wait --results --poll 0.05"
    term:wait_for "\nrunning +1 rows"
    term:press "C-c"
    local text = term:wait_for "Ctrl%-C again within 3 seconds asks the platform to abort what goes on"
    local run = newest()
    assert.matches("stopped waiting; run " .. run.slug .. " was not aborted", text)
    text = term:wait_for "exit 130"
    assert.is_truthy(text:gsub("\n", ""):find(" wait " .. run.slug .. " --results", 1, true))
    assert.equal("running", assert(run:reload()).status)
    assert(run:abort())
  end)

  it("asks the platform to abort at a second Ctrl-C", function()
    start "run demo/rows count=1 wait=60 --wait --poll 0.05"
    term:wait_for "\nrunning +1 rows"
    term:press "C-c"
    term:wait_for "Ctrl%-C again"
    term:press "C-c"
    term:wait_for "it will be aborted.*\nexit 130"
    local run = newest()
    assert(run:wait())
    assert.equal("failed", run.status)
  end)

  it("asks the platform to abort when the second comes before it could be asked for", function()
    start "run demo/rows count=1 wait=60 --wait --poll 20"
    term:wait_for "\nready +0 rows"
    term:press "C-c"
    require("coreclaw").sleep(0.05) -- two that come at the very same moment are one, to any program
    term:press "C-c"
    term:wait_for "it will be aborted.*\nexit 130"
    local run = newest()
    assert(run:wait())
    assert.equal("failed", run.status)
  end)

  it("asks the platform to abort all of many at a second Ctrl-C", function()
    local input = coreclaw:file("many.jsonl", ('{"count": 1, "wait": 60}\n'):rep(3))
    local paid = server:paid()
    start("map demo/rows --concurrency 2 --poll 0.05 --inputs " .. input)
    term:wait_for "2 running  0 ended  0 failed  0:0%d"
    term:press "C-c"
    term:wait_for "input 2 goes on: .*%-%-first 3\nCtrl%-C again"
    term:press "C-c"
    term:wait_for "input 1: run %w+ will be aborted\ninput 2: run %w+ will be aborted\nexit 130"
    local count, list = server:paid()
    assert.equal(paid + 2, count)
    for i = paid + 1, count do
      local run = box.client(server):run(list[i].run_slug)
      assert(run:wait())
      assert.equal("failed", run.status)
    end
  end)

  it("ends at a third Ctrl-C, whatever it does", function()
    server:fault { operation = "abortWorkerRun", header_delay = 20 }
    start "run demo/rows count=1 wait=60 --wait --poll 0.05"
    term:wait_for "\nrunning +1 rows"
    for _, awaited in ipairs { "Ctrl%-C again", "asking the platform", "exit 130" } do
      term:press "C-c"
      term:wait_for(awaited)
    end
  end)

  it("reads a key without showing it, and gives the echo back after Ctrl-C", function()
    -- One that takes its time to give the echo back: the program must not have ended by then.
    coreclaw:file("stty", '#!/bin/sh\ncase $1 in -*) ;; *) sleep 0.3 ;; esac\nexec /usr/bin/stty "$@"\n', "700")
    local env = coreclaw:environment { CORECLAW_API_KEY = false, PATH = coreclaw.dir .. ":" .. os.getenv "PATH" }
    local file = coreclaw:file("try.sh", ("%s %s login; %s %s login; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e -echo")
      :format(env, cli.program(), env, cli.program()))
    term = screen.start(coreclaw.dir, "sh -c 'trap : INT; . " .. file .. "'", 100)
    term:wait_for "it is not shown"
    term:press("-l " .. server.key)
    term:press "Enter"
    local text = term:wait_for "the key is valid.*it is not shown"
    assert.is_nil(text:find(server.key, 1, true))
    term:press "C-c"
    assert.matches("\necho\nexit 0", (term:wait_for "exit 0"))
  end)

  it("completes commands and options in zsh", function()
    coreclaw:file("_coreclaw", (coreclaw:ok "completion zsh"))
    coreclaw:file(".zshrc", "PROMPT='%% '\nfpath=(" .. coreclaw.dir
      .. " $fpath)\nautoload -U compinit\ncompinit -u -D\nprint READY\n")
    term = screen.start(coreclaw.dir, ("env HOME=%s ZDOTDIR=%s zsh -d -i"):format(coreclaw.dir, coreclaw.dir), 100)
    term:wait_for "READY"
    for keys, shown in pairs {
      ["coreclaw rer"] = "coreclaw rerun", ["coreclaw queue ac"] = "coreclaw queue activate",
      ["coreclaw run --foll"] = "coreclaw run %-%-follow%-log",
    } do
      term:press("-l '" .. keys .. "'")
      term:press "Tab"
      term:wait_for(shown)
      term:press "C-u"
    end
  end)

  it("fits tables into the width", function()
    local run = assert(box.client(server):worker "demo/rows":call { count = 5, kind = "unicode", size = 90 })
    start("results " .. run.slug, 50)
    local text = term:wait_for "exit 0"
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.matches("^Index  Padding", lines[1])
    assert.matches("^2      x+…$", lines[3])
    assert.equal("2 more columns: --jsonl, or --fields KEYS", lines[7])
    assert.equal("exit 0", lines[8])
    term:stop()
    start("results " .. run.slug .. " --fields title,index", 40)
    assert.matches("\n東京珈琲 ☕", (term:wait_for "exit 0"))
  end)

  it("is quiet when it is told to be", function()
    start "run demo/rows count=3 wait=0.5 --wait --poll 0.05 --quiet"
    local text = term:wait_for "exit 0"
    assert.matches("^%w+\nexit 0", text)
  end)
end)
