-- `coreclaw workers`, `schema`, `tasks`, `queue`, `account`, `regions`, `sandbox`, `doctor`, `completion`.

local box = require "spec.support.box"
local cli = require "spec.support.cli"
local coreclaw_lib = require "coreclaw"

describe("coreclaw", function()
  local server, coreclaw
  setup(function()
    server = box.start()
    coreclaw = cli.new(server)
  end)
  teardown(function()
    coreclaw:close()
    server:stop()
  end)

  local function json(words, options)
    return assert(coreclaw_lib.json.decode((coreclaw:ok(words .. " --json", options))))
  end

  it("lists Workers, and shows one", function()
    local out = coreclaw:ok "workers rows"
    assert.matches("demo~rows", out:gsub("demo/rows", "demo~rows"))
    assert.equal(1, #json "workers --max 1")
    assert.is_true(#json "workers --own" >= 0)
    assert.equal("v1.2.0", json("worker demo/rows").version)
    assert.matches("version +v1.2.0\n.*# Rows\n", (coreclaw:ok "worker demo/rows"))
  end)

  it("shows what input a Worker takes", function()
    local out = coreclaw:ok "schema demo/rows"
    assert.matches("\ncount +integer +yes +10", out)
    assert.matches("\nkind +string +flat +flat, nested", out)
    assert.is_table(json("schema demo/rows").properties)
    assert.matches('^{"name":"count"', (coreclaw:ok "schema demo/rows --jsonl"))
    assert.matches("%-%-json: the schema as it is, %-%-jsonl: a%s+line for each field", (coreclaw:ok "schema --help"))
    assert.equal(10, json("schema demo/rows --example").count)
  end)

  it("writes the classes of a Worker's input and rows", function()
    assert(box.client(server):worker "demo/rows":call { count = 4, kind = "nulls" })
    local out = coreclaw:ok "schema demo/rows --types"
    assert.matches("^%-%-%-@meta\n", out)
    assert.matches("\n%-%-%-@class Rows.Input\n", out)
    assert.matches("\n%-%-%-@field count%? integer  How many rows; default 10\n", out:gsub("count; ", ""))
    assert.matches('\n%-%-%-@field kind%? "flat"|"nested"|"unicode"', out)
    assert.matches("\n%-%-%-@class Rows.Row\n", out)
    assert.matches("\n%-%-%-@field index integer\n", out)
    assert.matches("\n%-%-%-@field phone lightuserdata\n", out)
    assert.matches("\n%-%-%-@field rating lightuserdata|number\n", out)
    -- It is Lua, for what that is worth: comments only.
    assert(((loadstring or load)(out))) -- luacheck: ignore 113
    out = coreclaw:ok "schema coreclaw/google-maps-scraper --types"
    assert.matches("\n%-%-%-@class GoogleMapsScraper.Input\n%-%-%-@field keywords%? string%[%]", out)
    assert.matches("\n%-%-%-@alias GoogleMapsScraper.Row", out)
  end)

  it("keeps saved tasks", function()
    local task = json "tasks create demo/rows count=2 --title 'Two rows' --weekly monday --at 9:30"
    assert.same({ weekly = "monday", at = "09:30" }, task.schedule)
    assert.matches("Two rows +demo[~/]rows +weekly monday at 09:30", (coreclaw:ok "tasks list"))
    json("tasks update " .. task.slug .. " --title 'Three rows' --daily 07:00")
    assert.same({ "Three rows", "07:00" },
      { json("tasks show " .. task.slug).title, json("tasks show " .. task.slug).schedule.daily })
    assert.equal(task.slug, json("tasks set-input " .. task.slug .. " count=3").slug)
    assert.equal(3, json("tasks input " .. task.slug).input.parameters.custom.count)
    local run = json("tasks run " .. task.slug .. " --wait --poll 0.05")
    assert.same({ "succeeded", 3 }, { run.status, run.results_count })
    assert.same({ slug = task.slug, deleted = true }, json("tasks delete " .. task.slug))
    assert.equal(6, coreclaw:run("tasks show " .. task.slug).code)
    assert.equal(2, coreclaw:run("tasks create demo/rows count=2").code)
    assert.equal(2, coreclaw:run("tasks update " .. task.slug).code)
    local result = coreclaw:run "tasks create demo/rows count=2 --title x --daily 07:00 --no-schedule"
    assert.equal(2, result.code)
    assert.matches("%-%-no%-schedule and a schedule contradict", result.err)
  end)

  it("queues runs, starts and removes them", function()
    local one, two = json "queue add demo/rows count=1", json "queue add demo/rows count=1"
    assert.equal(2, #json "queue list")
    assert.is_true(json("queue activate " .. one.queue_ref)[1].success)
    assert.matches("true", (coreclaw:ok("queue release " .. two.queue_ref .. " --reason 'not today'")))
    local result = coreclaw:run("queue release " .. two.queue_ref)
    assert.equal(6, result.code)
    assert.equal(0, #json "queue list")
  end)

  it("adopts the run that a lost answer has started", function()
    local journal = " --journal " .. coreclaw.dir .. "/journal"
    server:fault { operation = "runWorker", close = "after", times = 2 }
    for _ = 1, 2 do assert.equal(10, coreclaw:run("run demo/page-scraper" .. journal).code) end
    local function list(words, code)
      local result = coreclaw:run("recover --json " .. words .. journal)
      assert.equal(code, result.code, result.err)
      return coreclaw_lib.json.decode(result.out), result.err
    end
    local items = list("", 10)
    assert.same({ "several", "several" }, { items[1].state, items[2].state })
    assert.matches("which run was it", select(2, list("--adopt " .. items[1].id, 2)))
    local _, paid = server:paid()
    list("--adopt " .. items[1].id .. " --run " .. paid[#paid - 1].run_slug, 10)
    items = list("", 10)
    assert.same({ "found", paid[#paid].run_slug }, { items[1].state, items[1].run })
    list("--adopt " .. items[1].id, 0)
    assert.same({}, list("", 0))
    assert.equal(2, #list("--all", 0))
    assert.matches("there is no such intent: x", select(2, list("--dismiss x", 2)))
  end)

  it("shows the account, and the regions", function()
    assert.matches("^balance +%d", (coreclaw:ok "account"))
    assert.is_string(json("account").balance)
    assert.matches("\nUS +", (coreclaw:ok "regions"))
  end)

  it("speaks both versions of the API", function()
    local run = json "run demo/rows count=2 --wait --poll 0.05 --api v1"
    assert.same({ "succeeded", 2 }, { run.status, run.results_count })
  end)

  it("runs a program against a sandbox of its own, and passes its exit code on", function()
    local out = coreclaw:ok("sandbox -- sh -c 'echo $CORECLAW_BASE_URL; " .. cli.program()
      .. " run demo/rows count=2 --results --jsonl --poll 0.05'", { env = { CORECLAW_BASE_URL = false } })
    local url = out:match "^(http://127%S+)\n"
    assert.is_not_nil(url, out)
    assert.not_equal(server.url, url)
    assert.matches('"index":2', out)
    local _, err = coreclaw_lib.new({ api_key = "k", base_url = url, retry = false }):account()
    assert.equal("network", err.kind)
    assert.equal(7, coreclaw:run("sandbox -- sh -c 'exit 7'").code)
    local result = coreclaw:run "sandbox --workers /nonexistent -- true"
    assert.equal(11, result.code)
    assert.matches("%-%-workers /nonexistent: there is no such folder", result.err)
  end)

  it("runs a sandbox until Ctrl-C, and leaves nothing behind", function()
    local pid = coreclaw:start("box", "sandbox --key made-up-key")
    local out = coreclaw:wait_for("box.out", "secret: [^\n]+\n")
    local url, key = out:match "url: (%S+)\nkey: (%S+)"
    assert.equal("made-up-key", key)
    assert(coreclaw_lib.new({ api_key = key, base_url = url }):account())
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("box.out", "exit %d+\n$")
    pid = coreclaw:start("box2", "sandbox --json --key made-up-key")
    assert.equal("made-up-key", coreclaw_lib.json.decode((coreclaw:wait_for("box2.out", "}\n"))).key)
    cli.shell("kill -INT " .. pid)
    coreclaw:wait_for("box2.out", "exit %d+\n$")
    local _, err = coreclaw_lib.new({ api_key = "k", base_url = url, retry = false }):account()
    assert.equal("network", err.kind)
  end)

  describe("doctor", function()
    local function states(result)
      local out = {}
      for line in result.out:gmatch "[^\n]+" do
        local check, state = line:match "^(%S.-)  +(%l+)  +"
        if check then out[check] = state end
      end
      return out
    end

    it("finds nothing wrong where nothing is", function()
      local result = coreclaw:run "doctor"
      assert.equal(0, result.code, result.out)
      local seen = states(result)
      for _, check in ipairs { "coreclaw", "Lua", "libcurl", "TLS", "lua-cjson", "argparse", "sandbox", "API", "key from",
        "API reachable", "clock", "key valid" } do
        assert.equal("ok", seen[check], check .. "\n" .. result.out)
      end
      assert.matches("CORECLAW_API_KEY", result.out)
    end)

    it("tells what is wrong, each with a code of its own", function()
      local result = coreclaw:run("doctor", { env = { CORECLAW_API_KEY = "not-the-key-at-all" } })
      assert.same({ 7, "fail", "ok" }, { result.code, states(result)["key valid"], states(result)["API reachable"] })
      result = coreclaw:run("doctor", { env = { CORECLAW_API_KEY = false } })
      assert.same({ 7, "fail" }, { result.code, states(result)["key from"] })
      result = coreclaw:run("doctor --attempts 1 --base-url " .. server.refused_url)
      assert.same({ 9, "fail" }, { result.code, states(result)["API reachable"] })
      result = coreclaw:run("doctor --key-file " .. coreclaw:file("open-key", "k", "644"))
      assert.same({ 2, "fail" }, { result.code, states(result)["settings"] })
    end)

    it("tells what is wrong of a profile without a key, and whose key is used", function()
      local path = coreclaw:file("profiles.json", ('{"work": {"base_url": "%s"}}'):format(server.url))
      local env = { CORECLAW_API_KEY = false, CORECLAW_PROFILES = path }
      local result = coreclaw:run("doctor --profile work", { env = env })
      assert.same({ 7, "fail", "ok", "" },
        { result.code, states(result)["key from"], states(result)["API reachable"], result.err })
      assert.matches("\nkey from +fail +nowhere, for profile work has no api_key: set CORECLAW_API_KEY", result.out)
      env.CORECLAW_API_KEY = nil
      assert.matches("\nkey from +ok +CORECLAW_API_KEY", (coreclaw:ok("doctor --profile work", { env = env })))
    end)

    it("says that lua-cjson is missing, in rows to the end", function()
      coreclaw:file("cjson.lua", "error 'gone'")
      local env = { LUA_PATH = coreclaw.dir .. "/?.lua;" .. os.getenv "LUA_PATH" }
      for _, words in ipairs { "doctor", "doctor --json" } do
        local result = coreclaw:run(words, { env = env })
        assert.same({ 1, "fail", "ok" }, { result.code, states(result)["lua-cjson"], states(result)["key from"] })
        assert.matches("luarocks install lua%-cjson", result.out)
        assert.equal("", result.err)
      end
      local result = coreclaw:run("account", { env = env })
      assert.equal(1, result.code)
      assert.matches("^coreclaw: no JSON library: install lua%-cjson[^\n]+\n$", result.err)
    end)

    it("shows a row as soon as it is known", function()
      server:fault { operation = "getAccount", delay = 30 }
      local pid = coreclaw:start("slow", "doctor")
      assert.not_matches("key valid", coreclaw:wait_for("slow.out", "\nclock "))
      cli.shell("kill -INT " .. pid)
      server:clear_faults()
    end)

    it("notices a clock that is wrong", function()
      server:fault { operation = "listProxyRegions", status = 200, headers = { Date = "Thu, 01 Jan 2026 00:00:00 GMT" },
        body = '{"code":0,"message":"success","data":{"list":[]}}', content_type = "application/json" }
      local result = coreclaw:run "doctor"
      assert.equal("warn", states(result).clock, result.out)
      assert.matches("ahead of the API's; set this machine's clock", result.out)
    end)
  end)

  describe("completion", function()
    it("completes commands and options in bash", function()
      local path = coreclaw:file("complete.bash", (coreclaw:ok "completion bash"))
      local function complete(...)
        local words = { "coreclaw", ... }
        return cli.shell(([[bash -c 'source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _coreclaw; echo "${COMPREPLY[*]}"']])
          :format(path, table.concat(words, " "), #words - 1))
      end
      assert.matches("rerun", complete "re")
      assert.matches("%-%-follow%-log", complete("run", "--foll"))
      assert.matches("succeeded", complete("runs", "--status", "succ"))
      assert.matches("activate", complete("queue", "ac"))
    end)

    it("completes commands, options and choices in fish", function()
      local path = coreclaw:file("complete.fish", (coreclaw:ok "completion fish"))
      local out = cli.shell(("env HOME=%s fish -c 'source %s; for line in re \"run --foll\" \"queue ac\" "
        .. "\"runs --status succ\"; complete -C \"coreclaw $line\"; end' 2>&1"):format(coreclaw.dir, path))
      for _, word in ipairs { "rerun\t", "--follow-log\t", "activate\t", "succeeded\t" } do
        assert.is_truthy(out:find(word, 1, true), word .. " in " .. out)
      end
    end)

    it("is written for those three", function() -- zsh: spec/cli/terminal_spec.lua
      assert.matches("^#compdef coreclaw\n.*follow%-log", (coreclaw:ok "completion zsh"))
      assert.equal(2, coreclaw:run("completion tcsh").code)
    end)
  end)

  it("says what to install where argparse is missing", function()
    local path = coreclaw:file("without.lua", 'package.preload.argparse = function() error "gone" end '
      .. 'arg[0] = "x" os.exit(require("coreclaw.cli").main(arg))')
    local text = cli.shell(cli.lua() .. " " .. path .. " account 2>&1; echo $?")
    assert.matches("the command line needs argparse: install lua%-argparse .*\n2$", text)
  end)

  it("names the module that is missing", function()
    local root = coreclaw.dir .. "/tree"
    cli.shell(("mkdir %s && cp -r lua %s/lua"):format(root, root))
    local text = cli.shell(("env -u LUA_PATH LUA_CPATH=/nonexistent %s %s/lua/coreclaw/cli/main.lua doctor 2>&1; echo $?")
      :format(cli.lua(), root))
    assert.matches("^coreclaw: the module coreclaw.core is not there; install it for Lua[^\n]*make build%)\n1$", text)
  end)

  it("tells its version, and helps", function()
    assert.equal("coreclaw " .. coreclaw_lib._VERSION .. "\n", (coreclaw:ok "--version"))
    assert.matches("Usage: coreclaw run .*%-%-dry%-run", (coreclaw:ok "run --help"))
    assert.equal((coreclaw:ok "--help"), (coreclaw:ok "help"))
    assert.equal((coreclaw:ok "run --help"), (coreclaw:ok "help run"))
  end)
end)
