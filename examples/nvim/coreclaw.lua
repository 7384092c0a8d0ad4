-- Workers in Neovim, 0.7.2 or newer. Put this file into plugin/ below a folder of your 'runtimepath'; the key is in
-- CORECLAW_API_KEY.
--
--   :Coreclaw               pick a Worker, answer what its schema asks, watch its log, see its rows
--   :Coreclaw owner/name    that Worker
--   :Coreclaw! …            rows into the quickfix list instead of a buffer
--
-- Closing the log's window while the run is going on aborts it, and so does leaving the editor. Nothing blocks
-- meanwhile: each step runs in a task (coreclaw.spawn), which may use the editor's API at any place; what is raised
-- there and nobody waits for is told by vim.notify.

local api = vim.api
local going = {} -- buffer → run

local function connect()
  local coreclaw = require "coreclaw" -- loaded when it is needed
  return coreclaw, coreclaw.new()
end

-- ---- what to run ------------------------------------------------------------------------------

-- Yours, then the store's.
local function pick(client, done)
  local list, known = {}, {}
  for _, workers in ipairs { client:workers(), client:store { limit = 50 } } do
    for worker in workers do
      if not known[worker.id] then list[#list + 1] = worker end
      known[worker.id] = true
      if #list >= 100 then break end
    end
  end
  vim.ui.select(list, {
    prompt = "Worker",
    format_item = function(worker) return worker.id .. "  " .. (worker.title or "") end,
  }, function(worker)
    if worker then done(worker) end
  end)
end

-- An answer as the schema wants it. What does not fit is left as it is: the check says so in better words.
local function read(field, text)
  if field.type == "number" or field.type == "integer" then return tonumber(text) or text end
  if field.type == "boolean" then return text:lower():find "^[ty1]" ~= nil end
  if text:find "^%s*[%[{]" then
    local ok, value = pcall(vim.json.decode, text)
    return ok and value or text
  end
  if field.type == "array" then return vim.split(text, "%s*,%s*", { trimempty = true }) end
  return text
end

local function shown(value)
  if value == nil then return nil end
  return type(value) == "table" and vim.json.encode(value):gsub("\\/", "/") or tostring(value)
end

-- Asks for one field after the other, and says what was wrong with the last answer. None leaves a field out; one
-- that is required must have one.
local function ask(fields, i, custom, wrong, done)
  local field = fields[i]
  if not field then return done(custom) end
  local prompt = (field.title or field.name) .. (field.required and " *" or "")
    .. (wrong[field.name] and " (" .. wrong[field.name] .. ")" or "")
  local function go_on(value)
    if value == nil and field.required then return vim.notify("coreclaw: nothing was started") end
    custom[field.name] = value
    ask(fields, i + 1, custom, wrong, done)
  end
  if field.options and not field.multiple then
    vim.ui.select(field.options, {
      prompt = prompt, format_item = function(option) return option.label end,
    }, function(option) go_on(option and option.value) end)
  else
    vim.ui.input({ prompt = prompt .. ": ", default = shown(custom[field.name] or field.default) }, function(text)
      go_on(text and text ~= "" and read(field, text) or nil)
    end)
  end
end

-- ---- what comes of it -------------------------------------------------------------------------

local function open(name)
  vim.cmd "botright new"
  local buffer = api.nvim_get_current_buf()
  api.nvim_buf_set_name(buffer, name)
  local options = vim.bo[buffer]
  options.buftype, options.bufhidden, options.swapfile = "nofile", "wipe", false
  return buffer
end

local function append(buffer, text)
  local last = api.nvim_buf_line_count(buffer)
  local empty = last == 1 and api.nvim_buf_get_lines(buffer, 0, 1, false)[1] == ""
  api.nvim_buf_set_lines(buffer, empty and 0 or -1, -1, false, vim.split(text, "\n"))
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    api.nvim_win_set_cursor(window, { api.nvim_buf_line_count(buffer), 0 })
  end
end

local function to_buffer(coreclaw, run)
  local buffer = open("coreclaw://" .. run.slug .. "/rows")
  for row in run:results() do
    if not api.nvim_buf_is_valid(buffer) then return end -- closed meanwhile
    append(buffer, coreclaw.json.encode(row))
  end
end

local function to_quickfix(coreclaw, run)
  local items = {}
  for row in run:results() do
    local function text(name) return type(row[name]) == "string" and row[name] or nil end
    items[#items + 1] = { filename = text "url", text = text "title" or coreclaw.json.encode(row) }
  end
  vim.fn.setqflist({}, " ", { title = "coreclaw " .. run.slug, items = items })
  vim.cmd "botright copen"
end

local function watch(coreclaw, run, show)
  local buffer = open("coreclaw://" .. run.slug .. "/log")
  going[buffer] = run
  local task = coreclaw.spawn(function()
    for entry in run:logs { follow = true } do append(buffer, (entry.level or "") .. "  " .. entry.text) end
    assert(run:reload())
    going[buffer] = nil
    append(buffer, run.status .. ", " .. run.results_count .. " rows")
    if run.results_count > 0 then show(coreclaw, run) end
  end)
  api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer, once = true,
    callback = function()
      if not going[buffer] then return end
      going[buffer] = nil
      task:cancel()
      coreclaw.spawn(function()
        assert(run:abort())
        vim.notify("coreclaw: run " .. run.slug .. " is being aborted")
      end)
    end,
  })
end

api.nvim_create_autocmd("VimLeavePre", {
  callback = function()
    for _, run in pairs(going) do run:abort { timeout = 5 } end -- outside of a task: waits
  end,
})

-- ---- the command ------------------------------------------------------------------------------

-- Asks again until the schema has nothing against it: before anything is paid for.
local function fill(coreclaw, worker, custom, done)
  coreclaw.spawn(function()
    local prepared, wrong = assert(worker:prepare(custom)), {}
    for _, issue in ipairs(custom and prepared.errors or {}) do wrong[issue.field:match "^[^.%[]+"] = issue.message end
    if custom and not next(wrong) then return done(custom) end
    ask(prepared.fields, 1, custom or {}, wrong, function(answers) fill(coreclaw, worker, answers, done) end)
  end)
end

api.nvim_create_user_command("Coreclaw", function(command)
  local coreclaw, client = connect()
  local show = command.bang and to_quickfix or to_buffer

  local function begin(worker)
    fill(coreclaw, worker, nil, function(custom) watch(coreclaw, assert(worker:start(custom)), show) end)
  end

  if command.args ~= "" then return begin(client:worker(command.args)) end
  coreclaw.spawn(pick, client, begin)
end, { nargs = "?", bang = true, desc = "Run a CoreClaw Worker" })
