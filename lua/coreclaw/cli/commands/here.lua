--- What belongs to this machine: the sandbox, a look at the installation, completion of commands.

local coreclaw = require "coreclaw"
local core = require "coreclaw.core"
local doctor = require "coreclaw.cli.doctor"
local failure = require "coreclaw.cli.failure"

-- ---- sandbox ----------------------------------------------------------------------------------

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs a program against the sandbox; returns its exit code.
local function run_in(box, words)
  local list = {}
  for i, word in ipairs(words) do list[i] = quoted(word) end
  local ok, _, code = os.execute(("CORECLAW_BASE_URL=%s CORECLAW_API_KEY=%s CORECLAW_SITE_URL=%s %s"):format(
    quoted(box.url), quoted(box.key), quoted(box.site_url), table.concat(list, " ")))
  if type(ok) == "number" then return ok >= 256 and math.floor(ok / 256) or ok end -- Lua 5.1
  return code or (ok and 0 or 1)
end

local PLACES = { { key = "url" }, { key = "key" }, { key = "site" }, { key = "files" }, { key = "secret" } }

local function announce(ctx, box)
  local places = { url = box.url, key = box.key, site = box.site_url, files = box.files_url, secret = box.secret }
  if ctx.out.mode == "table" then
    for _, place in ipairs(PLACES) do ctx.out:write(place.key .. ": " .. places[place.key] .. "\n") end
  end
  ctx.out:document(PLACES, places)
  ctx.out:finish()
  ctx:hint("It runs until Ctrl-C. In another terminal:\n  export CORECLAW_BASE_URL=%s CORECLAW_API_KEY=%s", box.url,
    box.key)
end

local function wait_for_end(box)
  core.catch_interrupts(0)
  return pcall(function()
    while core.process_mark(box.pid) do coreclaw.sleep(1) end
  end)
end

local function sandbox(ctx, options)
  if options.workers and core.file_type(options.workers) ~= "folder" then
    failure.raise("file", "sandbox --workers " .. options.workers .. ": there is no such folder")
  end
  local box, why = require("coreclaw.sandbox").start {
    port = options.port, key = options.key, workers = options.workers, data_dir = options.data_dir,
    plan = options.plan,
  }
  if not box then failure.raise("error", tostring(why)) end
  if #options.program > 0 then
    local code = run_in(box, options.program)
    box:stop()
    return code
  end
  local ok, err = pcall(announce, ctx, box)
  if ok then wait_for_end(box) end
  box:stop()
  if not ok then error(err, 0) end
end

-- ---- completion -------------------------------------------------------------------------------

local function completion(ctx, options)
  local parser = options.parser
  ctx.out:write(parser["get_" .. options.shell .. "_complete"](parser))
end

return {
  {
    name = "sandbox", summary = "Run an emulator of the platform on loopback, or a program against one", run = sandbox,
    arguments = { { "program", "After --: run it with the sandbox in its environment, then stop", args = "*",
      argname = "WORD" } },
    options = {
      { "--port", "Port of the API (default: a free one)", argname = "N", type = "count" },
      { "--key", "Its key, which is no secret (default: a random one)", argname = "TEXT" },
      { "--workers", "Folder with Worker files of your own", argname = "DIR" },
      { "--data-dir", "Keep tasks, runs and queue there", argname = "DIR" },
      { "--plan", "How many runs at once", choices = { "free", "starter", "pro", "business" } },
    },
  },
  { name = "doctor", summary = "Look at the installation, the key, and the way to the API", run = doctor.run },
  {
    name = "completion", summary = "Print what completes commands in a shell", run = completion,
    arguments = { { "shell", "bash, zsh or fish", choices = { "bash", "zsh", "fish" } } },
  },
}
