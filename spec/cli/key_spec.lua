-- Where the key comes from, who may read it, and that it is never shown.

local box = require "spec.support.box"
local cli = require "spec.support.cli"

describe("the key of the command line", function()
  local server, coreclaw
  setup(function()
    server = box.start { key = "the-key-of-this-spec-0123456789" }
    coreclaw = cli.new(server)
  end)
  teardown(function()
    for _, text in ipairs(coreclaw.all) do assert.is_nil(text:find(server.key, 1, true), text) end
    coreclaw:close()
    server:stop()
  end)

  local NONE = { CORECLAW_API_KEY = false }

  local function profiles(text, mode)
    cli.shell("mkdir -p " .. coreclaw.dir .. "/.config/coreclaw")
    return coreclaw:file(".config/coreclaw/profiles.json", text, mode)
  end

  it("comes from a file that nobody else can read", function()
    local path = coreclaw:file("key", server.key .. "\n")
    coreclaw:ok("account --key-file " .. path, { env = NONE })
    for _, mode in ipairs { "640", "604" } do
      cli.shell("chmod " .. mode .. " " .. path)
      local result = coreclaw:run("account --key-file " .. path, { env = NONE })
      assert.equal(2, result.code)
      assert.matches("can be read or written by others %(mode 0" .. mode .. "%): chmod 600 ", result.err)
    end
    local result = coreclaw:run("account --key-file /nonexistent/key", { env = NONE })
    assert.equal(11, result.code)
    assert.equal(2, coreclaw:run("account --key-file " .. coreclaw:file("empty", "\n"), { env = NONE }).code)
  end)

  it("comes from stdin or a pipe", function()
    coreclaw:ok("account --key-file -", { env = NONE, stdin = server.key .. "\n" })
    local path = coreclaw:file("key2", server.key)
    coreclaw:ok("account --key-file /dev/fd/0", { env = NONE, before = "cat " .. path .. " |" .. " exec 3<&0;", stdin = server.key })
  end)

  it("comes from a profile, which is not read by others either", function()
    local path = profiles(([[{"default": {"api_key": "wrong-wrong-wrong", "base_url": "%s"},
      "work": {"api_key": "%s", "base_url": "%s"}}]]):format(server.url, server.key, server.url))
    local env = { CORECLAW_API_KEY = false, CORECLAW_BASE_URL = false }
    coreclaw:ok("account --profile work", { env = env })
    env.CORECLAW_PROFILE = "work"
    coreclaw:ok("account", { env = env })
    env.CORECLAW_PROFILE = false
    assert.equal(7, coreclaw:run("account", { env = env }).code)
    -- The environment is above the default profile, and below one that is named.
    coreclaw:ok "account"
    coreclaw:ok("account --profile work", { env = { CORECLAW_API_KEY = "wrong-wrong-wrong" } })
    assert.matches("has no profile home", coreclaw:run("account --profile home").err)
    cli.shell("chmod 644 " .. path)
    local result = coreclaw:run("account --profile work", { env = env })
    assert.equal(2, result.code)
    assert.matches("can be read or written by others", result.err)
  end)

  it("is tried and kept by login, beside what is there", function()
    cli.shell("rm -rf " .. coreclaw.dir .. "/.config")
    local _, err = coreclaw:ok("login", { env = NONE, stdin = server.key .. "\n" })
    assert.matches("^the key is valid %(balance 100[^\n]*, and is in profile default of ", err)
    assert.equal("-rw-------", (cli.shell("ls -l " .. coreclaw.dir .. "/.config/coreclaw/profiles.json"):match "^%S+"))
    assert.equal("drwx------", (cli.shell("ls -ld " .. coreclaw.dir .. "/.config/coreclaw"):match "^%S+"))
    coreclaw:ok("account", { env = { CORECLAW_API_KEY = false, CORECLAW_BASE_URL = false } })
    local out = coreclaw:ok("login --json --profile other", { env = NONE, stdin = server.key })
    assert.equal("other", require("coreclaw").json.decode(out).profile)
    coreclaw:ok("account --profile other", { env = NONE })
    coreclaw:ok("account --profile default", { env = NONE })
    local before = coreclaw:read ".config/coreclaw/profiles.json"
    assert.equal(7, coreclaw:run("login", { env = NONE, stdin = "not-the-key-at-all\n" }).code)
    assert.equal(2, coreclaw:run("login", { env = NONE, stdin = "two words\n" }).code)
    assert.equal(before, (coreclaw:read ".config/coreclaw/profiles.json"))
  end)

  it("is kept by login beside the other settings of the profile, which it uses", function()
    local settings = ('"base_url": "%s", "proxy": "%s"'):format(server.url, server.refused_url)
    local key = coreclaw:file("new-key", server.key .. "\n")
    profiles('{"work": {"api_key": "old-old-old", ' .. settings .. "}}")
    local before = coreclaw:read ".config/coreclaw/profiles.json"
    local login = "login --profile work --attempts 1 --api v1 -v --key-file " .. key
    assert.equal(9, coreclaw:run(login, { env = NONE }).code)
    assert.equal(before, (coreclaw:read ".config/coreclaw/profiles.json"))
    profiles('{"work": {"api_key": "old-old-old", "no_proxy": "127.0.0.1", ' .. settings .. "}}")
    local _, err = coreclaw:ok(login, { env = NONE })
    assert.matches("> %u+ http://[^\n]+account[^\n]*\n", err)
    assert.same({ api_key = server.key, base_url = server.url, proxy = server.refused_url, no_proxy = "127.0.0.1",
      api = "v1" }, require("coreclaw").json.decode((coreclaw:read ".config/coreclaw/profiles.json")).work)
  end)

  it("is in no message about a profile file that is broken", function()
    for text, say in pairs {
      ['{"default": {"api_key": "%s" "base_url"'] = "profiles.json is not valid JSON",
      ['{"default": {"api_kye": "%s"}}'] = "unknown field api_kye %(did you mean api_key%?%)",
      ['{"default": {"api_key": ["%s"]}}'] = "api_key must be a string",
      ['{"default": ["%s"]}'] = "must be an object",
      ['{"default": {"api_key": "%s with a space"}}'] = "api_key must be printable ASCII without spaces",
    } do
      profiles(text:format(server.key))
      local result = coreclaw:run("account", { env = NONE })
      assert.equal(2, result.code, result.err)
      assert.matches(say, result.err)
    end
    profiles "{}"
  end)

  it("is not shown when a server repeats it, nor with --verbose, nor by doctor", function()
    server:fault { operation = "getAccount", status = 400, code = 11000, message = "bad key " .. server.key }
    local result = coreclaw:run "account -v"
    assert.matches("bad key %*%*%*", result.err)
    assert.matches("> GET http://[^\n]+/account", result.err)
    coreclaw:ok "doctor"
    coreclaw:ok "doctor --json"
  end)

  it("is no option", function()
    local result = coreclaw:run("account --api-key x --key x")
    assert.equal(2, result.code)
  end)
end)
