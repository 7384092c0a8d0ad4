-- What the command line asks of the system: interrupts that end a wait, terminals, permissions of a file.

local core = require "coreclaw.core"
local coreclaw = require "coreclaw"

describe("core", function()
  local function shell(command)
    local pipe = io.popen(command)
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  describe("catch_interrupts", function()
    after_each(function() core.catch_interrupts() end)

    local function interrupt()
      shell("kill -INT " .. core.pid())
    end

    -- What a wait raises, which would not end by itself.
    local function raised()
      local ok, err = pcall(coreclaw.sleep, 30)
      assert.is_false(ok)
      return err
    end

    it("makes a wait raise, once for each that comes", function()
      core.catch_interrupts(0)
      assert.equal(0, core.interrupts())
      interrupt()
      assert.equal(1, core.interrupts())
      assert.matches("interrupted!$", raised())
      coreclaw.sleep(0.01)
      interrupt()
      assert.matches("interrupted!$", raised())
      assert.equal(2, core.interrupts())
    end)

    it("spares one, which is not forgotten", function()
      core.catch_interrupts(1)
      interrupt()
      coreclaw.sleep(0.01)
      core.catch_interrupts(0)
      assert.matches("interrupted!$", raised())
    end)

    it("ends the process at the third, and at the first when nothing is caught", function()
      local lua = ("LD_PRELOAD='%s' LUA_CPATH='%s' "):format(os.getenv "LD_PRELOAD" or "", package.cpath)
      local i = 0
      while arg[i - 1] do i = i - 1 end
      for n, setting in pairs { [3] = "(0)", [1] = "()" } do
        local out = shell(lua .. arg[i] .. [[ -e 'local core = require "coreclaw.core"
          core.catch_interrupts]] .. setting .. [[ for i = 1, 4 do
            io.write(i, " ") io.flush() io.popen("kill -INT " .. core.pid()):close()
          end' 2>/dev/null; echo $?]])
        local last, code = out:match "(%d) (%d+)\n$"
        assert.same({ n, 130 }, { tonumber(last), tonumber(code) }, out)
      end
    end)

    it("counts anew, and wants 0, 1 or nothing", function()
      core.catch_interrupts(0)
      interrupt()
      core.catch_interrupts()
      core.catch_interrupts(0)
      assert.equal(0, core.interrupts())
      for _, wrong in ipairs { 2, -1, "x", {} } do assert.is_false(pcall(core.catch_interrupts, wrong)) end
    end)
  end)

  it("knows what is no terminal", function()
    local file = io.open "/dev/null"
    assert.is_nil((core.terminal(999)))
    assert.is_false(pcall(core.terminal))
    file:close()
  end)

  it("tells who may read an open file", function()
    local path = os.tmpname()
    for mode, expected in pairs { ["600"] = 384, ["644"] = 420 } do
      shell(("chmod %s %s"):format(mode, path))
      local file = io.open(path)
      assert.same({ expected, true, true }, { core.file_mode(file) })
      file:close()
      assert.is_false(pcall(core.file_mode, file))
    end
    os.remove(path)
    local file = io.open "/dev/null"
    assert.is_false((select(3, core.file_mode(file))))
    file:close()
    for _, wrong in ipairs { "x", {}, 1 } do assert.is_false(pcall(core.file_mode, wrong)) end
  end)
end)
