local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

describe("sandbox catalogue", function()
  local box, api, public

  setup(function()
    box = assert(sandbox.start({ balance = "12.5" }))
    api = http.new(box)
    public = http.new(box, "-A nobody")
  end)

  teardown(function()
    box:stop()
  end)

  it("lists the store without a key", function()
    local answer = public:get("/api/v2/store")
    assert.equal(200, answer.status)
    assert.equal(0, answer.code)
    assert.equal("success", answer.json.message)
    assert.matches("^req%-%x+$", answer.json.request_id)
    assert.equal("demo~page-scraper", answer.data.scraper[1].path)
    for _, field in ipairs({ "slug", "title", "description", "name", "username" }) do
      assert.is_string(answer.data.scraper[1][field])
    end
    assert.is_nil(answer.data.count)
  end)

  it("searches title, slug and path, and pages by number", function()
    assert.equal(1, #public:get("/api/v2/store?keyword=ROWS").data.scraper)
    assert.equal(0, #public:get("/api/v2/store?keyword=nothing-like-it").data.scraper)
    local first = public:get("/api/v2/store?limit=1&offset=0").data.scraper
    assert.equal(first[1].slug, public:get("/api/v2/store?limit=1&offset=1").data.scraper[1].slug)
    assert.not_equal(first[1].slug, public:get("/api/v2/store?limit=1&offset=2").data.scraper[1].slug)
    assert.matches('"scraper":%[%]', public:get("/api/v2/store?offset=9").body)
  end)

  it("refuses pages that are none, with details", function()
    local answer = public:get("/api/v2/store?limit=101")
    assert.equal(422, answer.status)
    assert.equal(11000, answer.code)
    assert.same({ "expected number <= 100 (query.limit: 101)" }, answer.json.details)
    assert.is_nil(answer.data)
    assert.equal(422, public:get("/api/v2/store?limit=0").status)
    assert.equal(422, public:get("/api/v2/store?limit=").status)
    assert.equal(422, public:get("/api/v2/store?limit=20.0").status)
    assert.equal(422, public:get("/api/v2/store?offset=-1").status)
    assert.equal(422, public:get("/api/v2/store?limit=1&limit=2").status)
    assert.same({ "unexpected property (query.page)" }, public:get("/api/v2/store?page=1").json.details)
  end)

  it("lists the account's own Workers, of which there are none", function()
    assert.matches('"data":{"scraper":%[%]}', api:get("/api/v2/workers").body)
    assert.equal(401, public:get("/api/v2/workers").status)
  end)

  it("names the proxy regions", function()
    local function names(query)
      local out, list = {}, public:get("/api/v2/proxy/region" .. query).data.list
      for _, region in ipairs(list) do
        out[region.code] = region.name
      end
      return out, #list
    end
    local english, count = names("")
    assert.equal(249, count)
    assert.equal("Andorra", english.AD)
    assert.equal("Kosovo", names("?language=zz").XK)
    assert.equal("Vereinigte Staaten", names("?language=de").US)
  end)

  it("shows a Worker by path and by slug, to those with a key", function()
    local answer = api:get("/api/v2/workers/demo~rows")
    assert.equal("rows", answer.data.name)
    assert.equal("demo", answer.data.username)
    assert.equal("v1.2.0", answer.data.version)
    assert.equal(512, answer.data.parameters.system.memory)
    assert.equal("count", answer.data.parameters.custom.properties[1].name)
    local slug = public:get("/api/v2/store?keyword=demo/rows").data.scraper[1].slug
    assert.equal(26, #slug)
    assert.equal("rows", api:get("/api/v2/workers/" .. slug).data.name)
    assert.equal(401, public:get("/api/v2/workers/demo~rows").status)
  end)

  it("knows no other Worker", function()
    local answer = api:get("/api/v2/workers/demo~nothing")
    assert.equal(404, answer.status)
    assert.equal(50001, answer.code)
    assert.equal(50001, api:get("/api/v2/workers/33100200300400500").code)
  end)

  it("takes an encoded slash for no identifier", function()
    local answer = api:get("/api/v2/workers/demo%2Frows")
    assert.equal(404, answer.status)
    assert.equal(11004, answer.code)
    assert.equal(11004, api:get("/api/v2/workers/demo/rows").code)
  end)

  it("decodes identifiers, and a plus stays a plus", function()
    assert.equal(0, api:get("/api/v2/workers/demo%7Erows").code)
    assert.equal(50001, api:get("/api/v2/workers/demo~ro+ws").code)
    assert.equal(11004, api:get("/api/v2/workers/demo%0Arows").code)
  end)

  it("gives the input schema to everybody, empty lists as lists", function()
    local answer = public:get("/api/v2/workers/demo~page-scraper/input-schema")
    assert.equal("start_urls", answer.data.input_schema.properties[1].name)
    assert.equal("https://example.com/", answer.data.input_schema.properties[1].default[1].url)
    assert.equal(50001, public:get("/api/v2/workers/demo~none/input-schema").code)
  end)

  it("shows the balance as a decimal in a string", function()
    local data = api:get("/api/v2/users/account").data
    assert.equal("12.5000", data.balance)
    assert.is_number(data.balance_expiration_at)
    local wrong = api:get("/api/v2/users/account?x=1")
    assert.equal(400, wrong.status)
    assert.equal(11000, wrong.code)
    assert.same({ "unexpected property (query.x)" }, wrong.json.details)
  end)

  it("answers unknown paths and verbs with not found", function()
    for _, answer in ipairs({
      api:get("/api/v2/nothing"),
      api:get("/api/v2/store/"),
      api:get("/api/v2//store"),
      api:delete("/api/v2/store"),
      api:get("/api/v2/workers/demo~rows/internal"),
      api:post("/api/v2/workers/demo~rows/versions", "{}"),
      api:get("/api/v2/queued-worker-runs"),
    }) do
      assert.equal(404, answer.status)
      assert.equal(11004, answer.code)
      assert.is_string(answer.json.request_id)
    end
  end)
end)

describe("a folder of Workers", function()
  local box, api

  setup(function()
    local folder = http.shell("mktemp -d"):gsub("\n", "")
    local file = assert(io.open(folder .. "/mine.lua", "w"))
    file:write([[
      return {
        path = "me/mine", slug = "MINE", title = "Mine", version = "v2.0.0",
        schema = { type = "object", required = { "word" }, properties = {
          word = { type = "string" }, times = { type = "integer", default = 2 }, tags = { type = "array" } } },
        run = function(input, emit, log, tools)
          log("one"); log.warn("two")
          emit { word = input.word, tags = tools.array(input.tags or {}), none = tools.null }
          emit { id = tools.integer("123456789012345678901234567890") }
          emit {}
        end,
      }]])
    file:close()
    http.shell("echo '-- no Worker' > " .. folder .. "/readme.txt")
    box = assert(sandbox.start({ workers = folder }))
    http.shell("rm -r " .. folder)
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  it("is in the store and among the account's own", function()
    local list = api:get("/api/v2/workers").data.scraper
    assert.equal(1, #list)
    assert.equal("MINE", list[1].slug)
    assert.equal(1, #api:get("/api/v2/store?keyword=mine").data.scraper)
  end)

  it("is checked by its own schema, of either shape", function()
    local function start(custom)
      return api:post("/api/v2/workers/MINE/runs", http.input(custom, '"is_async":false'))
    end
    assert.equal(11000, start("{}").code)
    assert.equal(11000, start('{"word":5}').code)
    assert.equal(11000, start('{"word":"a","times":1.0}').code)
    local answer = start('{"word":"naïve \\"quote\\""}')
    assert.equal("succeeded", answer.data.run_status)
    assert.equal(3, answer.data.results.count)
    local row = answer.data.results.list[1]
    assert.equal('naïve "quote"', row.word)
    assert.equal(require("coreclaw.json").null, row.none)
    assert.matches('"tags":%[%]', answer.body)
    assert.matches('"id":123456789012345678901234567890[,}]', answer.body)
    assert.matches('{"__coreclaw_data_id__":"%x+"}', answer.body)
  end)
end)
