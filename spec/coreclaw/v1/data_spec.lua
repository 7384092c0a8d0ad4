-- Answers of API v1 in, data in the shape of v2 out.

local json = require "coreclaw.json"
local v1 = require "coreclaw.v1"

local RUN = "01KSGT5P0W8B3E7QZ6NDVXKM4R"

describe("v1.data", function()
  local function run_of(fields)
    local run = {
      slug = RUN, scraper_slug = "lan/news-cn", scraper_title = "新闻抓取", version = "v1.0.5",
      status = 5, results = 4, usage = "0.0431", traffic = 98765432101, origin = "api",
      started_at = 1781200000, finished_at = 0, duration = 0, err_msg = "",
    }
    for name, value in pairs(fields or {}) do run[name] = value end
    return run
  end

  it("gives a run the word of its status, and leaves the rest as it is", function()
    assert.same(run_of { status = "aborting" }, v1.data("getWorkerRun", run_of()))
    for number, word in ipairs { "ready", "running", "succeeded", "failed", "aborting" } do
      assert.equal(word, v1.data("getWorkerRun", { status = number }).status)
      assert.equal(word, v1.data("getWorkerRun", { status = tostring(number) }).status)
    end
  end)

  it("shows a status that nobody documented, as text", function()
    for status, expected in pairs { [0] = "0", [6] = "6", [2.5] = "2.5", running = "running" } do
      assert.equal(expected, v1.data("getWorkerRun", { status = status }).status)
    end
    assert.is_nil(v1.data("getWorkerRun", { slug = RUN }).status)
    assert.equal(json.null, v1.data("getWorkerRun", { status = json.null }).status)
    assert.equal("failed", v1.status_word(4))
  end)

  it("calls an actor a scraper", function()
    assert.same({ status = "failed", scraper_slug = "a/b", scraper_title = "B" },
      v1.data("getWorkerRun", { status = 4, actors_slug = "a/b", actors_title = "B" }))
    assert.same({ scraper_slug = "new", scraper_title = "New" }, v1.data("getWorkerRun",
      { scraper_slug = "new", scraper_title = "New", actors_slug = "old", actors_title = "Old" }))
  end)

  it("does so for every run of a list", function()
    local list = json.array { run_of { status = 2 }, { status = 4, actors_slug = "a/b" } }
    local data = v1.data("listWorkerRuns", { count = 41, list = list, page_index = 1 })
    assert.same({
      count = 41, page_index = 1,
      list = { run_of { status = "running" }, { status = "failed", scraper_slug = "a/b" } },
    }, data)
    assert.is_true(json.is_array(data.list))
    assert.equal(2, list[1].status)
  end)

  it("takes a list that is empty, null or not there", function()
    assert.equal('{"list":[]}', json.encode(v1.data("listWorkerRuns", { list = json.array {} })))
    assert.equal(json.null, v1.data("listWorkerRuns", { list = json.null }).list)
    assert.same({ count = 0 }, v1.data("listWorkerRuns", { count = 0 }))
    assert.same({ list = { "odd" } }, v1.data("listWorkerRuns", { list = { "odd" } }))
  end)

  it("leaves pages of rows, logs, exports, the store, regions and the account as they are", function()
    local same = {
      listWorkerRunResults = { count = 1, headers = { { key = "title" } }, page_index = 1,
        page_size = 10, list = { { title = "x", status = 3, __coreclaw_data_id__ = "b7" } } },
      getWorkerRunLog = { all_logs_url = "", result_count = 1, list = { { type = 4, content = "x" } } },
      exportWorkerRunResults = { download_url = "https://storage.example.com/x.csv?q-signature=ab12" },
      listStore = { scraper = { { slug = "lan/news-cn", title = "x", description = json.null } } },
      listProxyRegions = { list = { { code = "PT", name = "Portugal" } } },
      getAccount = { balance = "204.1875", traffic = 98765432101, traffic_expiration_at = 1787000000 },
    }
    for id, data in pairs(same) do assert.equal(data, v1.data(id, data)) end
  end)

  local function detail()
    return {
      version = "v1.0.5", readme = "",
      parameters = {
        system = { cpus = 0.125, memory_bytes = 512, max_total_charge = 0 },
        custom = { b = "startURLs", properties = { { name = "startURLs", type = "array" } } },
      },
    }
  end

  it("reads megabytes as memory, whatever v1 calls them", function()
    local given, expected = detail(), detail()
    expected.parameters.system = { cpus = 0.125, memory = 512, max_total_charge = 0 }
    assert.same(expected, v1.data("getWorker", given))
    assert.same(detail(), given)
    given.parameters.system = { memory = 1024, memory_bytes = 512 }
    assert.same({ memory = 1024 }, v1.data("getWorker", given).parameters.system)
    given.parameters.system = { memory = 2048 }
    assert.same({ memory = 2048 }, v1.data("getWorker", given).parameters.system)
  end)

  it("takes a Worker without parameters", function()
    for _, data in ipairs { {}, { parameters = json.null }, { parameters = { system = json.null } } } do
      assert.same(data, v1.data("getWorker", data))
      assert.same({}, v1.data("getWorkerInputSchema", data))
    end
  end)

  it("finds the input schema in the Worker's detail", function()
    local data = detail()
    local schema = v1.data("getWorkerInputSchema", data)
    assert.same({ input_schema = detail().parameters.custom }, schema)
    assert.equal(data.parameters.custom, schema.input_schema)
  end)

  it("reads the answer of a start, also of one that waited", function()
    for _, id in ipairs { "runWorker", "runWorkerTask", "rerunWorkerRun" } do
      assert.same({ run_slug = RUN }, v1.data(id, { run_slug = RUN }))
    end
    local read = function(data) return v1.data("runWorker", data) end
    assert.same({ run_slug = RUN, run_status = "succeeded", results = { count = 3 } },
      read { run_slug = RUN, run_status = 3, results = { count = 3 } })
    local like_run = read { slug = RUN, status = 4, results = 0 }
    assert.same({ RUN, "failed", 0 }, { like_run.run_slug, like_run.run_status, like_run.results })
    assert.same({ count = 2, list = { { a = 1 }, { a = 2 } } },
      read({ run_slug = RUN, results = { { a = 1 }, { a = 2 } } }).results)
    assert.same({ count = 0, list = {} }, read({ results = json.array {} }).results)
    local given = { slug = RUN, status = 4, results = { { a = 1 } } }
    read(given)
    assert.same({ slug = RUN, status = 4, results = { { a = 1 } } }, given)
  end)

  it("knows that null and absent are no data", function()
    for _, id in ipairs { "abortWorkerRun", "rerunWorkerRun", "getWorkerRun", "getWorkerInputSchema" } do
      assert.is_nil(v1.data(id, json.null))
      assert.is_nil(v1.data(id, nil))
      assert.equal("done", v1.data(id, "done")) -- refused by whoever wants an object
    end
  end)
end)
