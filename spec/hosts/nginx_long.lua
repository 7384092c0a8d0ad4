-- 50,000 calls in one nginx worker, which end in every way: `make test-long`.
local sandbox = require "coreclaw.sandbox"

describe("in nginx, coreclaw", function()
  it("keeps nothing of 50,000 calls that end in every way", function()
    local box = assert(sandbox.start {})
    require "spec.hosts.nginx_leaks".run(box, 50000)
    box:stop()
  end)
end)
