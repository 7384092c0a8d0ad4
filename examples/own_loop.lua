-- A loop of one's own: a game draws its frames, and its actors wait for Workers meanwhile.
--
--   lua examples/own_loop.lua          with a sandbox of its own
--
-- Whatever runs coroutines can do the same. A loop that sleeps in poll or select watches plug.fd() for
-- reading while plug.busy(), and calls plug.step() when it is readable; this one looks every frame.

local coreclaw = require "coreclaw"

local frame, actors, due = 0, {}, {} -- a list of coroutines; coroutine → the frame in which it goes on

local function enter(fn)
  local actor = coroutine.create(fn)
  actors[#actors + 1], due[actor] = actor, 0
end

local plug = coreclaw.driver {
  name = "game",
  is_here = function() return due[coroutine.running() or 0] ~= nil end,
  wait = function(wake_me, seconds) -- called in an actor: suspends it
    local me = coroutine.running()
    due[me] = seconds and frame + math.ceil(seconds * 60) or math.huge
    wake_me(function() due[me] = 0 end)
    coroutine.yield()
  end,
  spawn = enter, -- so that coreclaw.spawn and coreclaw.all work in actors
}

local sandbox = assert(require("coreclaw.sandbox").start())
local client = coreclaw.new { api_key = sandbox.key, base_url = sandbox.url, poll_intervals = { 0.1 } }

for name, count in pairs { Ann = 3, Bob = 5 } do
  enter(function() -- an actor: the same words as in a script
    local run = assert(client:worker "demo/rows":call { count = count, wait = 0.3 })
    for row in run:results() do print(name .. " has row " .. row.index .. " in frame " .. frame) end
  end)
end

while #actors > 0 do
  frame = frame + 1
  plug.step()
  for i = #actors, 1, -1 do
    local actor = actors[i]
    if due[actor] <= frame then assert(coroutine.resume(actor)) end
    if coroutine.status(actor) == "dead" then table.remove(actors, i) end
  end
  coreclaw.sleep(1 / 60) -- where a game would draw, and wait for the screen
end
print("done in " .. frame .. " frames")
sandbox:stop()
