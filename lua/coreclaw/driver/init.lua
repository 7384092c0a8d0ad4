--- Chooses, per call, how to wait where we are.

local base = require "coreclaw.driver.base"
local coroutines = require "coreclaw.driver.coroutines"
local plain = base.complete(require "coreclaw.driver.plain")

local driver = {}

-- Hosts that a program has plugged in, newest first.
local hosts = {}

-- Drivers that have been needed so far.
local loaded = {}

local function load_driver(name)
  loaded[name] = loaded[name] or base.complete(require("coreclaw.driver." .. name))
  return loaded[name]
end

local function host_here()
  for _, host in ipairs(hosts) do
    if host.is_here() then return host end
  end
end

---Puts a host in front of those that we know.
---@param module table  a driver: see coreclaw.driver.base
function driver.install(module)
  table.insert(hosts, 1, base.complete(module))
  return module
end

---The driver for the place of this call: nginx, a host of the program's own, Neovim, a task of ours,
---cqueues, luv, or none of them.
---@return table driver  submit(request), wait(record, seconds?), sleep(seconds), …
function driver.current()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.get_phase then return load_driver "ngx" end
  local host = hosts[1] and host_here()
  if host then return host end
  if type(rawget(_G, "vim")) == "table" then return load_driver "uv" end
  local task = coroutines.task()
  if task then return task.home end
  if package.loaded.cqueues and load_driver "cqueues".is_here() then return loaded.cqueues end
  return package.loaded.luv and load_driver "uv" or plain
end

return driver
