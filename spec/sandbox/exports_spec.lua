local codec = require("coreclaw.sandbox.codec")
local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox exports", function()
  local box, api, nobody, run

  setup(function()
    box = assert(sandbox.start())
    api, nobody = http.new(box), http.new(box, "-A nobody")
    run = select(2, api:start('{"count":4,"kind":"nested"}', '"is_async":false')).data.run_slug
  end)

  teardown(function()
    box:stop()
  end)

  local function ask(query, id)
    return api:get("/api/v2/worker-runs/" .. (id or run) .. "/result/export" .. query)
  end

  local function file(query, id)
    return nobody:get(ask(query, id).data.download_url)
  end

  it("give a link to another origin, and the file behind it", function()
    local url = ask("").data.download_url
    assert.is_nil(url:find(box.url, 1, true))
    assert.equal(1, url:find(box.files_url, 1, true))
    local answer = nobody:get(url)
    assert.equal(200, answer.status)
    assert.equal("text/csv; charset=utf-8", answer.headers["content-type"])
    assert.matches('attachment; filename="result_%x+%.csv"', answer.headers["content-disposition"])
  end)

  it("are refused to whoever brings a credential, changes the link, or comes late", function()
    local url = ask("").data.download_url
    assert.equal(400, api:get(url).status)
    assert.equal(400, nobody:get(url .. "&token=" .. box.key).status)
    assert.equal(403, nobody:get((url:gsub("signature=%x%x%x%x", "signature=0000"))).status)
    box:advance(1801)
    local late = nobody:get(url)
    assert.equal(403, late.status)
    assert.matches("expired", late.body)
    assert.equal(200, file("").status)
  end)

  it("write csv", function()
    local lines = {}
    for line in file("?format=CSV&filter_keys=title%2Ctags%2Clocation").body:gmatch("([^\r\n]*)\r\n") do
      lines[#lines + 1] = line
    end
    assert.equal(5, #lines)
    assert.equal("title,tags,location", lines[1])
    assert.matches('^Row 1,"%[""a"",""b1""%]","{', lines[2])
  end)

  it("write json and jsonl, rows as they are, without the internal id", function()
    local list = codec.decode(file("?format=json").body)
    assert.equal(4, #list)
    assert.equal("Row 2", list[2].title)
    assert.is_nil(list[1].__coreclaw_data_id__)
    local jsonl = file("?format=jsonl&filter_keys=empty_list,index").body
    assert.equal('{"empty_list":[],"index":1}\n', jsonl:match("^[^\n]*\n"))
    assert.equal(4, select(2, jsonl:gsub("\n", "\n")))
  end)

  it("write xml, html and rss that parse", function()
    for _, format in ipairs({ "xml", "html", "rss" }) do
      local name = os.tmpname()
      local out = assert(io.open(name, "wb"))
      out:write(file("?format=" .. format).body)
      out:close()
      local flag = format == "html" and "--html" or ""
      assert.equal("", http.shell("xmllint --noout " .. flag .. " " .. name .. " 2>&1"))
      os.remove(name)
    end
    assert.matches("<td>Row 1</td>", file("?format=html").body)
    assert.matches("<item><title>Row 1</title>", file("?format=rss").body)
    assert.matches('<field name="title">Row 1</field>', file("?format=xml").body)
  end)

  it("keep digits, quotes, breaks and letters of all scripts", function()
    local big = select(2, api:start('{"count":4,"kind":"big"}', '"is_async":false')).data.run_slug
    assert.matches("11287654321098765432", file("?format=csv", big).body)
    assert.matches('"cid":18446744073709551616', file("?format=jsonl", big).body)
    local odd = select(2, api:start('{"count":3,"kind":"unicode"}', '"is_async":false')).data.run_slug
    assert.matches('"a ""quoted"" \\ / line\nbreak\ttab"', file("?format=csv", odd).body)
    assert.matches("東京珈琲", file("?format=html", odd).body)
    local nulls = select(2, api:start('{"count":1,"kind":"nulls"}', '"is_async":false')).data.run_slug
    assert.equal("phone\r\n\r\n", file("?filter_keys=phone", nulls).body)
  end)

  it("write spreadsheets by libxlsxwriter and ssconvert, or say what is missing", function()
    for format, magic in pairs({ xlsx = "^PK\3\4", xls = "^\208\207\17\224" }) do
      local answer = ask("?format=" .. format)
      if answer.status == 200 then
        assert.matches(magic, nobody:get(answer.data.download_url).body)
      else
        assert.equal(501, answer.status)
        assert.equal(16000, answer.code)
        assert.matches("apt%-get install", answer.json.details[1])
      end
    end
  end)

  it("know eight formats and the run's own keys only", function()
    local answer = ask("?format=parquet")
    assert.equal(400, answer.status)
    assert.equal(11000, answer.code)
    assert.equal("unsupported export format", answer.json.message)
    assert.equal(400, ask("?format=").status)
    assert.equal(400, ask("?filter_keys=nothing").status)
    assert.equal(422, ask("?keys=title").status)
    assert.equal(70001, ask("", "nothing").code)
  end)

  it("of a run without rows are empty files", function()
    local empty = select(2, api:start('{"count":0}', '"is_async":false')).data.run_slug
    assert.equal("[]\n", file("?format=json", empty).body)
    assert.equal("", file("?format=jsonl", empty).body)
  end)

  it("are served in ranges, and may change between two of them", function()
    local url = ask("?format=jsonl").data.download_url
    local whole = nobody:get(url)
    local part = nobody:curl("-r 5-9", url)
    assert.equal(206, part.status)
    assert.equal(whole.body:sub(6, 10), part.body)
    assert.equal(whole.headers.etag, part.headers.etag)
    local condition = "-r 5-9 -H 'If-Range: " .. part.headers.etag .. "'"
    assert.equal(206, nobody:curl(condition, url).status)
    box:fault({ origin = "files", changed = true })
    local changed = nobody:curl(condition, url)
    assert.equal(200, changed.status)
    assert.not_equal(part.headers.etag, changed.headers.etag)
    assert.matches("^changed", changed.body)
    assert.equal(416, nobody:curl("-r 99999999-", url).status)
  end)

  it("may be cut in the middle", function()
    local url = ask("?format=jsonl").data.download_url
    box:fault({ origin = "files", truncate_after = 40 })
    local cut = nobody:get(url)
    assert.equal(18, cut.exit)
    assert.equal(40, #cut.body)
    assert.equal(0, nobody:get(url).exit)
  end)
end)

describe("sandbox `last` operations", function()
  local box, api

  setup(function()
    box = assert(sandbox.start())
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  local SCOPES = { "/api/v2/worker-runs/last", "/api/v2/workers/demo~rows/runs/last" }

  it("find nothing before there is a run", function()
    for _, scope in ipairs(SCOPES) do
      for _, path in ipairs({ "", "/log", "/result", "/export" }) do
        local answer = api:get(scope .. path)
        assert.equal(404, answer.status)
        assert.equal(70001, answer.code)
      end
      assert.equal(70001, api:poke(scope .. "/abort").code)
      assert.equal(70001, api:post(scope .. "/rerun", "{}").code)
    end
    assert.equal(50001, api:get("/api/v2/workers/demo~none/runs/last").code)
  end)

  it("mean the newest run, of the account or of the Worker", function()
    local rows = select(2, api:start('{"count":3}', '"is_async":false')).data.run_slug
    local custom = http.input('{"start_urls":["' .. box.site_url .. 'about"]}', '"is_async":false')
    local page = api:post("/api/v2/workers/demo~page-scraper/runs", custom).data.run_slug
    assert.equal(page, api:get(SCOPES[1]).data.slug)
    assert.equal(rows, api:get(SCOPES[2]).data.slug)
    assert.equal(1, api:get(SCOPES[1] .. "/result").data.count)
    assert.equal(3, api:get(SCOPES[2] .. "/result?limit=1").data.count)
    assert.is_string(api:get(SCOPES[2] .. "/export?format=json").data.download_url)
    assert.equal(404, api:get(SCOPES[1] .. "/result/export").status)
    assert.is_table(api:get(SCOPES[1] .. "/log").data.list)
    assert.equal(70002, api:poke(SCOPES[1] .. "/abort").code)
    local again = api:post(SCOPES[2] .. "/rerun", '{"is_async":false}').data
    assert.is_true(again.is_finished)
    assert.not_equal(rows, again.run_slug)
    assert.equal(again.run_slug, api:get(SCOPES[1]).data.slug)
    local long = api:start('{"count":1,"wait":30}')
    assert.is_true(api:await(long, "running"))
    assert.equal(0, api:poke(SCOPES[2] .. "/abort").code)
    assert.is_true(api:await(long, "failed"))
  end)
end)
