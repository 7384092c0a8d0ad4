--- Lists of Workers: the public store, and the account's own.

local paging = require "coreclaw.paging"
local validate = require "coreclaw.validate"
local worker = require "coreclaw.worker"

local LIST = {
  keyword = { type = "text" },
  limit = { type = "integer", min = 1, max = 100, default = 100 },
  page = { type = "integer", min = 1, default = 1 },
  timeout = { type = "seconds" },
}

-- Methods of the client.
local store = { methods = {} }

local function list(client, where, operation, options)
  options = validate.options(where, options, LIST)
  local next_item = paging.items(paging.each({
    client = client, operation = operation, objects = true,
    query = { keyword = options.keyword }, options = { timeout = options.timeout },
  }, options.page, options.limit, false))
  return function()
    local item = next_item()
    return item and worker.of(client, item)
  end
end

---Iterates over the store's Workers, as handles with `title` and `description`. Needs no key.
---Raises the error object. Calls `listStore`.
---@param options { keyword: string?, limit: integer?, page: integer?, timeout: number? }?
---  keyword: words in title, slug or path; limit: items per request, 1–100
---@return fun(): coreclaw.Worker?
function store.methods:store(options)
  return (list(self, "client:store", "listStore", options))
end

---Iterates over the account's own Workers. Raises the error object. Calls `listWorkers`.
---@param options { keyword: string?, limit: integer?, page: integer?, timeout: number? }?
---@return fun(): coreclaw.Worker?
function store.methods:workers(options)
  return (list(self, "client:workers", "listWorkers", options))
end

return store
