--- The 13 operations of API v1, as data: which HTTP request is that?
--
-- Same form as operations/v2.lua. v1 has no official names for them; these are ours. Its reads are
-- POSTs with every argument in the JSON body, so the class cannot be told from the method.

local STRING = { type = "string" }
local NEED_STRING = { type = "string", required = true }
local NEED_BOOLEAN = { type = "boolean", required = true }
local NEED_TABLE = { type = "table", required = true }
local URL = { type = "url" }
local NEED_URL = { type = "url", required = true }

-- v1 states no largest size of a page; the handles ask for 100 rows at most, as v2 allows.
local PAGE = { type = "integer", min = 1 }
local NEED_PAGE = { type = "integer", min = 1, required = true }

local STATUS = { type = "integer", enum = { 0, 1, 2, 3, 4, 5 } } -- 0 = all of them
local FORMAT = { type = "string", enum = { "csv", "json" }, required = true }

return {
  scraperRun = {
    method = "POST", path = "/api/v1/scraper/run", class = "paid",
    body = {
      scraper_slug = NEED_STRING, version = STRING, input = NEED_TABLE, is_async = NEED_BOOLEAN,
      callback_url = URL,
    },
  },
  scraperAbort = {
    method = "POST", path = "/api/v1/scraper/abort", class = "write",
    body = { run_slug = NEED_STRING },
  },
  runList = {
    method = "POST", path = "/api/v1/run/list", class = "read",
    body = {
      page_index = NEED_PAGE, page_size = NEED_PAGE, status = STATUS, scraper_slug = STRING,
    },
    list_key = "list",
  },
  runDetail = {
    method = "POST", path = "/api/v1/run/detail", class = "read",
    body = { run_slug = NEED_STRING },
  },
  runResultList = {
    method = "POST", path = "/api/v1/run/result/list", class = "read",
    body = { run_slug = NEED_STRING, page_index = PAGE, page_size = PAGE },
    list_key = "list",
  },
  runResultExport = {
    method = "POST", path = "/api/v1/run/result/export", class = "read",
    body = { run_slug = NEED_STRING, filter_keys = NEED_TABLE, format = FORMAT },
  },
  -- The log of any run, in spite of its path.
  runLastLog = {
    method = "POST", path = "/api/v1/run/last/log", class = "read",
    body = { run_slug = NEED_STRING },
  },
  rerun = {
    method = "POST", path = "/api/v1/rerun", class = "paid",
    body = { run_slug = NEED_STRING, callback_url = NEED_URL },
  },
  taskRun = {
    method = "POST", path = "/api/v1/task/run", class = "paid",
    body = { task_slug = NEED_STRING, callback_url = NEED_URL },
  },
  accountInfo = {
    method = "POST", path = "/api/v1/account/info", class = "read",
    body = {},
  },
  scraperDetail = {
    method = "GET", path = "/api/scraper", class = "read", public = true,
    query = { slug = NEED_STRING },
  },
  storeSearch = {
    method = "GET", path = "/api/store", class = "read", public = true,
    query = { search = NEED_STRING, limit = PAGE },
    list_key = "scraper",
  },
  proxyRegion = {
    method = "GET", path = "/api/proxy/region", class = "read", public = true,
    list_key = "list",
  },
}
