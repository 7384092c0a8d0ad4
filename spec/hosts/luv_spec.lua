-- The cases of every host, in a program that runs luv's loop; and the loop stays free.
local process = require "spec.hosts.process"

local PROGRAM = [[
local uv = require "luv"
local coreclaw = require "coreclaw"
local ticks, timer = 0, uv.new_timer()
timer:start(5, 5, function() ticks = ticks + 1 end)
coreclaw.spawn(function()
  require "spec.hosts.runner" (print)
  timer:close()
end)
uv.run()
print("ticks", ticks)
]]

if pcall(require, "luv") then
  describe("in luv, coreclaw", function()
    process.specs(function()
      return process.results(("%s %s -e '%s'"):format(process.paths(process.lua()), process.lua(),
        PROGRAM:gsub("'", "'\\''")))
    end)
  end)
end
