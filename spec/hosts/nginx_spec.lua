-- The cases of every host, in a real nginx that is driven over HTTP.
local nginx = require "spec.hosts.nginx"
local process = require "spec.hosts.process"
local sandbox = require "coreclaw.sandbox"

if rawget(_G, "jit") then
  describe("in nginx, coreclaw", function()
    process.specs(function()
      local box = assert(sandbox.start {})
      local server = nginx.start { box = box, server = [[
        location = /cases {
          content_by_lua_block {
            require "spec.hosts.runner" (function(line) ngx.say(line) ngx.flush(true) end)
          }
        }
      ]] }
      local results = process.parse(server:get("/cases", 180))
      results.ok, results.all = true, results.all .. server:log()
      server:stop()
      box:stop()
      return results
    end)
  end)
end
