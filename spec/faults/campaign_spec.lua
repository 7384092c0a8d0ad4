-- The campaign itself: does it find what it is there for, and the same twice? (`make campaign` runs many.)

local lua = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"

local function campaign(settings)
  local pipe = assert(io.popen(settings .. " sh spec/faults/campaign.sh " .. lua .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text, tonumber(text:match "\n(%d+) passed, %d+ failed\n$"), tonumber(text:match "\n%d+ passed, (%d+) failed\n$")
end

-- One Lua is enough: what is tried is no part of the client.
if lua == "luajit" then
  describe("a campaign of faults", function()
    it("finds nothing in the client", function()
      local text, passed, failed = campaign "N=100 JOBS=2"
      assert.equal(0, failed, text)
      assert.equal(100, passed, text)
      assert.matches("SEED=%d+ FROM=1 N=100 JOBS=2", text)
    end)

    for _, mutant in ipairs { "resent", "repeated", "denied", "lossy" } do
      it("finds what is wrong with a client: " .. mutant, function()
        local text, _, failed = campaign("N=250 SEED=5 MUTANT=" .. mutant)
        assert.is_true(failed > 0, text)
        assert.matches("VIOLATION in trial %d+", text)
        local again = text:match "make campaign (TRIAL=%d+ SEED=5)"
        text, _, failed = campaign(again .. " MUTANT=" .. mutant)
        assert.equal(1, failed, text)
      end)
    end
  end)
end
