--- HTTP for Workers and callbacks, by the curl tool: redirects, TLS, compression and ceilings are its trade.

local process = require("coreclaw.sandbox.tools.process")

local M = {}

local MAX_TIME, MAX_BYTES = 30, 16 * 1024 * 1024

local function arguments(url, options)
  local argv = {
    "curl", "-q", "--silent", "--show-error", "--max-redirs", "5", "--compressed",
    "--proto", "=http,https", "--proto-redir", "=http,https", "--noproxy", "127.0.0.1,localhost,::1",
    "--max-time", tostring(options.timeout or MAX_TIME), "--max-filesize", tostring(options.max_bytes or MAX_BYTES),
    "--user-agent", options.user_agent or "coreclaw-sandbox",
    "--write-out", "\n%{http_code}\t%{url_effective}\t%{content_type}",
  }
  if options.follow ~= false then
    argv[#argv + 1] = "--location"
  end
  for _, header in ipairs(options.headers or {}) do
    argv[#argv + 1] = "--header"
    argv[#argv + 1] = header
  end
  if options.body then
    argv[#argv + 1] = "--data-binary"
    argv[#argv + 1] = "@-"
  end
  argv[#argv + 1] = "--url"
  argv[#argv + 1] = url
  return argv
end

local function parse(out)
  local body, status, url, content_type = out:match("^(.*)\n(%d+)\t([^\t\n]*)\t([^\t\n]*)$")
  return { status = tonumber(status), url = url, content_type = content_type, body = body }
end

---@param url string http or https
---@param options? table timeout, max_bytes, headers (list of "Name: value"), body (makes it a POST), follow, stop (fn)
---@return { status: integer, url: string, content_type: string, body: string }? answer
---@return string? message
function M.fetch(url, options)
  options = options or {}
  if type(url) ~= "string" or not url:find("^https?://%S+$") then
    return nil, "not an http or https URL: " .. tostring(url)
  end
  local code, out, err = process.run(arguments(url, options), { input = options.body, stop = options.stop })
  if code ~= 0 then
    return nil, (err:gsub("%s+$", ""):gsub("^curl: ", ""))
  end
  return parse(out)
end

return M
