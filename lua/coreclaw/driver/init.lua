--- Chooses, per call, how to wait where we are.

local plain = require "coreclaw.driver.plain"
local validate = require "coreclaw.validate"

local driver = {}

---The driver for the place of this call.
---@return table driver  submit(request), wait(record), sleep(seconds)
function driver.current()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.get_phase then
    -- Blocking here would starve every other request of this nginx worker.
    validate.fail("coreclaw cannot wait inside nginx yet: it would block the whole worker process")
  end
  return plain
end

return driver
