-- Answers that are broken below JSON: status lines, headers, framing, encodings, sizes.
local play = require "spec.faults.answers.play"

local BODY = '{"code":0,"message":"success","data":{"balance":"1","run_slug":"r1"}}'
local OK = "HTTP/1.1 200 OK\r\n"
local LENGTH = "Content-Length: " .. #BODY .. "\r\n"
local FINE = OK .. LENGTH .. "\r\n" .. BODY

local cases = {}

-- A read, and a start that is never made twice. An ill start's outcome is unknown, a well one has its slug.
local function add(name, answer, kind, more)
  local case = { name, answer, kind, check = not kind and function(account) assert(account.balance == "1") end or nil }
  for key, value in pairs(more or {}) do case[key] = value end
  cases[#cases + 1] = case
  if case.via then return end
  local start = { name .. ", of a start", answer, kind and "unknown_outcome" or false, via = "start", client = case.client }
  if kind then
    start.check = function(err) assert(err.cause.kind == kind, "the cause is " .. tostring(err.cause)) end
  else
    start.check = function(run) assert(run.slug == "r1") end
  end
  cases[#cases + 1] = start
end

-- Status lines.
for _, line in ipairs {
  "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/9.9 200 OK",
  "HTTP/3 200 OK", "HTTP/1.2 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "HTTP 200 OK", "HTP/1.1 200 OK",
  "SSH-2.0-OpenSSH_9.2p1", "220 mail.example ESMTP", "-ERR unknown command", "\21\3\1\0\2\2\40", "\0\0\18\4\0\0\0\0\0",
  " HTTP/1.1 200 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 0200 OK", "HTTP/1.1 1e2 OK", "HTTP/1.1200 OK",
} do
  add("the status line is " .. line:gsub("[%z\1-\31]", "?"), line .. "\r\n" .. LENGTH .. "\r\n" .. BODY,
    "bad_response", { say = "did not answer in HTTP" })
end
add("HTTP/2 in a status line", "HTTP/2 200 OK\r\n" .. LENGTH .. "\r\n" .. BODY, false)
add("a status line in lower case", "http/1.1 200 ok\r\n" .. LENGTH .. "\r\n" .. BODY, false)
add("HTTP/0.9: the body alone", BODY, "bad_response")
add("HTTP/0.9: HTML", "<html><body>hello</body></html>\n", "bad_response")
add("a status line that never ends", { { ("x"):rep(10000), 0 } }, "bad_response")
add("a status line of 200 KB", "HTTP/1.1 200 " .. ("O"):rep(200000) .. "\r\n\r\n", "too_large", { say = "max_headers" })
add("no reason", "HTTP/1.1 200\r\n" .. LENGTH .. "\r\n" .. BODY, false)
add("a reason for the terminal", "HTTP/1.1 500 \27[31m\7\r\nContent-Length: 0\r\n\r\n", "server_error")
add("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" .. BODY, false)
add("line feeds only", "HTTP/1.1 200 OK\n" .. LENGTH:gsub("\r", "") .. "\n" .. BODY, false)
-- To starts only: a read that meets this on a connection used before is made again by libcurl.
local SILENT = "not repeated"
add("nothing", "", "unknown_outcome", { via = "start", say = SILENT })
add("one byte", "H", "unknown_outcome", { via = "start", say = SILENT })
add("a status line cut", "HTTP/1.1 20", "unknown_outcome", { via = "start", say = SILENT })
add("headers cut", "HTTP/1.1 200 OK\r\nContent-Le", "bad_response")
add("headers without an end", "HTTP/1.1 200 OK\r\n" .. LENGTH, "network")
add("a reset at once", { "", ends = "reset" }, "unknown_outcome", { via = "start", say = SILENT })
add("a reset inside the body", { OK .. LENGTH .. "\r\n{", ends = "reset" }, "network")

-- 1xx and others without a body.
add("100 and the answer", "HTTP/1.1 100 Continue\r\n\r\n" .. FINE, false)
add("103 a hundred times and the answer", { { "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 100 }, FINE }, false)
add("103 for ever", { { ("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"):rep(50), 0 } }, "too_large",
  { say = "max_headers" })
add("100 for ever", { { ("HTTP/1.1 100 Continue\r\n\r\n"):rep(50), 0 } }, "too_large", { say = "max_headers" })
add("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\129\5hello",
  "bad_response")
add("100 and no more", "HTTP/1.1 100 Continue\r\n\r\n", "network")
add("204", "HTTP/1.1 204 No Content\r\n\r\n", "bad_response")
add("204 with a body", "HTTP/1.1 204 No Content\r\n" .. LENGTH .. "\r\n" .. BODY, "bad_response")
add("205", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "bad_response")
add("205 with a body", "HTTP/1.1 205 Reset Content\r\n" .. LENGTH .. "\r\n" .. BODY, false)
add("206 of nothing asked for", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\n" .. LENGTH .. "\r\n" .. BODY, false)
add("304", "HTTP/1.1 304 Not Modified\r\n\r\n", "redirect")
add("304 with a body", "HTTP/1.1 304 Not Modified\r\n" .. LENGTH .. "\r\n" .. BODY, "redirect")

-- Lengths.
for _, length in ipairs { "-1", "abc", "", "0x20", "1e2", "12 34" } do
  add("Content-Length: " .. length, OK .. "Content-Length: " .. length .. "\r\n\r\n" .. BODY, "bad_response")
end
for _, length in ipairs { "99999999999999999999", "9223372036854775808" } do -- as good as none
  add("Content-Length: " .. length, OK .. "Content-Length: " .. length .. "\r\n\r\n" .. BODY, false)
end
add("Content-Length twice, different", OK .. LENGTH .. "Content-Length: 5\r\n\r\n" .. BODY, "bad_response")
add("Content-Length twice, the same", OK .. LENGTH .. LENGTH .. "\r\n" .. BODY, false)
add("Content-Length: a list", OK .. "Content-Length: 70, 70\r\n\r\n" .. BODY, "network")
add("a length too long by one", OK .. "Content-Length: " .. #BODY + 1 .. "\r\n\r\n" .. BODY, "network",
  { say = "cut short" })
add("a length too short by one", OK .. "Content-Length: " .. #BODY - 1 .. "\r\n\r\n" .. BODY, "bad_response")
add("a length of 0 before a body", OK .. "Content-Length: 0\r\n\r\n" .. BODY, "bad_response")
add("a length of 64 MiB and one", OK .. "Content-Length: 67108865\r\n\r\n{", "too_large",
  { say = "max_body %(67108864 bytes%)" })
add("a length of an exabyte", OK .. "Content-Length: 1152921504606846976\r\n\r\n{", "too_large")
add("more behind the answer, kept open", { FINE .. FINE, ends = "keep" }, false)
add("garbage behind the answer", { FINE .. "garbage\r\n\r\n", ends = "keep" }, false)

-- Chunks.
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"
local CHUNK = ("%x\r\n%s\r\n"):format(#BODY, BODY)
add("chunks", CHUNKED .. CHUNK .. "0\r\n\r\n", false)
add("a chunk for each byte", CHUNKED .. BODY:gsub(".", "1\r\n%0\r\n") .. "0\r\n\r\n", false)
add("a chunk with an extension", CHUNKED .. CHUNK:gsub("\r\n", ';a="b"\r\n', 1) .. "0\r\n\r\n", false)
add("trailers", CHUNKED .. CHUNK .. "0\r\nX-A: b\r\nContent-Length: 5\r\n\r\n", false)
add("trailers for ever", { CHUNKED .. CHUNK .. "0\r\n", { ("X-A: " .. ("b"):rep(1000) .. "\r\n"):rep(20), 0 } },
  "too_large")
add("a trailer that looks like a status", CHUNKED .. CHUNK .. "0\r\nHTTP/1.1 500 No\r\n\r\n", "bad_response")
for name, chunks in pairs {
  ["a size that is no number"] = "zz\r\nxx\r\n", ["a negative size"] = "-1\r\nx\r\n", ["an empty size"] = "\r\nx\r\n",
  ["a size that overflows"] = "fffffffffffffffff\r\nx\r\n", ["a size with 0x"] = "0x5\r\nhello\r\n0\r\n\r\n",
  ["a size of 4 GiB in a short answer"] = "100000000\r\nx", ["a chunk longer than said"] = "2\r\nhello\r\n0\r\n\r\n",
  ["a chunk cut"] = "46\r\n{\"code\"", ["no last chunk"] = CHUNK, ["a last chunk cut"] = CHUNK .. "0\r\n",
  ["a size of 20 digits"] = ("0"):rep(19) .. "5\r\nhello\r\n0\r\n\r\n", ["nothing"] = "",
} do
  add("chunks: " .. name, CHUNKED .. chunks, name == "a size with 0x" and "bad_response" or "network")
end
add("chunks and a length", OK .. "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" .. CHUNK .. "0\r\n\r\n",
  false)
add("an unknown transfer encoding", OK .. "Transfer-Encoding: rot13\r\n\r\n" .. BODY, "bad_response")
add("chunked twice", OK .. "Transfer-Encoding: chunked, chunked\r\n\r\n" .. CHUNK .. "0\r\n\r\n", false)
add("chunks for ever", { CHUNKED, { "1000\r\n" .. (" "):rep(4096) .. "\r\n", 0 } }, "too_large",
  { client = { max_body = 2 ^ 20 }, say = "max_body %(1048576 bytes%)" })
add("a body for ever", { OK .. "\r\n", { (" "):rep(65536), 0 } }, "too_large",
  { client = { max_body = 2 ^ 20 }, say = "max_body" })
add("a body for ever under 502", { "HTTP/1.1 502 No\r\n\r\n", { (" "):rep(65536), 0 } }, "too_large",
  { client = { max_body = 2 ^ 20 }, say = "max_body" })
add("64 MiB and one byte", { OK .. "\r\n", { (" "):rep(2 ^ 20), 64 }, " " }, "too_large",
  { via = "account", say = "max_body %(67108864 bytes%)" })

-- Headers.
local function with(lines) return OK .. lines .. LENGTH .. "\r\n" .. BODY end
add("headers for ever", { OK, { ("X-A: " .. ("h"):rep(1000) .. "\r\n"):rep(20), 0 } }, "too_large",
  { say = "max_headers" })
add("a header that never ends", { OK .. "X-A: ", { ("h"):rep(10000), 0 } }, "too_large", { say = "max_headers" })
add("5,000 headers", with(("X-A: 1\r\n"):rep(5000)), false)
add("300 KB of headers", with(("X-A: " .. ("h"):rep(995) .. "\r\n"):rep(310)), "too_large", { say = "max_headers" })
add("more headers than the client wants", with(("X-A: 1\r\n"):rep(100)), "too_large",
  { client = { max_headers = 500 }, say = "max_headers %(500 bytes%)" })
for name, lines in pairs {
  ["without a name"] = ": x\r\n", ["with a space before the colon"] = "X-A : 1\r\n",
  ["folded"] = "X-A: 1\r\n 2\r\n\t3\r\n", ["for the terminal"] = "X-A: \27[2J\7\r\n", ["of bytes that are no text"] = "X-\255: \254\1\r\n",
  ["of cookies"] = ("Set-Cookie: a=b; Domain=example.com; Secure\r\n"):rep(50),
  ["of a weird charset"] = "Content-Type: application/json; charset=ebcdic\r\n",
  ["of another type"] = "Content-Type: text/html\r\n", ["of an empty type"] = "Content-Type:\r\n",
  ["that upgrade"] = "Upgrade: h2c\r\nConnection: Upgrade\r\n", ["of Alt-Svc"] = "Alt-Svc: h3=\":1\"; ma=99999\r\n",
  ["of HSTS"] = "Strict-Transport-Security: max-age=99999999; includeSubDomains\r\n",
  ["of a challenge"] = "WWW-Authenticate: Negotiate\r\n",
} do
  add("a header " .. name, with(lines), false)
end
add("a header without a colon", with("X-A\r\n"), "bad_response")
add("a header that looks like a status", with("HTTP/1.1 500 No\r\n"), "bad_response")
add("a header with NUL", with("X-A: a\0b\r\n"), "bad_response")
add("a carriage return in a header", with("X-A: a\rb\r\n"), false)

-- Encodings.
local ZEROS = { enc = "gzip,gzip", body = " ", times = 8 * 2 ^ 20 }
add("gzip", { enc = "gzip", body = BODY }, false)
add("deflate", { enc = "deflate", body = BODY }, false)
add("deflate without its frame", { enc = "raw", as = "deflate", body = BODY }, false)
add("gzip twice", { enc = "gzip,gzip", body = BODY }, false)
add("gzip five times", { enc = "gzip,gzip,gzip,gzip,gzip", body = BODY }, false)
add("gzip six times", { enc = "gzip,gzip,gzip,gzip,gzip,gzip", body = BODY }, "bad_response")
add("gzip a hundred times, as they say", { enc = "identity", as = ("gzip,"):rep(100) .. "gzip", body = BODY },
  "bad_response")
add("gzip under x-gzip", { enc = "gzip", as = "x-gzip", body = BODY }, false)
add("gzip with a wrong checksum", { enc = "damaged", as = "gzip", body = BODY }, "bad_response",
  { say = "decompressed" })
add("gzip cut", { enc = "cut", as = "gzip", body = BODY }, "bad_response")
add("no gzip, as they say", { enc = "identity", as = "gzip", body = BODY }, "bad_response")
add("no deflate, as they say", { enc = "identity", as = "deflate", body = BODY }, "bad_response")
add("no br, as they say", { enc = "identity", as = "br", body = BODY }, "bad_response")
add("no zstd, as they say", { enc = "identity", as = "zstd", body = BODY }, "bad_response")
add("an unknown encoding", { enc = "identity", as = "rot13", body = BODY }, "bad_response")
add("an encoding for the terminal", { enc = "identity", as = "%1b[31m", body = BODY }, "bad_response")
add("identity", { enc = "identity", body = BODY }, false)
local RAW_BLOCK = string.char(#BODY * 8 % 256 + 1, math.floor(#BODY / 32), 0)
add("zstd", {
  enc = "identity", as = "zstd", body = "\40\181\47\253\32" .. string.char(#BODY) .. RAW_BLOCK .. BODY,
}, false)
add("gzip of nothing", { enc = "gzip", body = "" }, "bad_response", { say = "empty" })
add("gzip with garbage behind", { enc = "garbage", as = "gzip", body = BODY }, "bad_response")
add("8 MiB in a few bytes", ZEROS, "too_large", { client = { max_body = 2 ^ 20 }, say = "max_body %(1048576 bytes%)" })
add("70 MiB in a few bytes", { enc = "gzip,gzip", body = " ", times = 70 * 2 ^ 20 }, "too_large",
  { via = "account", say = "max_body %(67108864 bytes%)" })
add("8 MiB in a few bytes, of deflate", { enc = "deflate", body = " ", times = 8 * 2 ^ 20 }, "too_large",
  { client = { max_body = 2 ^ 20 } })

-- Redirects are never followed with the key.
for _, where in ipairs { "http://127.0.0.1:1/", "https://example.com/", "file:///etc/passwd", "//127.0.0.1:1/x",
  "/elsewhere", "", "\0", "http://", "javascript:1" } do
  for _, status in ipairs { 301, 307 } do
    add("HTTP " .. status .. " to " .. where:gsub("%z", "NUL"),
      "HTTP/1.1 " .. status .. " Gone\r\nLocation: " .. where .. "\r\nContent-Length: 0\r\n\r\n",
      where == "\0" and "bad_response" or "redirect")
  end
end
add("a redirect to nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "redirect")

-- Captive portals.
for _, status in ipairs { 200, 403, 502, 503, 511 } do
  add("a login page under HTTP " .. status, play.http(status, "<!DOCTYPE html><html><script>\7</script>", { "Content-Type: text/html" }),
    ({ [200] = "bad_response", [403] = "forbidden" })[status] or "server_error", { say = "DOCTYPE" })
end

-- Retry-After: nonsense counts for nothing, and nobody waits for years, deadline or not.
for after, kind in pairs {
  ["-1"] = false, ["0"] = false, ["abc"] = false, [""] = false, ["99999999999999999999999"] = false,
  ["-99999999999999999999999"] = false, ["0x10"] = false, ["Thu, 01 Jan 1970 00:00:00 GMT"] = false, ["\27[31m"] = false,
  ["Mon, 99 Foo 2026 99:99:99 GMT"] = false, ["Fri, 31 Dec 9999 23:59:59 GMT"] = "rate_limited",
  ["9223372036854775807"] = "rate_limited", ["999999"] = "rate_limited",
} do
  for _, timeout in ipairs { 0, 20 } do
    cases[#cases + 1] = {
      "Retry-After: " .. after .. ", timeout " .. timeout,
      play.http(429, '{"code":13000,"message":"slow down"}', { "Retry-After: " .. after }), kind, client = {
        timeout = timeout, retry = { attempts = 2, throttle_base = 0.001, base = 0.001 },
      },
    }
  end
end

-- Slow, but alive; and dead.
add("a byte every 2 ms", { OK .. LENGTH .. "\r\n", { " ", #BODY - 10, 2 }, '{"code":0}' }, false,
  { via = "account", client = { idle_timeout = 5 }, check = function() end })
add("silence", { "", ends = "hold" }, "timeout", { client = { idle_timeout = 0.1 }, say = "idle_timeout" })
add("silence inside the headers", { "HTTP/1.1 200 OK\r\nX", ends = "hold" }, "timeout",
  { client = { idle_timeout = 0.1 }, say = "idle_timeout" })
add("silence inside the body", { OK .. LENGTH .. "\r\n{", ends = "hold" }, "timeout",
  { client = { idle_timeout = 0.1 }, say = "idle_timeout" })
add("a byte every 20 ms, for ever", { OK .. "\r\n", { " ", 0, 20 } }, "timeout",
  { client = { request_timeout = 0.3 }, say = "timeout" })

return cases
