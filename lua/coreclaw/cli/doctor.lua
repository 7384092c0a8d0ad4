--- A look at the installation: what is there, which key would be used, does the API answer.

local core = require "coreclaw.core"
local coreclaw = require "coreclaw"
local errors = require "coreclaw.errors"
local exit = require "coreclaw.cli.exit"
local failure = require "coreclaw.cli.failure"
local json = require "coreclaw.json"
local profile = require "coreclaw.cli.profile"

local doctor = {}

local COLUMNS = {
  { key = "check", label = "check", always = true, width = 13 },
  { key = "state", label = "state", always = true },
  { key = "detail", label = "detail", always = true, uncut = true },
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
  add("TLS", curl.ssl ~= "" and "ok" or "fail", curl.ssl ~= "" and curl.ssl
    or "libcurl was built without TLS; another is needed")
  add("HTTP/2", curl.http2 and "ok" or "warn", curl.http2 and "yes" or "libcurl was built without it")
  local cjson = version_of "cjson"
  add("lua-cjson", cjson and "ok" or "fail", cjson or "not installed (Debian: apt install lua-cjson; "
    .. "otherwise: luarocks install lua-cjson)")
  add("argparse", "ok", version_of "argparse")
  local nginx = shell "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx"
  add("sandbox", nginx and "ok" or "warn", nginx or "nginx is not installed; only `coreclaw sandbox` wants it")
end

-- ---- settings ---------------------------------------------------------------------------------

local function where(source, without)
  if source ~= "nowhere" then return source .. (without and " (profile " .. without .. " has none)" or "") end
  return ("nowhere%s: set CORECLAW_API_KEY, or write %s"):format(
    without and ", for profile " .. without .. " has no api_key" or "", tostring(profile.path()))
end

-- The client, and where its key comes from; a profile file that others can read is a finding.
local function configured(ctx, add)
  local settings, source, without = ctx:settings()
  local made = coreclaw.new(settings)
  add("API", "ok", made.settings.base_url .. " (" .. made.settings.api .. ")")
  add("key from", source == "nowhere" and "fail" or "ok", where(source, without))
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
    add("API reachable", "fail", tostring(err) .. "; is the network there, and are proxy and --base-url right?")
    return nil, exit.of(err)
  end
  add("API reachable", "ok", ("HTTP %s in %.0f ms"):format(tostring(err and err.http_status or 200),
    (core.now() - began) * 1000))
  check_clock(add, response)
end

local function key_valid(client, add)
  local account, err = client:account { timeout = 20 }
  add("key valid", account and "ok" or "fail", account and "balance " .. tostring(account.balance)
    or tostring(err) .. (err.kind == "authentication" and "; another key: coreclaw login" or ""))
  return nil, err and exit.of(err)
end

local function journal(client, add)
  if not client.settings.journal then return end
  local list, err = client:recover { timeout = 20 }
  if not list then
    add("journal", "fail", tostring(err))
    return nil, errors.is(err) and exit.of(err) or exit.codes.error
  end
  add("journal", #list == 0 and "ok" or "warn", #list == 0 and "nothing is open" or #list
    .. " calls are open: coreclaw recover")
end

-- One part of the look. What it raises is a finding, too.
local function part(add, name, look, ...)
  local ok, value, code = pcall(look, ...)
  if ok then return value, code end
  if errors.is(value) then code = exit.of(value) end
  local misuse, word = failure.misuse(value)
  if failure.is(value) then word = value.code end
  add(name, "fail", misuse or tostring(value))
  return nil, code or exit.codes[word or "error"]
end

-- The parts that ask the API; returns the code of the first trouble.
local function ask(client, add, has_key)
  local _, code = part(add, "API reachable", reached, client, add)
  if code or not has_key then return code end
  _, code = part(add, "key valid", key_valid, client, add)
  if code then return code end
  return select(2, part(add, "journal", journal, client, add))
end

---Looks, prints each thing as soon as it is known, and returns the code of the first one that is wrong.
---@param ctx coreclaw.cli.Context
---@return integer
function doctor.run(ctx)
  if not pcall(json.encode, {}) then ctx.out.mode = "table" end -- there is no JSON to be had
  local out, failed = ctx.out:list(COLUMNS, true), nil
  local function add(check, state, detail)
    failed = failed or state == "fail"
    out.add { check = check, state = state, detail = detail }
    ctx.out:finish()
  end
  part(add, "installation", installed, add)
  local first = failed and exit.codes.error
  local client, code = part(add, "settings", configured, ctx, add)
  local trouble = client and ask(client, add, not code)
  out.close()
  return first or code or trouble or exit.codes.ok
end

return doctor
