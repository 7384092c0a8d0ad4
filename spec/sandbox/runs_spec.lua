local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox runs", function()
  local box, api, good, bad, pages

  setup(function()
    box = assert(sandbox.start())
    api = http.new(box)
    good = select(2, api:start('{"count":45}', '"is_async":false')).data.run_slug
    bad = select(2, api:start('{"count":5,"fail_at":1}', '"is_async":false')).data.run_slug
    local custom = '{"start_urls":[{"url":"' .. box.site_url .. '"}],"follow_links":true}'
    pages = api:post("/api/v2/workers/demo~page-scraper/runs", http.input(custom, '"is_async":false,"limit":100'))
  end)

  teardown(function()
    box:stop()
  end)

  it("are listed newest first, err_msg on the failed only", function()
    local answer = api:get("/api/v2/worker-runs")
    assert.equal(3, answer.data.count)
    assert.equal(bad, answer.data.list[2].slug)
    assert.equal("told to fail", answer.data.list[2].err_msg)
    assert.equal(good, answer.data.list[3].slug)
    assert.is_nil(answer.data.list[3].err_msg)
    assert.is_nil(answer.data.page_index)
    assert.is_nil(api:get("/api/v2/worker-runs/" .. bad).data.err_msg)
  end)

  it("are filtered by status and Worker", function()
    local function count(query)
      local data = api:get("/api/v2/worker-runs?" .. query).data
      return data and data.count
    end
    assert.equal(2, count("status=succeeded"))
    assert.equal(1, count("status=failed"))
    assert.equal(0, count("status=aborting"))
    assert.equal(2, count("worker_id=demo~rows"))
    assert.equal(1, count("worker_id=demo~rows&status=failed"))
    assert.equal(422, api:get("/api/v2/worker-runs?status=aborted").status)
    local unknown = api:get("/api/v2/worker-runs?worker_id=demo~none")
    assert.equal(400, unknown.status)
    assert.equal(50001, unknown.code)
  end)

  it("are paged by number", function()
    assert.equal(good, api:get("/api/v2/worker-runs?limit=1&offset=3").data.list[1].slug)
    local past = api:get("/api/v2/worker-runs?limit=1&offset=4")
    assert.equal(3, past.data.count)
    assert.matches('"list":%[%]', past.body)
  end)

  it("of this month are listed; other times need both ends in one month", function()
    local now = math.floor(box:time())
    local today = now - (now + 8 * 3600) % 86400
    assert.equal(3, api:get("/api/v2/worker-runs?start_time=" .. today .. "&end_time=" .. today).data.count)
    assert.equal(0, api:get("/api/v2/worker-runs?start_time=1700000000&end_time=1700000000").data.count)
    local crossing = api:get("/api/v2/worker-runs?start_time=" .. (today - 40 * 86400) .. "&end_time=" .. today)
    assert.equal(400, crossing.status)
    assert.equal(11000, crossing.code)
    assert.equal("run list time range cannot cross months", crossing.json.message)
    assert.equal(11000, api:get("/api/v2/worker-runs?start_time=" .. today).code)
    assert.equal(422, api:get("/api/v2/worker-runs?start_time=today&end_time=1").status)
  end)

  it("that are none are not found", function()
    for _, path in ipairs({ "", "/log", "/result" }) do
      local answer = api:get("/api/v2/worker-runs/01M84JA555WY74VSFWMKBAEQTC" .. path)
      assert.equal(404, answer.status)
      assert.equal(70001, answer.code)
    end
  end)

  it("have results by page number", function()
    local function page(query)
      return api:get("/api/v2/worker-runs/" .. good .. "/result" .. query)
    end
    local first = page("").data
    assert.equal(45, first.count)
    assert.equal(20, #first.list)
    assert.equal(1, first.page_index)
    assert.equal(20, first.page_size)
    assert.equal(1, page("?offset=0").data.list[1].index)
    assert.equal(41, page("?offset=3").data.list[1].index)
    assert.equal(5, #page("?offset=3").data.list)
    assert.matches('"list":%[%]', page("?offset=4").body)
    assert.equal(45, #page("?limit=100").data.list)
    assert.equal(422, page("?limit=101").status)
    assert.equal(422, page("?cursor=x").status)
    assert.matches("^%x+$", first.list[1].__coreclaw_data_id__)
    assert.same({ key = "price", label = "Price", format = "number" }, first.headers[3])
  end)

  it("without rows have no headers either", function()
    local answer = api:get("/api/v2/worker-runs/" .. bad .. "/result")
    assert.equal(0, answer.data.count)
    assert.matches('"headers":%[%]', answer.body)
    assert.matches('"list":%[%]', answer.body)
  end)

  it("have a log of objects, and all of it behind a signed link", function()
    local data = api:get("/api/v2/worker-runs/" .. bad .. "/log").data
    local last = data.list[#data.list]
    assert.equal(4, last.type)
    assert.matches("^%d+$", last.group)
    assert.is_true(#last.group > 16)
    assert.is_true(last.timestamp > 1e12)
    assert.matches("told to fail", last.content)
    assert.is_number(data.result_count)
    local file = http.new(box, "-A nobody"):get(data.all_logs_url)
    assert.equal(200, file.status)
    assert.matches("INFO SYSTEM: environment ready\n", file.body)
    assert.matches("ERROR told to fail", file.body)
  end)

  it("have links that open without a credential only, and only as signed", function()
    local url = api:get("/api/v2/worker-runs/" .. bad .. "/log").data.all_logs_url
    local nobody = http.new(box, "-A nobody")
    assert.equal(400, api:get(url).status)
    assert.equal(400, http.new(box, "-H 'api-key: x'"):get(url).status)
    assert.equal(400, nobody:get(url .. "&token=x").status)
    assert.equal(403, nobody:get((url:gsub("signature=%x%x%x", "signature=000"))).status)
    assert.equal(403, nobody:get((url:gsub("%%3B%d", "%%%%3B9"))).status)
    assert.equal(403, nobody:get((url:gsub("%?.*", ""))).status)
    assert.is_nil(url:find(box.url, 1, true))
  end)

  it("read web pages for real", function()
    local data = pages.data
    assert.equal("succeeded", data.run_status)
    local by_title = {}
    for _, row in ipairs(data.results.list) do
      by_title[row.title or row.error] = row
    end
    local shop = by_title["The Sandbox Shop"]
    assert.equal("Eight things that nobody can buy.", shop.description)
    assert.equal("en", shop.language)
    assert.equal(8, #shop.prices)
    assert.equal(11, shop.link_count)
    assert.equal(404, by_title["HTTP 404"].status)
    local expected = {
      ["Reading lamp “Atlas”"] = { 49.9, "USD" },
      ["Kaffeekanne „Größe L“"] = { 1299, "EUR" },
      ["Planche à baguette"] = { 39.95, "EUR" },
      ["抹茶碗「朝霧」"] = { 3200, "JPY" },
      ["Ullfilt ”Skärgård”"] = { 1299, "SEK" },
      ["Taschenuhr"] = { 1050, "CHF" },
      ["Notebook, 3 × A5"] = { 7, "GBP" },
      ["هدية مجانية"] = { 0, "USD" },
    }
    for title, price in pairs(expected) do
      assert.equal(price[1], by_title[title].price, title)
      assert.equal(price[2], by_title[title].currency)
    end
    assert.equal("Three notebooks. <No> nonsense.", by_title["Notebook, 3 × A5"].description)
    assert.equal(box.site_url .. "about", by_title["About the Sandbox Shop"].url)
  end)

  it("read pages in old encodings and of bad manners, and no others", function()
    local urls = {}
    for i, name in ipairs({ "latin1", "soup", "data.json" }) do
      urls[i] = '"' .. box.site_url .. name .. '"'
    end
    local custom = '{"start_urls":[' .. table.concat(urls, ",") .. "]}"
    local list = api:post("/api/v2/workers/demo~page-scraper/runs", http.input(custom, '"is_async":false')).data.results.list
    assert.equal("Café crème", list[1].title)
    assert.equal("A bold", list[2].heading)
    assert.equal(5, list[2].price)
    assert.equal("not HTML: application/json", list[3].error)
  end)

  it("turn a page that does not answer into a row that says so", function()
    local custom = '{"start_urls":["http://127.0.0.1:1/","ftp://x/"]}'
    local data = api:post("/api/v2/workers/demo~page-scraper/runs", http.input(custom, '"is_async":false')).data
    assert.equal("succeeded", data.run_status)
    assert.matches("connect", data.results.list[1].error)
    assert.matches("not an http or https URL", data.results.list[2].error)
  end)
end)

describe("sandbox log of strings", function()
  it("holds the same texts", function()
    local box = assert(sandbox.start({ log_format = "strings" }))
    local api = http.new(box)
    local run = select(2, api:start('{"count":1}', '"is_async":false')).data.run_slug
    local list = api:get("/api/v2/worker-runs/" .. run .. "/log").data.list
    assert.equal("SYSTEM: environment ready", list[1])
    box:stop()
  end)
end)
