-- What the journal is made of: lines on the disk, marks of processes, digests.

local core = require "coreclaw.core"
local digest = require "coreclaw.journal.digest"
local json = require "coreclaw.json"
local support = require "spec.support.journal"

describe("core.sha256", function()
  it("is what sha256sum says, whatever the length", function()
    for _, n in ipairs { 0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 70001 } do
      local text = ("\0a\255"):rep(math.ceil(n / 3)):sub(1, n)
      local path = os.tmpname()
      support.append(path, text)
      assert.equal(support.shell("sha256sum < " .. path):match "%x+", core.sha256(text), n)
      os.remove(path)
    end
  end)
end)

describe("digest.of", function()
  it("is the same for the same input, on every Lua", function()
    assert.equal("1d193bcd7653a40641c78f8e161af500", digest.of { a = json.array {} })
    assert.equal("44136fa355b3678a1146ad16f7e8649e", digest.of {})
    local one, two = {}, {}
    for i = 1, 50 do one["k" .. i] = { i, i / 2, tostring(i) } end
    for i = 50, 1, -1 do two["k" .. i] = { i, i / 2, tostring(i) } end
    assert.equal(digest.of(one), digest.of(two))
    two.k7[1] = 8
    assert.is_not.equal(digest.of(one), digest.of(two))
  end)

  it("tells apart what JSON tells apart", function()
    local seen = {}
    for _, value in ipairs { { a = {} }, { a = json.array {} }, { a = json.null }, { a = 1 }, { a = "1" }, { a = true },
      { a = json.integer "11287654321098765432" }, { a = "11287654321098765432" }, { "a", "b" }, { "ab" }, { { "a" }, "b" },
      { a = "b", c = "d" }, { a = 'b","c":"d' } } do
      local text = digest.of(value)
      assert.is_nil(seen[text])
      seen[text] = true
    end
  end)
end)

describe("core.process_mark", function()
  it("is the same for a process as long as it lives, and another for the next", function()
    local mine = core.process_mark(core.pid())
    assert.equal(mine, core.process_mark(core.pid()))
    assert.matches("^[%x%-]+%-%d+%.%d+$", mine)
    local pipe = io.popen "echo $$; exec sleep 60"
    local pid = tonumber(pipe:read "*l")
    local theirs = core.process_mark(pid)
    assert.is_not.equal(mine, theirs)
    assert.equal(mine:match "^(.*)%.", theirs:match "^(.*)%.")
    os.execute("kill -9 " .. pid)
    assert.is_true(support.eventually(function() return core.process_mark(pid) == nil end)) -- nobody has waited for it
    pipe:close()
    assert.is_nil(core.process_mark(pid))
    assert.is_nil(core.process_mark(-1))
    assert.is_nil(core.process_mark(0))
  end)

  it("is not led astray by a program's name", function()
    local folder = support.folder()
    os.execute("cp $(command -v sleep) '" .. folder .. "/a) R 1 2'")
    local pipe = io.popen("echo $$; exec '" .. folder .. "/a) R 1 2' 60")
    local pid = tonumber(pipe:read "*l")
    support.eventually(function() return support.shell("cat /proc/" .. pid .. "/comm"):find("a) R", 1, true) end)
    local start = support.shell("cat /proc/" .. pid .. "/stat"):match "^.*%) (.*)"
    local fields = {}
    for word in start:gmatch "%S+" do fields[#fields + 1] = word end
    assert.equal(fields[20], core.process_mark(pid):match "%.(%d+)$")
    os.execute("kill -9 " .. pid)
    pipe:close()
    os.execute("rm -rf " .. folder)
  end)
end)

describe("core.append_line", function()
  it("wants a path and a line", function()
    assert.has_error(function() core.append_line("", "a\n") end)
    assert.has_error(function() core.append_line("a\0b", "a\n") end)
    assert.has_error(function() core.append_line("a", "a") end)
    assert.has_error(function() core.append_line("a", "") end)
  end)

  it("keeps to lines of its own, behind whatever is there, and to the permissions that are there", function()
    local folder = support.folder()
    local path = folder .. "/x"
    assert.is_true(core.append_line(path, "one\n"))
    support.append(path, "torn")
    assert.is_true(core.append_line(path, "two\n", true))
    assert.is_true(core.append_line(path, "three\n"))
    assert.equal("one\ntorn\ntwo\nthree\n", support.read(path))
    os.execute("chmod 0640 " .. path)
    assert.is_true(core.append_line(path, "four\n"))
    assert.equal("-rw-r-----", support.shell("ls -l " .. path):sub(1, 10))
    os.execute("rm -rf " .. folder)
  end)

  it("finds the file that has the name now, when the old one was moved away", function()
    local folder = support.folder()
    local path = folder .. "/x"
    assert.is_true(core.append_line(path, "one\n"))
    os.rename(path, path .. ".1")
    assert.is_true(core.append_line(path, "two\n"))
    assert.equal("one\n", support.read(path .. ".1"))
    assert.equal("two\n", support.read(path))
    os.execute("rm -rf " .. folder)
  end)

  it("leaves no descriptor open, whatever comes", function()
    local folder = support.folder()
    -- After a moment: right after the fork this process still holds both ends of the pipe.
    local function count() return #support.shell("sleep 0.1; ls /proc/" .. core.pid() .. "/fd") end
    local before = count()
    for _ = 1, 50 do
      core.append_line(folder .. "/x", "one\n", true)
      core.append_line(folder, "one\n", true)
      core.append_line("/dev/full", "one\n")
      core.append_line(folder .. "/none/x", "one\n")
    end
    assert.equal(before, count())
    os.execute("rm -rf " .. folder)
  end)
end)
