--- Every refusal that the sandbox knows, once: what v2 answers and what v1 answers (HTTP status, code, words).

return {
  internal = { v2 = { 500, 10000, "system error" }, v1 = { 500, 5000, "Internal error" } },
  database = { v2 = { 500, 14000, "database error" }, v1 = { 500, 5000, "Internal error" } },
  invalid = { v2 = { 422, 11000, "invalid argument" }, v1 = { 400, 4000, "Invalid parameters" } },
  bad_request = { v2 = { 400, 11000, "invalid argument" }, v1 = { 400, 4000, "Invalid parameters" } },
  export_format = {
    v2 = { 400, 11000, "unsupported export format" },
    v1 = { 400, 4000, "Invalid parameters" },
  },
  months = {
    v2 = { 400, 11000, "run list time range cannot cross months" },
    v1 = { 400, 4000, "Invalid parameters" },
  },
  not_found = { v2 = { 404, 11004, "not found" }, v1 = { 404, 4040, "Not found" } },
  no_key = { v2 = { 401, 12001, "unauthorized" }, v1 = { 401, 20001, "Invalid API key" } },
  bad_key = { v2 = { 401, 12002, "invalid token" }, v1 = { 401, 20001, "Invalid API key" } },
  expired_key = { v2 = { 401, 12002, "invalid token" }, v1 = { 401, 20002, "API key expired" } },
  disabled_user = { v2 = { 401, 12002, "invalid token" }, v1 = { 401, 10002, "User unavailable" } },
  unknown_user = { v2 = { 401, 12002, "invalid token" }, v1 = { 401, 10001, "User unavailable" } },
  -- v2 has no such thing: what belongs to somebody else does not exist there.
  foreign = { v2 = { 404, 11004, "not found" }, v1 = { 401, 4010, "Unauthorized" } },
  rate_limited = { v2 = { 429, 13000, "too many requests" }, v1 = { 429, 4290, "Too many requests" } },
  not_implemented = { v2 = { 501, 16000, "not implemented" }, v1 = { 500, 5000, "Internal error" } },
  no_balance = { v2 = { 400, 30001, "insufficient balance" }, v1 = { 400, 30001, "Insufficient balance" } },
  -- Not in v2's table of codes; sources say that it may be met there all the same.
  no_traffic = { v2 = { 400, 30002, "insufficient traffic" }, v1 = { 400, 30002, "Insufficient traffic" } },
  plan_limit = {
    v2 = { 400, 30003, "the current running tasks have reached the plan limit" },
    v1 = { 400, 30003, "the current running tasks have reached the plan limit" },
  },
  worker_unknown = { v2 = { 404, 50001, "worker not found" }, v1 = { 404, 50001, "Script does not exist" } },
  worker_unknown_here = { v2 = { 400, 50001, "worker not found" }, v1 = { 404, 50001, "Script does not exist" } },
  worker_refused = { v2 = { 400, 50002, "worker run failed" }, v1 = { 400, 4000, "Invalid parameters" } },
  version = {
    v2 = { 400, 50003, "worker version is not available" },
    v1 = { 400, 50003, "Script version not available" },
  },
  task_unknown = { v2 = { 404, 60001, "task not found" }, v1 = { 404, 60001, "Task does not exist" } },
  run_unknown = { v2 = { 404, 70001, "run not found" }, v1 = { 404, 70001, "Run record does not exist" } },
  run_ended = { v2 = { 400, 70002, "run has ended" }, v1 = { 500, 70002, "Run abort failed" } },
}
