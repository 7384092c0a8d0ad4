-- The cases of every host, in cqueues; and others of its coroutines go on meanwhile.
local process = require "spec.hosts.process"

local PROGRAM = [[
local cqueues = require "cqueues"
local ticks, over = 0, false
local loop = cqueues.new()
loop:wrap(function()
  while not over do ticks = ticks + 1 cqueues.sleep(0.005) end
end)
loop:wrap(function()
  require "spec.hosts.runner" (print)
  over = true
end)
assert(loop:loop())
print("ticks", ticks)
]]

process.specs_of("cqueues", PROGRAM)
