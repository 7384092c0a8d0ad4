-- The error table as Lua sees it. The tables of API.md section 19 stand here a second time on
-- purpose: what is compared with itself proves nothing.
local core = require("coreclaw.core")

local V1 = [[
4000  INVALID_PARAMETERS         bad_request          no   refused 400
4010  UNAUTHORIZED               forbidden            no   refused 401
4040  NOT_FOUND                  not_found            no   refused 404
4290  RATE_LIMITED               rate_limited         yes  refused 429
5000  INTERNAL_ERROR             server_error         yes  unknown 500
10001 USER_NOT_FOUND             authentication       no   refused 401
10002 USER_DISABLED              authentication       no   refused 401
20001 INVALID_API_KEY            authentication       no   refused 401
20002 API_KEY_EXPIRED            authentication       no   refused 401
30001 INSUFFICIENT_BALANCE       insufficient_balance no   refused -
30002 INSUFFICIENT_TRAFFIC       insufficient_balance no   refused -
50001 WORKER_NOT_FOUND           not_found            no   refused 404
50002 WORKER_RUN_FAILED          worker_failed        no   unknown -
50003 WORKER_VERSION_UNAVAILABLE version_unavailable  no   refused -
60001 TASK_NOT_FOUND             not_found            no   refused 404
70001 RUN_NOT_FOUND              not_found            no   refused 404
70002 RUN_ABORT_FAILED           run_conflict         no   unknown 500
]]

local V2 = [[
10000 SYSTEM_ERROR               server_error         yes  unknown 500
11000 INVALID_ARGUMENT           bad_request          no   refused 400,422
11004 NOT_FOUND                  not_found            no   refused 404
12001 UNAUTHORIZED               authentication       no   refused 401
12002 INVALID_TOKEN              authentication       no   refused 401
13000 RATE_LIMITED               rate_limited         yes  refused 429
14000 DATABASE_ERROR             server_error         yes  unknown 500
16000 NOT_IMPLEMENTED            not_implemented      no   refused -
30001 INSUFFICIENT_BALANCE       insufficient_balance no   refused -
30003 PLAN_CONCURRENCY_LIMITED   plan_limit           yes  refused -
50001 WORKER_NOT_FOUND           not_found            no   refused 400,404
50002 WORKER_RUN_FAILED          worker_failed        no   unknown 400
50003 WORKER_VERSION_UNAVAILABLE version_unavailable  no   refused 400
60001 TASK_NOT_FOUND             not_found            no   refused 400,404
70001 RUN_NOT_FOUND              not_found            no   refused 400,404
70002 RUN_FAILED                 run_conflict         no   unknown 400
]]

local function rows(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local code, key, kind, retry, sent, http = line:match("(%d+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)")
    local statuses = {}
    for status in http:gmatch("%d+") do statuses[#statuses + 1] = tonumber(status) end
    list[#list + 1] = {
      code = tonumber(code), key = key, kind = kind, retryable = retry == "yes", sent = sent, http = statuses,
    }
  end
  return list
end

local function kinds()
  local set = {}
  for _, kind in ipairs(core.kinds()) do set[kind] = true end
  return set
end

describe("error table", function()
  for api, text in pairs({ v1 = V1, v2 = V2 }) do
    it("holds every code of " .. api, function() assert.same(rows(text), core.api_errors(api)) end)

    it("judges every code of " .. api .. ", whatever the status", function()
      for _, row in ipairs(rows(text)) do
        for _, status in ipairs({ 200, 400, 500, 429, row.http[1] }) do
          assert.same({ row.kind, row.retryable, row.sent, row.key }, { core.classify(api, status, row.code) })
        end
      end
    end)
  end

  it("knows the codes of one API on the other", function()
    assert.same({ "insufficient_balance", false, "refused", "INSUFFICIENT_TRAFFIC" },
      { core.classify("v2", 200, 30002) })
    assert.equal("RUN_FAILED", select(4, core.classify("v2", 400, 70002)))
    assert.equal("RUN_ABORT_FAILED", select(4, core.classify("v1", 500, 70002)))
  end)

  it("calls code 0 with 2xx a success, and nothing else", function()
    for _, status in ipairs({ 200, 201, 202, 204, 299 }) do
      assert.is_nil(core.classify("v2", status, 0))
      assert.same({ "bad_response", false, "unknown" }, { core.classify("v2", status, nil) })
    end
    assert.equal("bad_request", (core.classify("v2", 400, 0)))
    assert.equal("redirect", (core.classify("v2", 302, 0)))
  end)

  local STATUSES = {
    [100] = "bad_response", [301] = "redirect", [302] = "redirect", [308] = "redirect",
    [400] = "bad_request", [401] = "authentication", [402] = "api_error", [403] = "forbidden",
    [404] = "not_found", [405] = "bad_request", [406] = "bad_request", [408] = "api_error retry",
    [409] = "api_error", [410] = "not_found", [411] = "bad_request", [413] = "bad_request",
    [414] = "bad_request", [415] = "bad_request", [418] = "api_error", [422] = "bad_request",
    [425] = "api_error retry", [429] = "rate_limited retry", [431] = "bad_request",
    [500] = "server_error retry", [501] = "not_implemented", [502] = "server_error retry",
    [503] = "server_error retry", [504] = "server_error retry", [505] = "server_error",
    [520] = "server_error", [599] = "server_error", [600] = "api_error", [999] = "api_error",
  }

  it("judges by status where there is no envelope, or no code that anybody knows", function()
    for status, wanted in pairs(STATUSES) do
      for _, code in ipairs({ false, 1, 99999, -5, 2 ^ 53, -2 ^ 60, 1 / 0 }) do
        local kind, retryable, sent, key = core.classify("v2", status, code or nil)
        assert.equal(wanted, kind .. (retryable and " retry" or ""), "status " .. status)
        assert.equal("unknown", sent)
        assert.is_nil(key)
      end
    end
    assert.same({ "api_error", false, "unknown" }, { core.classify("v1", 200, 4711) })
  end)

  it("refuses an API that it does not know, and what is no number", function()
    assert.has_error(function() core.api_errors("v3") end)
    assert.has_error(function() core.classify("v3", 200, 0) end)
    assert.has_error(function() core.classify("v2", "x", 0) end)
    assert.has_error(function() core.classify("v2", 200, {}) end)
  end)

  it("holds every CURLcode, by number and name, each of a known kind", function()
    local known, seen = kinds(), {}
    local list = core.transport_errors()
    assert.truthy(#list >= 99) -- 7.88 knows 1 to 99
    for i, row in ipairs(list) do
      assert.equal(i, row.code)
      assert.truthy(row.name:find("^[A-Z][A-Z0-9_]+$"))
      assert.is_nil(seen[row.name])
      seen[row.name] = true
      assert.truthy(known[row.kind], row.kind)
      assert.equal("boolean", type(row.retryable))
    end
    for name, kind in pairs({
      COULDNT_RESOLVE_HOST = "network", COULDNT_CONNECT = "network", RECV_ERROR = "network",
      SEND_ERROR = "network", GOT_NOTHING = "network", PARTIAL_FILE = "network", HTTP2_STREAM = "network",
      OPERATION_TIMEDOUT = "timeout", PEER_FAILED_VERIFICATION = "tls", SSL_CONNECT_ERROR = "tls",
      SSL_CACERT_BADFILE = "tls", TOO_MANY_REDIRECTS = "redirect", OUT_OF_MEMORY = "internal",
      BAD_CONTENT_ENCODING = "bad_response", ABORTED_BY_CALLBACK = "cancelled", FILESIZE_EXCEEDED = "too_large",
      WRITE_ERROR = "file", RANGE_ERROR = "bad_response",
    }) do
      for _, row in ipairs(list) do
        if row.name == name then assert.equal(kind, row.kind, name) end
      end
      assert.truthy(seen[name], name)
    end
  end)

  it("has a closed list of kinds", function()
    local list = core.kinds()
    table.sort(list)
    assert.same({
      "api_error", "authentication", "bad_request", "bad_response", "cancelled", "file", "forbidden",
      "insufficient_balance", "internal", "network", "not_found", "not_implemented", "plan_limit",
      "rate_limited", "redirect", "run_conflict", "server_error", "timeout", "tls", "too_large",
      "version_unavailable", "worker_failed",
    }, list)
  end)
end)

describe("core", function()
  it("tells the time, its process and a little randomness", function()
    local before = core.now()
    assert.truthy(core.now() >= before and core.now() - before < 1)
    assert.truthy(math.abs(core.time() - os.time()) < 2)
    assert.truthy(core.pid() > 1)
    local seen = {}
    for _ = 1, 1000 do
      local r = core.random()
      assert.truthy(r >= 0 and r < 1)
      assert.is_nil(seen[r])
      seen[r] = true
    end
  end)

  it("says which libcurl it has", function()
    assert.truthy(core.curl.version:find("^%d+%.%d+"))
    assert.truthy(core.curl.version_num >= 0x073d00)
    assert.equal("string", type(core.curl.ssl))
    assert.equal("boolean", type(core.curl.http2))
    assert.truthy(core.version:find("^%d+%.%d+%.%d+$"))
  end)
end)
