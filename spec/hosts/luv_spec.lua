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

process.specs_of("luv", PROGRAM)
