--- The states of many runs, with few requests: from the run list, as far as it shows them.
--
-- What it does not show is asked for run by run, and so are all of them where there is no list to use.

local listed = require "coreclaw.listed"
local run = require "coreclaw.run"

local fleet = {}

---Reads the states of runs into their handles.
---@param fleet_of { client: table, worker_id: string? }  whose runs; of one Worker, if given
---@param runs coreclaw.Run[]
---@param since number    Unix seconds before which none of them was started
---@param timeout number? seconds for each request
---@return table<coreclaw.Run, coreclaw.Error> failures  of runs whose state could not be read
function fleet.read(fleet_of, runs, since, timeout)
  local wanted, found, err, failures = {}, {}, nil, {}
  for _, handle in ipairs(runs) do wanted[handle.slug] = true end
  if #runs > listed.FEW then found, err = listed.find(fleet_of, wanted, #runs, since, timeout) end
  for _, handle in ipairs(runs) do
    local record = found[handle.slug]
    if record then
      run.absorb(handle, record)
    else
      -- A list that fails for now would fail for each run as well; all of them are read next time.
      local ok, failure = nil, err and (err.retryable or err.kind == "cancelled") and err
      if not failure then ok, failure = handle:reload { timeout = timeout } end
      if not ok then failures[handle] = failure end
    end
  end
  return failures
end

return fleet
