-- A script of one's own, made so that it can be tested: what it needs is handed to it. nightly_spec.lua beside it
-- shows how.
--
--   require "nightly" (coreclaw.new(), { worker = "owner/name", input = { … }, path = "rows.csv", say = print })

---@return boolean ok
return function(client, job)
  local run, err = client:worker(job.worker):call(job.input, {
    system = { execute_limit_time_seconds = 24 * 3600 },
    timeout = 12 * 3600,
    poll_intervals = { 5, 15, 60, 300 }, -- nobody waits for it
    require = "data",
    on_update = function(r) job.say(r.status .. ", " .. r.results_count .. " rows") end,
  })
  if not run then
    job.say("failed: " .. err.kind)
    if err.kind == "wait_timeout" then err.run:abort() end -- do not let it go on costing money
    return false
  end
  local file
  file, err = run:export(job.path)
  job.say(file and "exported " .. file.bytes .. " bytes" or "not exported: " .. err.kind)
  return file ~= nil
end
