--- One Worker at work for one run: what it is given (input, emit, log, tools) and what becomes of its errors.

local clock = require("coreclaw.sandbox.platform.clock")
local codec = require("coreclaw.sandbox.codec")
local encode = require("coreclaw.sandbox.encode")
local fetch = require("coreclaw.sandbox.tools.fetch")
local html = require("coreclaw.sandbox.tools.html")
local ids = require("coreclaw.sandbox.platform.ids")
local money = require("coreclaw.sandbox.platform.money")
local span = require("coreclaw.sandbox.span")
local columns = require("coreclaw.sandbox.platform.columns")

-- luacheck: globals ngx
local M = {}

-- Thrown through a Worker that is to stop; not an error of its own.
local STOP = setmetatable({}, {
  __tostring = function()
    return "the run is being aborted"
  end,
})

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }

-- Who wants to hear of log entries and of rows (the journal).
M.note_listeners, M.row_listeners = {}, {}

local function tell(listeners, run, news)
  for _, listener in ipairs(listeners) do
    listener(run, news)
  end
end

--- Adds an entry to a run's log.
function M.note(run, level, text)
  local entry = {
    type = LEVELS[level],
    content = tostring(text),
    timestamp = math.floor(clock.now() * 1000),
  }
  run.log[#run.log + 1] = entry
  tell(M.note_listeners, run, entry)
end

local function logger(run)
  local log = {}
  for level in pairs(LEVELS) do
    log[level] = function(text)
      M.note(run, level, text)
    end
  end
  return setmetatable(log, {
    __call = function(_, text)
      M.note(run, "info", text)
    end,
  })
end

-- The ceilings that an input may set: USD and MB, 0 for none.
local function check_spending(run)
  local system = run.system
  local spent = money.usage(clock.now() - run.started_at, #run.rows, system.cpus)
  if system.max_total_charge > 0 and spent > money.micros(system.max_total_charge) then
    error("max_total_charge of " .. system.max_total_charge .. " reached", 0)
  elseif system.max_total_traffic > 0 and run.bytes > system.max_total_traffic * 1048576 then
    error("max_total_traffic of " .. system.max_total_traffic .. " MB reached", 0)
  end
end

-- Every call that a Worker makes passes here, so none runs on after an abort or past its time.
local function check_alive(run)
  if run.abort then
    error(STOP, 0)
  end
  check_spending(run)
  local limit = run.system.execute_limit_time_seconds
  if limit > 0 and clock.now() - run.started_at > limit then
    error("execution time limit of " .. limit .. " seconds reached", 0)
  end
end

-- A busy Worker lets the server breathe after so many rows.
local BREATH = 500

local function emitter(run)
  local rows = run.rows
  return function(row)
    check_alive(run)
    if type(row) ~= "table" then
      error("emit takes a row, which is a table", 2)
    end
    columns.note(run, row)
    local body = encode.encode(row)
    rows[#rows + 1] = '{"__coreclaw_data_id__":"' .. ids.row() .. (body == "{}" and '"}' or '",' .. body:sub(2))
    run.bytes = run.bytes + #body
    tell(M.row_listeners, run, rows[#rows])
    if #rows % BREATH == 0 then
      ngx.sleep(0.001)
    end
  end
end

local function toolbox(run)
  local tools = { html = html.parse, null = encode.null, array = encode.list, integer = encode.integer }
  function tools.sleep(seconds)
    check_alive(run)
    local limit = run.system.execute_limit_time_seconds
    local left = limit > 0 and run.started_at + limit + 1 - clock.now() or seconds
    clock.wait(run.place, math.min(seconds, left))
    check_alive(run)
  end
  function tools.aborted()
    return run.abort == true
  end
  function tools.fetch(url, options)
    check_alive(run)
    options = options or {}
    options.stop = tools.aborted
    local answer, message = fetch.fetch(url, options)
    run.bytes = run.bytes + (answer and #answer.body or 0)
    check_alive(run)
    return answer, message
  end
  return tools
end

-- What the Worker gets: its own fields, defaults filled in where nothing was given.
local function custom_input(run)
  local input = span.object(run.input)
  local parameters = input and span.object(input.parameters)
  local custom = parameters and parameters.custom and codec.decode(parameters.custom) or {}
  for _, entry in ipairs(run.worker.schema.properties) do
    local value = custom[entry.name]
    if value == nil or value == codec.null then
      custom[entry.name] = entry.default
    end
  end
  return custom
end

local function traceback(err)
  if err == STOP then
    return STOP
  end
  return { message = tostring(err), trace = debug.traceback(tostring(err), 2) }
end

--- Runs the Worker of a run to its end.
---@return boolean ok
---@return string? message of the failure, one line
function M.perform(run)
  M.note(run, "info", "SYSTEM: environment ready")
  local ok, err = xpcall(run.worker.run, traceback, custom_input(run), emitter(run), logger(run), toolbox(run))
  if ok or err == STOP then
    M.note(run, "info", "SYSTEM: finished, " .. #run.rows .. " rows")
    return true
  end
  M.note(run, "error", err.trace)
  return false, err.message:match("^[^\n]*")
end

return M
