--- demo/page-scraper: fetches pages and takes title, description, links and prices out of them.

local encode = require("coreclaw.sandbox.encode")
local html = require("coreclaw.sandbox.tools.html")
local price = require("coreclaw.sandbox.tools.price")

local PRICES = "//*[@itemprop='price' or contains(concat(' ', normalize-space(@class), ' '), ' price ')]"

local function origin_of(url)
  return url:match("^(https?://[^/?#]+)")
end

local function join_path(base, reference)
  local folder = base:match("^(https?://[^/?#]+/[^?#]*/)") or base:match("^(https?://[^/?#]+/)") or base .. "/"
  local url = folder .. reference
  local prefix, path = url:match("^(https?://[^/]+)(.*)$")
  path = path:gsub("/%./", "/")
  local count
  repeat
    path, count = path:gsub("/[^/]+/%.%./", "/", 1)
  until count == 0
  return prefix .. path
end

-- Absolute form of a link, without its fragment; nil for mailto: and the like.
local function resolve(base, reference)
  reference = reference:gsub("#.*$", "")
  if reference == "" then
    return nil
  elseif reference:find("^https?://") then
    return reference
  elseif reference:find("^//") then
    return base:match("^(https?:)") .. reference
  elseif reference:find("^%a[%w+.-]*:") then
    return nil
  elseif reference:find("^/") then
    return origin_of(base) .. reference
  end
  return join_path(base, reference)
end

local function links_of(page, base)
  local out, seen = {}, {}
  for _, reference in ipairs(page:all("//a/@href")) do
    local url = resolve(base, reference)
    if url and not seen[url] then
      seen[url], out[#out + 1] = true, url
    end
  end
  return out
end

local function prices_of(page)
  local texts = page:all(PRICES)
  local amount, currency
  if texts[1] then
    amount, currency = price.parse(texts[1])
  end
  return texts, amount or encode.null, currency or encode.null
end

local function row_of(answer, page, links)
  local texts, amount, currency = prices_of(page)
  return {
    url = answer.url,
    status = answer.status,
    title = page:text("//title"),
    heading = page:text("//h1"),
    description = page:text("//meta[@name='description']/@content"),
    language = page:text("/html/@lang"),
    links = encode.list(links),
    link_count = #links,
    prices = encode.list(texts),
    price = amount,
    currency = currency,
  }
end

local function failure_row(url, status, message)
  return { url = url, status = status or encode.null, error = message }
end

local function scrape(url, emit, log, tools)
  local answer, message = tools.fetch(url)
  if not answer then
    log.warn(url .. ": " .. message)
    emit(failure_row(url, nil, message))
    return {}
  end
  log.info("HTTP " .. answer.status .. " " .. answer.url)
  if answer.status ~= 200 then
    emit(failure_row(answer.url, answer.status, "HTTP " .. answer.status))
    return {}
  elseif not answer.content_type:find("html", 1, true) then
    emit(failure_row(answer.url, answer.status, "not HTML: " .. answer.content_type))
    return {}
  end
  local page = assert(html.parse(answer.body, answer.url, answer.content_type))
  local links = links_of(page, answer.url)
  emit(row_of(answer, page, links))
  page:free()
  return links
end

local function start_list(input)
  local out = {}
  for i, item in ipairs(input.start_urls) do
    out[i] = type(item) == "table" and item.url or item
  end
  if #out == 0 then
    error("start_urls is empty", 0)
  end
  return out
end

local function follow(queue, links, origins, seen)
  for _, url in ipairs(links) do
    if origins[origin_of(url)] and not seen[url] then
      seen[url], queue[#queue + 1] = true, url
    end
  end
end

local function run(input, emit, log, tools)
  local queue, seen, origins = {}, {}, {}
  for _, url in ipairs(start_list(input)) do
    queue[#queue + 1], seen[url] = url, true
    origins[origin_of(url) or ""] = true
  end
  local limit = input.follow_links and input.max_pages or #queue
  local at = 1
  while queue[at] and at <= limit do
    local links = scrape(queue[at], emit, log, tools)
    if input.follow_links then
      follow(queue, links, origins, seen)
    end
    at = at + 1
  end
end

return {
  path = "demo/page-scraper",
  title = "Page scraper",
  description = "Fetches web pages and extracts title, description, links and prices.",
  readme = "# Page scraper\n\nOne row a page. Follows links of the same site when `follow_links` is on.",
  version = "v1.0.0",
  schema = {
    description = "Pages to read",
    concurrency = { fields = { "start_urls" } },
    properties = {
      {
        name = "start_urls",
        title = "Start URLs",
        type = "array",
        editor = "requestList",
        default = { { url = "https://example.com/" } },
        required = true,
        description = "Pages to begin with",
      },
      {
        name = "follow_links",
        title = "Follow links",
        type = "boolean",
        editor = "switch",
        default = false,
        required = false,
        description = "Also read the pages of the same site that these link to",
      },
      {
        name = "max_pages",
        title = "Most pages",
        type = "integer",
        editor = "number",
        default = 20,
        required = false,
        description = "Stop after so many pages when following links",
      },
    },
  },
  columns = {
    { key = "url", label = "URL", format = "text" },
    { key = "status", label = "HTTP status", format = "integer" },
    { key = "title", label = "Title", format = "text" },
    { key = "heading", label = "Heading", format = "text" },
    { key = "description", label = "Description", format = "text" },
    { key = "language", label = "Language", format = "text" },
    { key = "price", label = "Price", format = "number" },
    { key = "currency", label = "Currency", format = "text" },
    { key = "prices", label = "Prices", format = "array" },
    { key = "link_count", label = "Links", format = "integer" },
    { key = "links", label = "Link list", format = "array" },
    { key = "error", label = "Error", format = "text" },
  },
  run = run,
}
