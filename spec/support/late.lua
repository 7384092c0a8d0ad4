-- A program that can load no further file once it has made its first calls: a daemon that has changed its folder, or
-- one without descriptors. What comes of a request that has left must not need one.
local coreclaw = require "coreclaw"
local url, closed = arg[1], arg[2]
local retry = { attempts = 2, base = 0.001 }
local client = coreclaw.new { base_url = url, on_retry = function() io.write "again " end, retry = retry }
local plain = coreclaw.new { base_url = url, user_agent = "late" }
local refused = coreclaw.new { base_url = closed, retry = retry }
local worker = plain:worker "demo/rows"
assert(client:proxy_regions())
assert(not pcall(client.request, client, {})) -- loads it
assert(client:worker "demo/rows":start { count = 1 })

package.path, package.cpath = "", ""
local function say(name, value, err) print(name, value and "answered" or err.kind, err and err.attempts) end
say("slow", plain:account())
say("refused", refused:account())
say("repeated", client:request { path = "/api/v2/store" })
say("paid", worker:start { count = 1 })
