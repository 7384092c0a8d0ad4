local http = require("spec.sandbox.http")
local sandbox = require("coreclaw.sandbox")

local ACCOUNT = "/api/v2/users/account"

describe("sandbox faults", function()
  local box, api

  setup(function()
    box = assert(sandbox.start())
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  before_each(function()
    box:clear_faults()
  end)

  local function hit(spec, words)
    spec.operation = "getAccount"
    box:fault(spec)
    return api:curl(words or "", ACCOUNT)
  end

  it("meet one request unless told otherwise", function()
    assert.equal(500, hit({ status = 500 }).status)
    assert.equal(200, api:get(ACCOUNT).status)
  end)

  it("meet so many requests, or the n-th", function()
    assert.equal(503, hit({ status = 503, times = 2 }).status)
    assert.equal(503, api:get(ACCOUNT).status)
    assert.equal(200, api:get(ACCOUNT).status)
    assert.equal(200, hit({ status = 503, nth = 2 }).status)
    assert.equal(503, api:get(ACCOUNT).status)
    assert.equal(200, api:get(ACCOUNT).status)
  end)

  it("meet by chance, the same from the same seed", function()
    local function series(seed)
      box:clear_faults()
      box:fault({ operation = "getAccount", status = 500, probability = 0.5, seed = seed })
      local out = {}
      for i = 1, 16 do
        out[i] = api:get(ACCOUNT).status == 500 and "x" or "."
      end
      return table.concat(out)
    end
    local first = series(7)
    assert.matches("x", first)
    assert.matches("%.", first)
    assert.equal(first, series(7))
    assert.not_equal(first, series(8))
  end)

  it("meet by operation, method or path", function()
    box:fault({ path = "/account$", status = 500 })
    assert.equal(200, api:get("/api/v2/workers").status)
    assert.equal(500, api:get(ACCOUNT).status)
    box:fault({ method = "POST", status = 500 })
    assert.equal(200, api:get(ACCOUNT).status)
    assert.equal(500, api:post("/api/v2/workers/demo~rows/runs", "{}").status)
  end)

  it("count what they saw and hit", function()
    local id = box:fault({ operation = "getAccount", status = 500, nth = 2 })
    api:get(ACCOUNT)
    assert.same({ { id = id, seen = 1, hits = 0 } }, box:faults())
    api:get(ACCOUNT)
    assert.same({ { id = id, seen = 2, hits = 1 } }, box:faults())
  end)

  it("refuse what they do not know", function()
    assert.has_error(function()
      box:fault({ statsu = 500 })
    end)
    assert.has_error(function()
      box:fault({ close = "sometime" })
    end)
    assert.has_error(function()
      box:fault("status")
    end)
    assert.has_error(function()
      box:fault({ path = "[" })
    end)
    assert.same({}, box:faults())
  end)

  it("answer with a code of the platform, under any status", function()
    local answer = hit({ code = 13000, status = 429, headers = { ["Retry-After"] = "3" } })
    assert.equal(429, answer.status)
    assert.equal(13000, answer.code)
    assert.equal("3", answer.headers["retry-after"])
    answer = hit({ code = 14000, message = "database" })
    assert.equal(200, answer.status)
    assert.equal("database", answer.json.message)
    assert.equal(13000, hit({ status = 429 }).code)
    assert.equal(10000, hit({ status = 500 }).code)
  end)

  it("answer with any body", function()
    local answer = hit({ status = 502, body = "<html>bad gateway</html>", content_type = "text/html" })
    assert.equal(502, answer.status)
    assert.equal("text/html", answer.headers["content-type"])
    assert.is_nil(answer.json)
    answer = hit({ body = "" })
    assert.equal(200, answer.status)
    assert.equal("", answer.body)
    assert.equal("text/plain", hit({ content_type = "text/plain" }).headers["content-type"])
  end)

  it("close the connection without an answer", function()
    assert.equal(52, hit({ close = "before" }).exit)
    assert.equal(52, hit({ close = "after" }).exit)
    assert.equal(56, hit({ reset = true }).exit)
  end)

  it("close before the work is done, or after", function()
    box:fault({ operation = "runWorker", close = "before" })
    box:fault({ operation = "runWorker", close = "after", nth = 2 })
    local before = box:paid()
    assert.equal(52, select(2, api:start('{"count":1}')).exit)
    assert.equal(before, (box:paid()))
    assert.equal(52, select(2, api:start('{"count":1}')).exit)
    assert.equal(before + 1, (box:paid()))
  end)

  it("do the work before a wrong answer where asked to", function()
    box:fault({ operation = "runWorker", status = 500, work = true })
    local before = box:paid()
    assert.equal(500, select(2, api:start('{"count":1}')).status)
    assert.equal(before + 1, (box:paid()))
  end)

  it("put exact bytes on the wire", function()
    local answer = hit({ raw = "HTTP/1.1 200 OK\r\nX-Made-Up: yes\r\nContent-Length: 3\r\n\r\nabc" })
    assert.equal("abc", answer.body)
    assert.equal("yes", answer.headers["x-made-up"])
    assert.is_true(hit({ raw = "SSH-2.0-OpenSSH\r\n" }).exit ~= 0)
    assert.equal(52, hit({ raw = "" }).exit)
  end)

  it("cut, stretch and shorten bodies", function()
    local cut = hit({ truncate_after = 10 })
    assert.equal(18, cut.exit)
    assert.equal(10, #cut.body)
    assert.equal(18, hit({ truncate_after = 0 }).exit)
    assert.equal(18, hit({ content_length = 9999 }).exit)
    assert.equal(5, #hit({ content_length = 5 }).body)
  end)

  it("stall and dribble", function()
    local function times_out(spec)
      spec.stall_for = 5
      return hit(spec, "-m 0.3").exit
    end
    assert.equal(28, times_out({ stall_after = 0 }))
    assert.equal(28, times_out({ stall_after = 10 }))
    assert.equal(28, hit({ delay = 5 }, "-m 0.3").exit)
    assert.equal(28, hit({ header_delay = 5 }, "-m 0.3").exit)
    local slow = hit({ dribble = { bytes = 20, interval = 0.01 } })
    assert.equal(0, slow.code)
  end)

  it("dribble heads too", function()
    local raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    local before = http.shell("date +%s%N")
    assert.equal("ok", hit({ raw = raw, dribble = { bytes = 2, interval = 0.02 } }).body)
    assert.is_true(tonumber(http.shell("date +%s%N")) - tonumber(before) > 0.3e9)
    assert.equal(28, hit({ raw = raw, dribble = { interval = 0.1 } }, "-m 0.3").exit)
  end)

  it("damage gzip", function()
    assert.equal(0, hit({ gzip = "good" }, "--compressed").code)
    assert.equal(61, hit({ gzip = "damaged" }, "--compressed").exit)
  end)

  it("redirect to another host", function()
    local answer = hit({ redirect = "http://127.0.0.1:9/x", status = 307 })
    assert.equal(307, answer.status)
    assert.equal("http://127.0.0.1:9/x", answer.headers.location)
  end)

  it("send more than anybody wants", function()
    assert.equal(3 * 1024 * 1024, #hit({ huge = 3 * 1024 * 1024 }).body)
  end)

  it("concern the site and the files only when told so", function()
    local nobody = http.new(box, "-A nobody")
    box:fault({ status = 500 })
    assert.equal(200, nobody:get("/site/").status)
    assert.equal(500, api:get(ACCOUNT).status)
    box:fault({ origin = "site", status = 500 })
    assert.equal(500, nobody:get("/site/").status)
    local run = select(2, api:start('{"count":1}', '"is_async":false')).data.run_slug
    local url = api:get("/api/v2/worker-runs/" .. run .. "/log").data.all_logs_url
    box:fault({ origin = "files", expired = true })
    local expired = nobody:get(url)
    assert.equal(403, expired.status)
    assert.matches("expired", expired.body)
    assert.equal(200, nobody:get(url).status)
  end)

  it("storm", function()
    box:fault({ operation = "getAccount", status = 429, times = 5 })
    for _ = 1, 5 do
      local answer = api:get(ACCOUNT)
      assert.equal(13000, answer.code)
      assert.is_nil(answer.headers["retry-after"])
    end
    assert.equal(200, api:get(ACCOUNT).status)
  end)

  it("hold rows back and repeat rows while a run goes on", function()
    local run = api:start('{"count":10,"wait":20}')
    local path = "/api/v2/worker-runs/" .. run .. "/result"
    assert.is_true(http.eventually(function()
      return api:get(path).data.count == 10
    end))
    box:fault({ operation = "listWorkerRunResults", late_rows = 4 })
    local late = api:get(path .. "?limit=5&offset=2").data
    assert.equal(6, late.count)
    assert.equal(1, #late.list)
    box:fault({ operation = "listWorkerRunResults", repeat_rows = 2 })
    local again = api:get(path .. "?limit=5&offset=2").data.list
    assert.equal(4, again[1].index)
    assert.equal(8, again[5].index)
    assert.equal(6, api:get(path .. "?limit=5&offset=2").data.list[1].index)
    api:poke("/api/v2/worker-runs/" .. run .. "/abort")
    assert.is_true(api:await(run, "failed"))
    box:fault({ operation = "listWorkerRunResults", late_rows = 4 })
    assert.equal(10, api:get(path).data.count)
  end)

  it("have an address where every connection is refused", function()
    assert.equal(7, http.new(box, "-A nobody"):get(box.refused_url .. "/").exit)
  end)

  it("refuse connections for a while, from the n-th request of an operation on, as a server that restarts", function()
    local own = assert(sandbox.start())
    local alone = http.new(own)
    own:fault({ operation = "getAccount", nth = 2, refuse = 0.6 })
    assert.equal(200, alone:get(ACCOUNT).status)
    assert.equal(52, alone:get(ACCOUNT).exit) -- an empty reply
    for _ = 1, 3 do
      assert.equal(7, alone:get(ACCOUNT).exit) -- connection refused
    end
    http.shell("sleep 0.7")
    assert.equal(200, alone:get(ACCOUNT).status)
    own:stop()
  end)

  it("are set by anybody who has the secret", function()
    local control = http.new(box, "-H 'sandbox-secret: " .. box.secret .. "'")
    assert.equal(200, control:post("/_sandbox/fault", '{"operation":"getAccount","status":418}').status)
    assert.equal(418, api:get(ACCOUNT).status)
    assert.equal(400, control:post("/_sandbox/fault", '{"oops":1}').status)
  end)

  it("leave the controls alone", function()
    box:fault({ times = 100, close = "before" })
    assert.equal(1, #box:faults())
  end)
end)

describe("sandbox controls", function()
  local box, api

  setup(function()
    box = assert(sandbox.start({ key = "very-secret-key" }))
    api = http.new(box)
  end)

  teardown(function()
    box:stop()
  end)

  it("record every request, with the key masked", function()
    box:reset_requests()
    api:get(ACCOUNT .. "?token=very-secret-key&x=1")
    http.new(box, "-H 'api-key: very-secret-key'"):start('{"count":1}')
    api:get("/api/v2/nothing")
    local list = box:requests()
    assert.equal(3, #list)
    assert.equal("getAccount", list[1].operation)
    assert.equal("GET", list[1].method)
    assert.equal(ACCOUNT, list[1].path)
    assert.equal("token=***&x=1", list[1].query)
    assert.equal("Bearer ***", list[1].headers.authorization)
    assert.equal(400, list[1].status)
    assert.equal("runWorker", list[2].operation)
    assert.equal("***", list[2].headers["api-key"])
    assert.matches('"count":1', list[2].body)
    assert.equal(200, list[2].status)
    assert.is_nil(list[3].operation)
    assert.is_nil(require("coreclaw.json").encode(list):find("very-secret", 1, true))
    box:reset_requests()
    assert.same({}, box:requests())
  end)

  it("need the secret", function()
    local answer = api:post("/_sandbox/requests", "{}")
    assert.equal(403, answer.status)
    local good = http.new(box, "-H 'sandbox-secret: " .. box.secret .. "'")
    assert.equal(200, good:post("/_sandbox/requests", "{}").status)
    assert.equal(404, good:post("/_sandbox/nothing", "{}").status)
    assert.equal(404, good:get("/_sandbox/requests").status)
    assert.equal(400, good:post("/_sandbox/fault", "nonsense").status)
  end)
end)
