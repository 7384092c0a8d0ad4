--- How the program ends: one code for each thing that a script may want to do next.

local exit = {}

---@class coreclaw.cli.Exit
---@field code integer
---@field name string
---@field meaning string
---@field kinds string[]  of errors that end so

---In the order of the README's table, which a spec holds against this one.
---@type coreclaw.cli.Exit[]
exit.list = {
  { code = 0, name = "ok", meaning = "done; a run that was waited for has succeeded", kinds = {} },
  { code = 1, name = "error", meaning = "trouble of a kind that has no code of its own", kinds = {
    "server_error", "api_error", "bad_response", "too_large", "redirect", "page_drift", "internal" } },
  { code = 2, name = "usage", meaning = "wrong arguments, or an input that does not fit; nothing was started",
    kinds = {} },
  { code = 3, name = "run_failed", meaning = "the run failed, or brought no data (`--require-data`)",
    kinds = { "run_failed" } },
  { code = 4, name = "run_aborted", meaning = "the run was aborted", kinds = { "run_aborted" } },
  { code = 5, name = "wait_timeout", meaning = "`--timeout` is over; the run goes on", kinds = { "wait_timeout" } },
  { code = 6, name = "refused", meaning = "the platform said no, and nothing was done", kinds = {
    "bad_request", "forbidden", "not_found", "version_unavailable", "run_conflict", "worker_failed",
    "not_implemented" } },
  { code = 7, name = "authentication", meaning = "no key, or not a valid one", kinds = { "authentication" } },
  { code = 8, name = "not_now", meaning = "too many requests or runs, or no money; later perhaps", kinds = {
    "rate_limited", "plan_limit", "insufficient_balance" } },
  { code = 9, name = "network", meaning = "no answer: network, TLS, or none in time", kinds = {
    "network", "timeout", "tls", "cancelled" } },
  { code = 10, name = "unknown_outcome",
    meaning = "**something paid for may have been started**; look before you repeat it",
    kinds = { "unknown_outcome" } },
  { code = 11, name = "file", meaning = "a file or the output could not be read or written", kinds = { "file" } },
  { code = 130, name = "interrupted", meaning = "Ctrl-C; what is running goes on, unless it came twice", kinds = {} },
}

local by_kind, by_name = {}, {}
for _, entry in ipairs(exit.list) do
  by_name[entry.name] = entry.code
  for _, kind in ipairs(entry.kinds) do by_kind[kind] = entry.code end
end

---Codes by their names: `exit.codes.usage`.
---@type table<string, integer>
exit.codes = by_name

---The code for an error of the library.
---@param err coreclaw.Error
---@param paying boolean?  of a call that is paid for: no answer is more than that, whatever its kind
---@return integer
function exit.of(err, paying)
  if paying and err.sent == "unknown" then return by_name.unknown_outcome end
  return by_kind[err.kind] or by_name.error
end

---The list for --help.
---@return string
function exit.help()
  local lines = { "Exit codes:" }
  for _, entry in ipairs(exit.list) do
    lines[#lines + 1] = string.format("   %3d  %s", entry.code, (entry.meaning:gsub("[*`]", "")))
  end
  return table.concat(lines, "\n")
end

return exit
