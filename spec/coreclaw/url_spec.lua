local url = require "coreclaw.url"

describe("url", function()
  it("escapes all but the unreserved", function()
    assert.equal("a-z_A.9~", url.escape "a-z_A.9~")
    assert.equal("owner%2Fname%20%3F%23%25", url.escape "owner/name ?#%")
    assert.equal("%C3%A9%00", url.escape "é\0")
  end)

  it("makes a query with sorted, escaped pairs", function()
    assert.equal("", url.query {})
    assert.equal("?keyword=caf%C3%A9%20%26&limit=100&offset=1",
      url.query { offset = 1, limit = 100, keyword = "café &" })
    assert.equal("?a=true", url.query { a = true })
  end)

  it("fills a path template with escaped ids", function()
    assert.equal("/w/harbor~maps/runs", url.path("/w/{workerId}/runs", { workerId = "harbor~maps" }))
    assert.equal("/w/a%2Fb", url.path("/w/{id}", { id = "a/b" }))
    assert.equal("/w/100%25", url.path("/w/{id}", { id = "100%" }))
  end)

  local workers = {
    { "coreclaw/google-maps-scraper", "coreclaw~google-maps-scraper" },
    { "coreclaw~google-maps-scraper", "coreclaw~google-maps-scraper" },
    { "coreclaw%2Fgoogle-maps-scraper", "coreclaw~google-maps-scraper" },
    { "coreclaw%2fgoogle-maps-scraper", "coreclaw~google-maps-scraper" },
    { "01KTB7X0QM5R9D3V8HNWJ2CZ6K", "01KTB7X0QM5R9D3V8HNWJ2CZ6K" },
    { "news-cn", "news-cn" },
    { "lan~新闻", "lan~新闻" },
  }
  for _, case in ipairs(workers) do
    it("takes " .. case[1] .. " for a Worker", function()
      assert.equal(case[2], url.worker_id(case[1], "f"))
    end)
  end

  local bad_workers = {
    "", " ", "a b", "a/b/c", "/a", "a/", "a//b", "../a", "a/..", "a..b", "a\nb", "a/b\n", "a\0b",
    "a~b~c", "~a", "a~b/c", "a?b", "a#b", "%2e%2e/a", "a%0Ab", "a%00", "%", "a%zz",
    string.rep("x", 513),
  }
  for i, id in ipairs(bad_workers) do
    it("refuses Worker id " .. i, function()
      assert.has_error(function() url.worker_id(id, "f") end)
    end)
  end

  it("says what it wanted and what came", function()
    local _, err = pcall(url.worker_id, 42, "client:worker")
    assert.matches("client:worker: the Worker id must be a Worker's slug or owner/name, got 42", err)
    _, err = pcall(url.worker_id, "", "client:worker")
    assert.matches("but it is empty", err)
    _, err = pcall(url.worker_id, "a/b\n", "client:worker")
    assert.matches("newline", err)
  end)

  it("takes a run's slug and refuses anything with a path in it", function()
    assert.equal("01KZS4D8M2XW7Q5T9BHNVRC3EA", url.run_id("01KZS4D8M2XW7Q5T9BHNVRC3EA", "f"))
    for _, id in ipairs { "", "a/b", "..", "a..b", "a\nb", "last", "a?b", "a#b", "a%2Fb", " " } do
      assert.has_error(function() url.run_id(id, "f") end)
    end
    assert.has_error(function() url.run_id(nil, "f") end)
  end)

  it("knows loopback hosts from others", function()
    for _, text in ipairs { "http://127.0.0.1:80", "http://localhost/x", "http://LOCALHOST:1",
      "http://[::1]:8080/", "http://127.1.2.3" } do
      assert.is_true(url.is_loopback(text), text)
    end
    for _, text in ipairs { "http://example.com", "http://127.0.0.1.example.com",
      "http://localhost.example.com", "http://10.0.0.1", "http://[::2]/", "http://x?127.0.0.1" } do
      assert.is_false(url.is_loopback(text), text)
    end
  end)
end)
