--- A look at the installation: what is there, which key would be used, does the API answer.

local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local errors = require "coreclaw.errors"
local exit = require "coreclaw.cli.exit"
local failure = require "coreclaw.cli.failure"
local profile = require "coreclaw.cli.profile"

local doctor = {}

local COLUMNS = {
  { key = "check", label = "check", always = true },
  { key = "state", label = "state", always = true },
  { key = "detail", label = "detail", always = true },
}

-- Clocks further apart than this make certificates look invalid, and dates of runs wrong.
local SKEW = 60

local function shell(command)
  local pipe = io.popen(command)
  local text = pipe and pipe:read "*l" or nil
  if pipe then pipe:close() end
  return text ~= "" and text or nil
end

local function version_of(name)
  local ok, module = pcall(require, name)
  if not ok or type(module) ~= "table" then return nil end
  return tostring(module._VERSION or module.version or "of some version")
end

local function interpreter()
  local jit = rawget(_G, "jit")
  return jit and jit.version or _VERSION
end

-- ---- what is installed ------------------------------------------------------------------------

local function installed(add)
  add("coreclaw", "ok", core.version)
  add("Lua", "ok", interpreter())
  local curl = core.curl
  add("libcurl", curl.guards and "ok" or "warn", curl.version .. (curl.guards and "" or
    "; older than 7.80: starts keep to HTTP/1.1"))
  add("TLS", curl.ssl ~= "" and "ok" or "fail", curl.ssl ~= "" and curl.ssl or "libcurl was built without TLS")
  add("HTTP/2", curl.http2 and "ok" or "warn", curl.http2 and "yes" or "libcurl was built without it")
  local cjson = version_of "cjson"
  add("lua-cjson", cjson and "ok" or "fail", cjson or "not installed (Debian: lua-cjson)")
  add("argparse", "ok", version_of "argparse")
  local nginx = shell "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx"
  add("sandbox", nginx and "ok" or "warn", nginx or "nginx is not installed; only `coreclaw sandbox` wants it")
end

-- ---- settings ---------------------------------------------------------------------------------

-- The client, and where its key comes from; a profile file that others can read is a finding.
local function configured(ctx, add)
  local ok, settings, source = pcall(ctx.settings, ctx)
  if not ok then
    if not failure.is(settings) then error(settings, 0) end
    add("settings", "fail", settings.message)
    return nil, exit.codes[settings.code]
  end
  local made
  ok, made = pcall(coreclaw.new, settings)
  if not ok then
    local misuse = failure.misuse(made)
    if not misuse then error(made, 0) end
    add("settings", "fail", misuse)
    return nil, exit.codes.usage
  end
  add("API", "ok", made.settings.base_url .. " (" .. made.settings.api .. ")")
  add("key from", source == "nowhere" and "fail" or "ok", source == "nowhere"
    and "nowhere: set CORECLAW_API_KEY, or write " .. tostring(profile.path()) or source)
  return made, source == "nowhere" and exit.codes.authentication or nil
end

-- ---- the way to the API -----------------------------------------------------------------------

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

-- Seconds by which the server's clock is ahead of ours.
local function skew_of(response)
  local calendar = require "coreclaw.calendar"
  local day, month, year, h, m, s = (response and response:header "date" or "")
    :match "(%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT"
  if not day then return nil end
  local there = calendar.day(tonumber(year), MONTHS[month], tonumber(day)) * 86400 + h * 3600 + m * 60 + s
  return there - core.time()
end

local function check_clock(add, response)
  local skew = skew_of(response)
  if not skew then return add("clock", "warn", "the API tells no time") end
  local far = math.abs(skew) > SKEW
  add("clock", far and "warn" or "ok", ("%.0f s %s the API's%s"):format(math.abs(skew),
    skew > 0 and "behind" or "ahead of", far and "; set this machine's clock" or ""))
end

local function reached(client, add)
  local began = core.now()
  local _, err, response = client:proxy_regions { timeout = 20 }
  response = response or err and err.response
  if err and not err.http_status then
    add("API reachable", "fail", tostring(err))
    return exit.of(err)
  end
  add("API reachable", "ok", ("HTTP %s in %.0f ms"):format(tostring(err and err.http_status or 200),
    (core.now() - began) * 1000))
  check_clock(add, response)
end

local function key_valid(client, add)
  local account, err = client:account { timeout = 20 }
  add("key valid", account and "ok" or "fail", account and "balance " .. tostring(account.balance) or tostring(err))
  return err and exit.of(err)
end

local function journal(client, add)
  if not client.settings.journal then return end
  local list, err = client:recover { timeout = 20 }
  if not list then
    add("journal", "fail", tostring(err))
    return errors.is(err) and exit.of(err) or exit.codes.error
  end
  add("journal", #list == 0 and "ok" or "warn", #list == 0 and "nothing is open" or #list
    .. " calls are open: coreclaw recover")
end

---Looks, prints, and returns the code of the first thing that is wrong.
---@param ctx coreclaw.cli.Context
---@return integer
function doctor.run(ctx)
  local out = ctx.out:list(COLUMNS)
  local function add(check, state, detail) out.add { check = check, state = state, detail = detail } end
  installed(add)
  local client, code = configured(ctx, add)
  if client then
    local trouble = reached(client, add)
    if not trouble and not code then trouble = key_valid(client, add) end
    code = code or trouble
    if not trouble then code = journal(client, add) or code end
  end
  out.close()
  return code or exit.codes.ok
end

return doctor
