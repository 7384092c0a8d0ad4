-- A program that prints all it has and dies of an error that nobody catches. The key is in the environment.
local coreclaw = require "coreclaw"
local client = coreclaw.new {
  api = arg[1], auth = arg[2], retry = { attempts = 2, base = 0.001 },
  on_response = function(event) error(event.error) end,
}
print(client, client.settings, client:worker "a/b", client:account())
for name, value in pairs(client.settings) do print(name, value) end
print(pcall(client.worker, client, os.getenv "CORECLAW_API_KEY" .. "/x/y"))
local ok, err = pcall(client:runs())
assert(ok, tostring(err))
