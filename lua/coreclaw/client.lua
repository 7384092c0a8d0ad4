--- The client: one account of the platform, and the handles that start from it.

local answer = require "coreclaw.answer"
local config = require "coreclaw.config"
local http = require "coreclaw.http"
local operations = require "coreclaw.operations.v2"
local pages = require "coreclaw.pages"
local retry = require "coreclaw.retry"
local run = require "coreclaw.run"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"
local worker = require "coreclaw.worker"

---@class coreclaw.Client
local Client = { __name = "coreclaw.Client" }
Client.__index = Client

local TIMEOUT = { type = "seconds" }
local ONLY_TIMEOUT = { timeout = TIMEOUT }
local STORE = {
  keyword = { type = "text" },
  limit = { type = "integer", min = 1, max = 100, default = 20 },
  page = { type = "integer", min = 1, default = 1 },
  timeout = TIMEOUT,
}
local REGIONS = { language = { type = "text" }, timeout = TIMEOUT }

local client = {}

---@class coreclaw.Options
---@field api_key string?         else CORECLAW_API_KEY; three public operations work without
---@field auth "bearer"|"api_key"|"query"?  how the key travels; default "bearer"
---@field base_url string?        else CORECLAW_BASE_URL, else https://openapi.coreclaw.com
---@field allow_http boolean?     let the key travel over plain http to a host that is not loopback
---@field timeout number?         seconds for a public call with all its retries; default 120, 0 = none
---@field request_timeout number? seconds for one HTTP exchange; default 60, 0 = none
---@field connect_timeout number? seconds; default 10
---@field idle_timeout number?    seconds in which no byte moves; default 30, 0 = off
---@field max_body integer?       most bytes of an answer; default 64 MiB
---@field verify boolean?         check the server's certificate; default true
---@field ca_file string?         CA bundle, PEM; default the system's
---@field proxy string?           URL; default as in the environment
---@field user_agent string?
---@field retry boolean|table|function?  false: never; table: attempts, base, cap, …; function: your own
---@field poll_intervals number[]? seconds between the reads of `run:wait`; the last one repeats

---Makes a client. Raises on settings that make no sense; sends nothing.
---@param options coreclaw.Options?
---@return coreclaw.Client
function client.new(options)
  local settings = config.new(options)
  return setmetatable({
    settings = settings,
    operations = operations,
    retry = retry.policy(settings.retry),
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

---A handle to a run that was started elsewhere or earlier. Sends nothing; `run:reload()` reads it.
---@param slug string
---@return coreclaw.Run
function Client:run(slug)
  if type(slug) == "table" and not run.is(slug) then
    validate.fail("client:run: a run's slug is wanted, got " .. validate.show(slug))
  end
  local handle = run.new(self, url.run_id(run.is(slug) and slug.slug or slug, "client:run"))
  return handle
end

---The account: `balance` (a decimal in a string) and `balance_expiration_at` (Unix seconds).
---The cheapest check of a key. Calls `getAccount`.
---@param options { timeout: number? }?
---@return table?
---@return coreclaw.Error?
function Client:account(options)
  options = validate.options("client:account", options, ONLY_TIMEOUT)
  local envelope, err = http.call(self, "getAccount", {}, options)
  if not envelope then return nil, err end
  return answer.data(envelope)
end

---Regions for `system.proxy_region`: a list of { code, name }. Needs no key.
---Calls `listProxyRegions`.
---@param options { language: string?, timeout: number? }?  language of the names, default "en"
---@return table[]?
---@return coreclaw.Error?
function Client:proxy_regions(options)
  if type(options) == "string" then options = { language = options } end
  options = validate.options("client:proxy_regions", options, REGIONS)
  local params = { query = { language = options.language } }
  local envelope, err = http.call(self, "listProxyRegions", params, options)
  if not envelope then return nil, err end
  return answer.data(envelope).list or {}
end

---Iterates over the store's Workers, as handles with `title` and `description`. Needs no key.
---Raises the error object. Calls `listStore`.
---@param options { keyword: string?, limit: integer?, page: integer?, timeout: number? }?
---  keyword: words in title, slug or path; limit: items per request, 1–100
---@return fun(): coreclaw.Worker?
function Client:store(options)
  options = validate.options("client:store", options, STORE)
  local next_item = pages.items(pages.each({
    client = self, operation = "listStore",
    query = { keyword = options.keyword }, options = { timeout = options.timeout },
  }, options.page, options.limit, false))
  return function()
    local item = next_item()
    return item and worker.of(self, item)
  end
end

---Forgets the key. Calls that need one raise from now on.
function Client:close()
  config.forget(self.settings)
end

return client
