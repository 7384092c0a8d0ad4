local log = require "coreclaw.log"

describe("log", function()
  it("reads entries that are objects", function()
    local read = log.read {
      all_logs_url = "https://storage.example.com/l", result_count = 2,
      list = {
        { type = 2, group = "50110223344556672", content = "ready", timestamp = 1786201200351 },
        { type = 4, group = "1", content = "Traceback:\n  x\nKeyError: 'title'\n", timestamp = 1786201204120 },
      },
    }
    assert.equal("https://storage.example.com/l", read.url)
    assert.equal(2, read.count)
    assert.same({ text = "ready", level = "info", group = "50110223344556672", time = 1786201200.351 },
      read.entries[1])
    assert.equal("KeyError: 'title'", log.last_error(read.entries))
  end)

  it("finds the line that says what went wrong", function()
    local function last(text)
      return log.last_error { { level = "error", text = "older" }, { level = "error", text = text }, { level = "info" } }
    end
    assert.equal("shop.lua:3: closed", last "shop.lua:3: closed\nstack traceback:\n\t[C]: in ?")
    assert.equal("ValueError: x", last "Traceback (most recent call last):\n  File 1\nValueError: x\n")
    assert.is_nil(last " \n")
  end)

  it("reads entries that are strings", function()
    local read = log.read { all_logs_url = "", list = { "Run started", "Run finished" } }
    assert.same({ { text = "Run started" }, { text = "Run finished" } }, read.entries)
    assert.is_nil(read.url)
    assert.is_nil(log.last_error(read.entries))
  end)

  it("survives what it does not know", function()
    assert.same({}, log.read({}).entries)
    assert.same({}, log.read({ list = "no list" }).entries)
    local read = log.read { list = { { type = 9, content = 5, group = {}, timestamp = "x" }, 7 } }
    assert.same({ { text = "" }, { text = "7" } }, read.entries)
  end)

  it("orders levels, and lets through what has none", function()
    assert.is_true(log.at_least({ level = "error" }, "warn"))
    assert.is_true(log.at_least({ level = "warn" }, "warn"))
    assert.is_false(log.at_least({ level = "info" }, "warn"))
    assert.is_true(log.at_least({}, "error"))
  end)

  it("finds the lines that tell of trouble, with their neighbours, each once", function()
    local entries = { { text = "start\nfetch 1\nHTTP 403 for 1\nretry\nfetch 2" }, { text = "Blocked\nCAPTCHA\nend\nbye" } }
    assert.same({ "fetch 1", "HTTP 403 for 1", "retry", "fetch 2", "Blocked", "CAPTCHA", "end" },
      log.trouble(entries, 20, 1))
    assert.same({ "HTTP 403 for 1", "Blocked", "CAPTCHA" }, log.trouble(entries, 20, 0))
    assert.same({ "HTTP 403 for 1" }, log.trouble(entries, 1, 0))
    assert.same({}, log.trouble({ { text = "fine" } }, 20, 1))
  end)
end)
