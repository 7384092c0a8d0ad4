-- Runs all cases in the host that runs this, and prints a line for each: ok or failed, name, why.
-- The environment names the sandbox: BOX_URL, BOX_KEY, BOX_SECRET.
return function(print_line)
  local cases = require "spec.hosts.cases"
  for _, name in ipairs(cases.order) do
    local result = cases.run(name, {
      url = os.getenv "BOX_URL", key = os.getenv "BOX_KEY", secret = os.getenv "BOX_SECRET", path = os.getenv "BOX_FILE",
    })
    print_line((result == true and "ok" or "failed") .. "\t" .. name .. "\t"
      .. (result == true and "" or result:gsub("%s+", " ")))
  end
  print_line "end"
end
