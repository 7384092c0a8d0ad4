-- Inside the server: pages of rows, answers that take their time, and counting.
local M = {}

local PAGES, ROWS = 100, 100 -- pages that differ; further ones are the same again

local WORDS = { "Padaria", "São", "João", "Café", "central", "station", "lights", "東京", "river", "market", "north", "old" }

local HEADERS = '[{"key":"title","label":"Title","format":"text"},{"key":"rating","label":"Rating","format":"number"},'
  .. '{"key":"reviews","label":"Reviews","format":"integer"},{"key":"location","label":"Location","format":"object"}]'

local function phrase(seed, n)
  local out = {}
  for i = 1, n do out[i] = WORDS[(seed * 7 + i * i) % #WORDS + 1] end
  return table.concat(out, " ")
end

-- One row of about 1 KB, as a scraper of maps brings them.
local function row(n)
  return ('{"__coreclaw_data_id__":"%012x","title":"%s","rating":%.1f,"reviews":%d,"place_id":"ChIJ%016x",'
    .. '"permanently_closed":%s,"categories":["Bakery","Café","Restaurant"],"location":{"lat":%.6f,"lng":-%.6f,'
    .. '"plus_code":null},"phone":"+351 21 555 %04d","website":"https:\\/\\/example.com\\/place\\/%d?a=1&b=2",'
    .. '"price":%.2f,"opening_hours":[{"day":"Mon","hours":["07:00-13:00","15:00-19:30"]},{"day":"Sun","hours":[]}],'
    .. '"address":"Rua %s %d, 1100-%03d Lisboa","description":"%s","images":%d,"scraped_at":1786201%03d}')
    :format(n * 2654435761 % 2 ^ 40, phrase(n, 3), n % 50 / 10, n * 37 % 5000, n * 40503 + 17, n % 11 == 0 and "true" or "false",
      38 + n % 1000 / 7919, 9 + n % 777 / 6007, n % 10000, n, n % 300 / 7, phrase(n + 3, 2), n % 200, n % 1000,
      phrase(n + 5, 48), n % 40, n % 1000)
end

local function list(page, rows)
  local out = {}
  for i = 1, rows do out[i] = row(page * ROWS + i) end
  return "[" .. table.concat(out, ",") .. "]"
end

local lists, short = {}, {}

---Makes the pages, once, before the server forks.
function M.open()
  for page = 1, PAGES do lists[page % PAGES] = list(page, ROWS) end
end

local function list_of(page, rows)
  if rows == ROWS then return lists[page % PAGES] end
  local key = page % PAGES .. ":" .. rows
  short[key] = short[key] or list(page, rows)
  return short[key]
end

-- A run's name tells how many rows it has, and how long each page takes: rows-N, rows-N-dMS, rows-N-dMSjMS.
local function parse(name)
  local count, delay, jitter = name:match "^rows%-(%d+)%-?d?(%d*)j?(%d*)$"
  return tonumber(count), tonumber(delay) or 0, tonumber(jitter) or 0
end

-- Jitter goes by the page, so that everybody meets the same.
local function pause(delay, jitter, page)
  if jitter > 0 then delay = delay - jitter + page * 7919 % 101 / 100 * 2 * jitter end
  if delay > 0 then ngx.sleep(delay / 1000) end
end

local function count(name)
  ngx.shared.counts:incr(name, 1, 0)
end

M.count = count

-- Each connection once, since the last time that somebody asked.
local function count_connection()
  if ngx.shared.counts:add("connection " .. ngx.var.connection, true) then count "connections" end
end

local function send(before, body, after)
  ngx.header.content_length = #before + #body + #after
  ngx.print(before, body, after)
end

---The run whose results they are: it has ended.
function M.run()
  ngx.print('{"code":0,"message":"success","data":{"slug":"', ngx.var.run, '","status":"succeeded","results":',
    (parse(ngx.var.run)), '},"request_id":"req-5f1c0a7e"}')
end

---A page of results.
function M.page()
  local total, delay, jitter = parse(ngx.var.run)
  local page = tonumber(ngx.var.arg_offset) or 1
  count_connection()
  pause(delay, jitter, page)
  local rows = math.max(0, math.min(ROWS, total - (page - 1) * ROWS))
  send('{"code":0,"message":"success","data":{"count":' .. total .. ',"page_index":' .. page
    .. ',"page_size":100,"headers":' .. HEADERS .. ',"list":', rows > 0 and list_of(page, rows) or "[]",
    '},"request_id":"req-5f1c0a7e"}')
end

---The same rows, as Apify's platform would show them.
function M.items()
  local total, delay, jitter = parse(ngx.var.run)
  local offset = tonumber(ngx.var.arg_offset) or 0
  local page = offset / ROWS + 1
  pause(delay, jitter, page)
  local headers = { total = total, offset = offset, limit = ROWS, count = ROWS, desc = "false" }
  for name, value in pairs(headers) do ngx.header["x-apify-pagination-" .. name] = value end
  local rows = math.max(0, math.min(ROWS, total - offset))
  send("", rows > 0 and list_of(page, rows) or "[]", "")
end

---A tiny answer after 0.1 s, or after ?ms=.
function M.slow(text)
  count_connection()
  pause(tonumber(ngx.var.arg_ms) or 100, 0)
  send("", text, "")
end

---The link to the big file.
function M.link()
  send('{"code":0,"message":"success","data":{"download_url":"http://' .. ngx.var.http_host, "/big.csv", '"}}')
end

---What was counted since the last time.
function M.counts()
  local counts = ngx.shared.counts
  ngx.print("connections=", counts:get "connections" or 0, " polls=", counts:get "polls" or 0, "\n")
  counts:flush_all()
end

return M
