-- A process that makes one call: what starting costs.
local coreclaw = require "coreclaw"
assert(coreclaw.new { api_key = "bench-key", base_url = os.getenv "BENCH_URL" }:request { path = "/tiny" })
