--- The sandbox: the whole platform on loopback, to try and to test against without an account.
--
--   local sandbox = assert(require("coreclaw.sandbox").start())
--   local client = coreclaw.new { base_url = sandbox.url, api_key = sandbox.key }
--   ...
--   sandbox:stop()
--
-- It is a real HTTP server (nginx with its Lua module) that keeps state. It never outlives the process that started it.

local launcher = require("coreclaw.sandbox.launcher")
local option_rules = require("coreclaw.sandbox.options")
local remote = require("coreclaw.sandbox.remote")

local M = {}

---@class coreclaw.sandbox.Options
---@field port? integer port of the API on 127.0.0.1; 0, the default, picks a free one
---@field key? string the API key; a random one by default
---@field plan? "free"|"starter"|"pro"|"business" how many runs at once (default business, 50)
---@field balance? number|string money in the account (default 100)
---@field traffic? integer bytes of traffic left in the account (default 98765432101)
---@field accounts? table[] more accounts: { key, name?, plan?, balance?, traffic?, state? } with a state of "expired",
---   "disabled" or "unknown"
---@field workers? string folder with Worker files of your own
---@field sync_wait? number longest wait of a sync start, seconds (default 300)
---@field ready_for? number how long a run stays `ready`, seconds (default 0.02)
---@field abort_for? number how long a run stays `aborting` after its work has stopped, seconds (default 0.05)
---@field abort_ends? "failed"|"aborted"|"never" what an aborted run ends in (default failed)
---@field log_format? "objects"|"strings" entries of the run log (default objects)
---@field data? "absent"|"{}"|"null" `data` of answers that have none to give (default absent)
---@field clock? "real"|"virtual" virtual: time stands still except for :advance (default real)
---@field link_lifetime? number seconds that signed links live (default 1800)
---@field callback_variant? "v2"|"v2-early"|"v1" body of callbacks (default: that of the API which started the run)
---@field callback_copies? integer how often each callback is delivered (default 1)
---@field callback_order? "kept"|"reversed" reversed: the end is told first (default kept)
---@field tls? boolean also serve HTTPS and HTTP/2, at tls_url, with a certificate made at start (ca_file)
---@field data_dir? string folder in which tasks, runs and queue survive the end of the sandbox; give a `key` with it
---@field cpath? string where LuaJIT finds coreclaw/core.so, as in package.cpath

local function secret(bytes)
  local file = assert(io.open("/dev/urandom", "rb"))
  local text = file:read(bytes)
  file:close()
  return (text:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

---@class coreclaw.Sandbox
---@field url string base URL of the API
---@field key string API key of the main account
---@field site_url string the small web site for Workers to read
---@field files_url string second origin: exports and logs
---@field hook_url string takes callbacks: answers 204 and records them (origin "hook")
---@field tls_url? string the API over TLS, with HTTP/2 (option tls)
---@field ca_file? string certificate to trust there
---@field refused_url string an address where every connection is refused
---@field secret string opens the control endpoint
---@field pid integer process id of the server
local Sandbox = {}
Sandbox.__index = Sandbox

function Sandbox:__tostring()
  return "coreclaw.sandbox (" .. (self.stopped and "stopped" or self.url) .. ")"
end

--- Starts a sandbox and waits until it answers.
---@param options? coreclaw.sandbox.Options
---@return coreclaw.Sandbox? sandbox
---@return string? message
function M.start(options)
  if options ~= nil and type(options) ~= "table" then
    error("start takes a table of options", 2)
  end
  local message = option_rules.complaint(options or {})
  if message then
    error(message, 2)
  end
  local settings = option_rules.complete(options or {})
  settings.key = settings.key or "sandbox-" .. secret(12)
  settings.secret = secret(16)
  settings.accounts = option_rules.accounts(settings)
  local server, why = launcher.start(settings)
  if not server then
    return nil, why
  end
  local handle = {
    url = settings.url,
    key = settings.key,
    site_url = settings.url .. "/site/",
    files_url = settings.files_url,
    hook_url = settings.url .. "/hook/",
    tls_url = settings.tls_url,
    ca_file = settings.tls and server.dir .. "/ca.pem" or nil,
    refused_url = server.refused_url,
    secret = settings.secret,
    pid = server.pid,
    dir = server.dir,
    server = server,
  }
  return setmetatable(handle, Sandbox)
end

--- The controls of a sandbox that another process has started (`make sandbox` prints what is wanted). It cannot be
--- stopped from here.
---@param options { url: string, secret: string }
---@return coreclaw.Sandbox
function M.attach(options)
  if type(options) ~= "table" or type(options.url) ~= "string" or type(options.secret) ~= "string" then
    error("attach takes a table with url and secret", 2)
  end
  return setmetatable({ url = options.url, secret = options.secret }, Sandbox)
end

--- Stops it and waits until nothing of it is left. May be called again.
function Sandbox:stop()
  if not self.server then
    error("this sandbox was started by another process, which stops it", 2)
  end
  launcher.stop(self.server)
  self.stopped = true
end

--- Every request since the start or the last reset: method, path, query, headers (key masked), body, operation, status.
---@return table[]
function Sandbox:requests()
  return remote.call(self, "requests")
end

function Sandbox:reset_requests()
  remote.call(self, "reset_requests")
end

--- How many runs were really started; each of them (operation, worker, run_slug, input, intent); and how many for
-- each intent, which is the Worker's path, a blank and the input as it was sent.
---@return integer count
---@return table[] runs
---@return table<string, integer> by_intent
function Sandbox:paid()
  local list, by_intent = remote.call(self, "paid"), {}
  for _, run in ipairs(list) do
    by_intent[run.intent] = (by_intent[run.intent] or 0) + 1
  end
  return #list, list, by_intent
end

---@class coreclaw.sandbox.Fault
---@field operation? string which requests: those of this operation ("runWorker")
---@field method? string … with this method
---@field path? string … whose path matches this Lua pattern
---@field origin? "api"|"site"|"files"|"hook" … at this part of the sandbox (default api)
---@field agent? string … from clients with exactly this `user_agent`
---@field times? integer so many requests (default 1, or no end with probability)
---@field nth? integer the n-th request, counted from the setting of the fault
---@field probability? number each request with this chance
---@field seed? integer of the chance: the same numbers every time
---@field delay? number seconds before the answer, after the work
---@field header_delay? number seconds before anything is done
---@field work? boolean do the work although the answer is replaced (default false)
---@field status? integer answer with this HTTP status
---@field code? integer … with this code of the platform (status 200 unless given)
---@field message? string … and these words
---@field body? string … with exactly this body
---@field content_type? string … and this content type
---@field headers? table<string, string> further headers
---@field redirect? string answer with a redirect to this URL (302 unless status is given)
---@field huge? integer answer with so many bytes
---@field raw? string exactly these bytes, then the end of the connection (HTTP/1.1)
---@field close? "before"|"after" close the connection without an answer, before or after the work
---@field refuse? number end the connection without an answer, and refuse new ones for so many seconds
---@field reset? boolean the same with a reset (with close = "after", after the work)
---@field stall_after? integer stop after so many bytes of the body (0: after the head) …
---@field stall_for? number … for so many seconds (default 300)
---@field dribble? { bytes?: integer, interval?: number } a few bytes at a time: the body, or all of `raw`
---@field truncate_after? integer so many bytes of the body, then the end of the connection
---@field content_length? integer a false Content-Length
---@field gzip? "good"|"damaged" compressed, with a wrong checksum where damaged
---@field late_rows? integer result pages of a run going on lack the newest rows
---@field repeat_rows? integer result pages of a run going on begin with rows of the page before
---@field expired? boolean (files) the link has expired
---@field changed? boolean (files) the file has been written anew

--- Makes coming requests go wrong. When several faults meet a request, the first one set wins.
---@param spec coreclaw.sandbox.Fault
---@return integer id
function Sandbox:fault(spec)
  if type(spec) ~= "table" then
    error("fault takes a table", 2)
  end
  return remote.call(self, "fault", spec)
end

--- Every callback that was delivered, or could not be: run_slug, url, run_status, body, status (HTTP) or error.
function Sandbox:callbacks()
  return remote.call(self, "callbacks")
end

--- Every fault with `seen` (requests it concerns) and `hits`.
function Sandbox:faults()
  return remote.call(self, "faults")
end

function Sandbox:clear_faults()
  remote.call(self, "clear_faults")
end

--- Moves the sandbox's time forward; everything that waits in it wakes at its own moment.
---@param seconds number
---@return number now Unix time of the sandbox
function Sandbox:advance(seconds)
  return remote.call(self, "advance", { seconds = seconds })
end

--- Unix time of the sandbox.
function Sandbox:time()
  return remote.call(self, "time")
end

return M
