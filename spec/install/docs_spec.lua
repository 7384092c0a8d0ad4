-- The reference is made without a warning, and holds what types.lua holds.

local types = require "spec.support.types"

describe("make docs", function()
  it("makes pages of everything public, without a warning", function()
    local pipe = assert(io.popen "env -u BUILD make --no-print-directory docs 2>&1 && echo made")
    local text = pipe:read "*a"
    pipe:close()
    assert.equal("made\n", text)
    local file = assert(io.open "build/docs/index.html")
    local page = file:read "*a"
    file:close()
    for _, entry in ipairs(types.read("lua/coreclaw/types.lua").order) do
      for _, fn in ipairs(entry.functions or {}) do
        local name = entry.name == "coreclaw" and fn.name
          or entry.name:gsub("^coreclaw%.", "") .. (fn.method and ":" or ".") .. fn.name
        assert.is_truthy(page:find('<strong>' .. name .. ' (', 1, true), name)
      end
      for _, field in ipairs(entry.fields or {}) do
        local name = field.name:gsub("[%[%]]", "")
        assert.is_truthy(page:find('parameter">' .. name .. "<", 1, true), entry.name .. "." .. name)
      end
    end
  end)
end)
