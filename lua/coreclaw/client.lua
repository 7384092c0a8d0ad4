--- The client: one account of the platform, and the handles that start from it.

local answer = require "coreclaw.answer"
local clock = require "coreclaw.clock"
local config = require "coreclaw.config"
local http = require "coreclaw.http"
local lazy = require "coreclaw.lazy"
local recent = require "coreclaw.recent"
local retry = require "coreclaw.retry"
local stats = require "coreclaw.stats"
local validate = require "coreclaw.validate"

local map, worker = lazy.module "coreclaw.map", lazy.module "coreclaw.worker"
local operations = lazy.module "coreclaw.operations.v2"

---@class coreclaw.Client
local Client = { __name = "coreclaw.Client" }
Client.__index = Client

-- Each noun of the API brings its own methods.
lazy.functions(Client, "coreclaw.store", { "store", "workers" })
lazy.functions(Client, "coreclaw.runs", { "run", "runs", "last_run" })
lazy.functions(Client, "coreclaw.task", { "task", "tasks", "create_task" })
lazy.functions(Client, "coreclaw.queue", { "queue", "queue_item", "activate", "release" })
lazy.functions(Client, "coreclaw.raw", { "operation", "request" })
lazy.functions(Client, "coreclaw.reconcile", { "reconcile" })
lazy.functions(Client, "coreclaw.recover", { "recover" })
for name, method in pairs(stats.methods) do Client[name] = method end

local TIMEOUT = { type = "seconds" }
local ONLY_TIMEOUT = { timeout = TIMEOUT }
local REGIONS = { language = { type = "text" }, timeout = TIMEOUT }

local client = {}

---@class coreclaw.Options
---@field api_key string?         else CORECLAW_API_KEY; three public operations work without
---@field api "v2"|"v1"?          default "v2"
---@field auth "bearer"|"api_key"|"query"?  how the key travels; default "bearer"
---@field base_url string?        else CORECLAW_BASE_URL, else https://openapi.coreclaw.com
---@field allow_http boolean?     let the key travel over plain http to a host that is not loopback
---@field timeout number?         seconds for a public call with all its retries; default 120, 0 = none
---@field request_timeout number? seconds for one HTTP exchange; default 60, 0 = none
---@field connect_timeout number? seconds; default 10
---@field idle_timeout number?    seconds in which no byte moves; default 30, 0 = off
---@field max_body integer?       most bytes of an answer; default 64 MiB
---@field max_headers integer?     most bytes of the headers of an answer; default 256 KiB, at most 300 KiB
---@field max_pages integer?       most pages that one iterator fetches; default 1,000,000
---@field verify boolean?         check the server's certificate; default true. false warns
---@field ca_file string?         CA bundle, PEM; default the system's
---@field cert_file string?       certificate of this client, PEM, for the API only (mutual TLS)
---@field key_file string?        its private key, PEM; default: in cert_file
---@field key_password string?    of the private key
---@field proxy string?           "http://user:password@host:port", also socks5:// and socks5h:// (names are
---  resolved by the proxy); "": none; default as in the environment
---@field no_proxy string|string[]?  hosts that are reached without a proxy; default NO_PROXY
---@field resolve table<string, string>?  { ["host:port"] = "address" }, instead of DNS
---@field on_warning fun(message: string)?  instead of a line on stderr
---@field user_agent string?
---@field retry boolean|table|function?  false: never; table: attempts, base, cap, budget,
---  random, …; function: your own
---@field defaults { system: table? }? put under the `system` of every start
---@field journal string?         file in which paid calls are noted before they are sent: see `client:recover`
---@field on_request fun(event: coreclaw.RequestEvent)?  before each request; the key is masked
---@field on_response fun(event: coreclaw.ResponseEvent)?  after each answer or failure
---@field on_retry fun(event: coreclaw.RetryEvent)?     before a request is repeated
---@field clock { now: (fun(): number), sleep: fun(seconds: number) }?  for tests: what deadlines are measured by,
---  and how to wait between requests
---@field poll_intervals number[]? seconds between the reads of `run:wait`; the last one repeats

---Makes a client. Raises on settings that make no sense; sends nothing.
---@param options coreclaw.Options?
---@return coreclaw.Client
function client.new(options)
  local settings = config.new(options)
  -- Nothing may have to be loaded when something has been sent.
  if settings.on_request or settings.on_response or settings.on_retry then require "coreclaw.hooks" end
  return setmetatable({
    settings = settings,
    operations = operations,
    retry = retry.policy(settings.retry),
    budget = retry.budget(settings.retry),
    random = retry.random(settings.retry),
    clock = clock.new(settings.clock),
    counts = stats.new(settings),
    schemas = {},
    -- Runs that were given out, so that reconcile does not take one for another. Slugs only.
    started = recent.new(10000),
  }, Client)
end

function Client:__tostring()
  return "coreclaw.Client " .. self.settings.base_url
end

---A handle to a Worker. Sends nothing.
---@param id string|coreclaw.Worker  owner/name, owner~name, percent-encoded, or a slug
---@return coreclaw.Worker
function Client:worker(id)
  local handle = worker.new(self, id, "client:worker")
  return handle
end

---The account: `balance` (a decimal in a string) and `balance_expiration_at` (Unix seconds).
---The cheapest check of a key. Calls `getAccount`.
---@param options { timeout: number? }?
---@return table?
---@return coreclaw.Error?
function Client:account(options)
  options = validate.options("client:account", options, ONLY_TIMEOUT)
  return http.data(self, "getAccount", {}, options)
end

---Regions for `system.proxy_region`: a list of { code, name }. Needs no key.
---Calls `listProxyRegions`.
---@param options string|coreclaw.RegionsOptions?  language of the names, default "en"
---@return table[]?
---@return coreclaw.Error?
function Client:proxy_regions(options)
  if type(options) == "string" then options = { language = options } end
  options = validate.options("client:proxy_regions", options, REGIONS)
  local params = { query = { language = options.language } }
  local data, err, behind = http.data(self, "listProxyRegions", params, options)
  if not data then return nil, err end
  local list, why = answer.list(data, "list", "listProxyRegions", true)
  return list, why, behind
end

---Runs a Worker with each of many inputs, several at a time, and iterates over the items as they
---end: `{ index, input, run, err }`. One that fails never loses the others; a start whose outcome is
---unknown is reported and never made again. Polls with `listWorkerRuns`, 100 runs a request.
---@param id string|coreclaw.Worker
---@param inputs table[]|fun(): table?
---@param options coreclaw.MapOptions?  concurrency (10), wait_for_slot (true), on_start(item), on_update(item),
---  require = "data", timeout (seconds for each run, 3600), poll_intervals, and those of `worker:start`. Runs
---  that are still going when the loop is left, or when `inputs` raises, are known to `on_start` only.
---@return fun(): coreclaw.MapItem?
function Client:map(id, inputs, options)
  return (map.new(self, id, inputs, options))
end

---Forgets the key and the passwords, and zeroes the memory they were in. All calls raise from
---now on. What is promised about memory: README, "Security".
function Client:close()
  config.forget(self.settings)
end

return client
