--- Builds the HTTP request of an operation: checks parameters against the operation table, fills
--- path, query, body and headers. Sends nothing.

local core = require "coreclaw.core"
local config = require "coreclaw.config"
local errors = require "coreclaw.errors"
local json = require "coreclaw.json"
local transport = require "coreclaw.transport"
local url = require "coreclaw.url"
local validate = require "coreclaw.validate"

local request = {}

local USER_AGENT = string.format("coreclaw-lua/%s (%s; libcurl/%s)",
  core.version, rawget(_G, "jit") and "LuaJIT" or _VERSION, core.curl.version)

local NONE = {}

-- Settings → what the requests of that client have in common: { bare, json }, each read and checked by the
-- core once, not for each request.
local commons = setmetatable({}, { __mode = "k" })

-- One of these → { lines, auth }, for who wants to see it.
local shown = setmetatable({}, { __mode = "k" })

local function check_group(id, group, given, rules)
  for name, value in pairs(given) do
    if not rules[name] then
      local near = validate.nearest(name, rules)
      validate.fail(id .. ": unknown " .. group .. " parameter " .. tostring(name)
        .. (near and " (did you mean " .. near .. "?)" or ""))
    end
    validate.value(id, name, value, rules[name])
  end
  for name, rule in pairs(rules) do
    if rule.required and given[name] == nil then
      validate.fail(id .. ": " .. group .. " parameter " .. name .. " is required")
    end
  end
end

---Checks query and body against an operation's table, unless it is free; raises on what does not fit.
---@param id string
---@param operation table
---@param params { query: table?, body: table? }
function request.check(id, operation, params)
  if operation.free then return end
  if params.query or operation.query then check_group(id, "query", params.query or NONE, operation.query or NONE) end
  if operation.body then check_group(id, "body", params.body or NONE, operation.body) end
end

-- The key, which the C core adds to headers or URL when the request is submitted.
local function authenticate(settings, id, operation, query)
  local key = config.key(settings)
  if key == false then
    validate.fail(id .. " was not sent: the client is closed")
  elseif key and settings.auth == "query" and query and query.token ~= nil then
    validate.fail(id .. ': query must not name token: auth = "query" adds it')
  elseif not key and not operation.public then
    validate.fail(id .. " needs an API key: pass api_key to coreclaw.new or set CORECLAW_API_KEY")
  end
  return key
end

-- The key would travel to whoever receives the callback, and into the platform's records.
local function check_callback(settings, id, body)
  local key = config.secret(settings)
  if key and body.callback_url and errors.mask(body.callback_url, key) ~= body.callback_url then
    validate.fail(id .. ": callback_url must not contain the API key")
  end
end

local function headers_of(settings, is_json)
  local lines = { "Accept: application/json", "User-Agent: " .. (settings.user_agent or USER_AGENT) }
  lines[#lines + 1] = core.curl.encodings
  if is_json then lines[#lines + 1] = "Content-Type: application/json" end
  return lines
end

local function make_common(settings, key, is_json)
  local lines, auth = headers_of(settings, is_json), key and settings.auth
  local made = core.common(transport.apply(settings, {
    headers = lines, secret = key, auth = auth,
    connect_timeout = settings.connect_timeout, idle_timeout = settings.idle_timeout,
    max_body = settings.max_body, max_headers = settings.max_headers,
  }, true))
  shown[made] = { lines = lines, auth = auth }
  return made
end

local function common_of(settings, key, is_json)
  local known = commons[settings]
  if not known then
    known = { bare = make_common(settings, key, false), json = make_common(settings, key, true) }
    commons[settings] = known
  end
  return is_json and known.json or known.bare
end

---What a request says beside its own fields.
---@param built table  of request.build; or one with headers of its own
---@return string[] headers  without the key
---@return string? auth      how the key goes with it
function request.common(built)
  local known = shown[built.common] or built
  return built.headers or known.lines, known.auth
end

-- The body, and whether it is JSON.
local function encode_body(settings, id, operation, body)
  if not (operation.body or (operation.free and body ~= nil)) then
    -- A POST without a body still says so: some front ends want the length.
    return operation.method ~= "GET" and operation.method ~= "DELETE" and "" or nil
  end
  body = body == nil and {} or body
  if operation.body then check_callback(settings, id, body) end
  local ok, text = pcall(json.encode, body, id)
  if not ok then validate.fail(tostring(text)) end
  return text, true
end

---Builds the request of an operation; raises on parameters that do not fit its table.
---@param settings table   of config.new
---@param id string        operation id
---@param operation table  its entry in the operation table
---@param params { path: table?, query: table?, body: table?, whole_path: string? }
---  a whole path goes before the operation's, and is free of names
---@return table           for engine:submit, still without timeouts
function request.build(settings, id, operation, params)
  if not operation.free then request.check(id, operation, params) end
  local query = params.query
  local key = authenticate(settings, id, operation, query)
  local body, is_json = encode_body(settings, id, operation, params.body)
  return {
    method = operation.method,
    url = settings.base_url .. (params.whole_path or url.path(operation.path, params.path or NONE))
      .. (query and url.query(query) or ""),
    body = body,
    common = common_of(settings, key, is_json),
    -- libcurl resends on its own what it lost on a reused connection. Only a read may be.
    once = operation.class ~= "read",
    -- set further on; named here so that the table has its size from the start
    timeout = nil, idle_timeout = nil,
  }
end

return request
