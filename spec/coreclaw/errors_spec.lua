local errors = require "coreclaw.errors"

describe("errors", function()
  it("makes an object that prints as one helpful line", function()
    local err = errors.new {
      kind = "not_found", message = "Worker does not exist", code = 50001, key = "WORKER_NOT_FOUND",
      http_status = 404, request_id = "req-1", operation = "runWorker", attempts = 2,
      sent = "refused",
    }
    assert.equal("coreclaw: not_found: Worker does not exist "
      .. "(runWorker, HTTP 404, 50001 WORKER_NOT_FOUND, request req-1, 2 attempts)", tostring(err))
    assert.is_true(errors.is(err))
    assert.is_false(err.retryable)
  end)

  it("prints what little it has", function()
    assert.equal("coreclaw: network: no route",
      tostring(errors.new { kind = "network", message = "no route" }))
    assert.equal("coreclaw: api_error: odd (code 99999)",
      tostring(errors.new { kind = "api_error", message = "odd", code = 99999, attempts = 1 }))
  end)

  it("knows its kinds and takes no other", function()
    for _, kind in ipairs { "network", "timeout", "tls", "too_large", "unknown_outcome",
      "wait_timeout", "page_drift", "run_failed" } do
      assert.is_true(errors.kinds[kind], kind)
    end
    assert.has_error(function() errors.new { kind = "sadness", message = "x" } end)
  end)

  it("is told from other values", function()
    for _, value in ipairs { 1, "x", {}, setmetatable({}, {}), false } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
  end)

  it("scrubs a secret out of every text, however often it stands there", function()
    local err = errors.scrub(errors.new {
      kind = "bad_request", message = "bad token k3y and k3y", details = { "k3y", { a = "xk3yx" } },
      request_id = "req-k3y",
    }, "k3y")
    assert.equal("bad token *** and ***", err.message)
    assert.same({ "***", { a = "x***x" } }, err.details)
    assert.equal("req-***", err.request_id)
  end)

  it("treats a secret as text, not as a pattern", function()
    local err = errors.new { kind = "bad_request", message = "a.b aXb %d+" }
    assert.equal("*** aXb %d+", errors.scrub(err, "a.b").message)
    assert.equal("*** aXb ***", errors.scrub(err, "%d+").message)
    assert.equal(err.message, errors.scrub(err, nil).message)
  end)
end)
