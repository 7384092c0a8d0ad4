-- Nasty answers, each with what becomes of it: an error of the kind named or a value, never a crash, a hang, a
-- start paid twice, or a client that is of no use afterwards.
local data = {}
for _, room in ipairs { "json", "envelope", "fields", "wire" } do data[room] = require("spec.faults.answers." .. room) end
local play = require "spec.faults.answers.play"

describe("answers", function()
  setup(play.open)
  teardown(play.close)

  for _, case in ipairs(data.json.broken) do
    it("that are no envelope: " .. case[1], function()
      play.assert { case[1], play.http(200, case[2]), "bad_response", say = case[3], sent = "unknown", retryable = false }
    end)
    it("to a start: " .. case[1], function()
      play.assert { case[1], play.http(200, case[2]), "unknown_outcome", via = "start", sent = "unknown" }
    end)
  end

  for _, case in ipairs(data.json.odd) do
    it("that are odd: " .. case[1], function()
      play.assert { case[1], play.http(200, case[2]), false, check = function(account)
        assert.equal(case[3], account.balance)
      end }
    end)
  end
end)

describe("answers that are broken", function()
  setup(play.open)
  teardown(play.close)

  for _, room in ipairs { "wire", "envelope", "fields" } do
    for _, case in ipairs(data[room]) do
      it(case[1], function() play.assert(case) end)
    end
  end
end)
