--- Plain HTTP for the sandbox's specs, by the curl tool: these specs do not trust our own client.

local codec = require("coreclaw.sandbox.codec")

local M = {}

function M.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- What a shell command prints.
function M.shell(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local Http = {}
Http.__index = Http

--- A caller for one sandbox. `auth` is curl's way of giving the key; bearer by default.
function M.new(sandbox, auth)
  return setmetatable({ sandbox = sandbox, auth = auth or "-H 'Authorization: Bearer " .. sandbox.key .. "'" }, Http)
end

local MARK = "\n--curl--"

local function parse(text)
  local rest, exit, status = text:match("^(.*)" .. MARK:gsub("%-", "%%-") .. "(%d+) (%d+)\n$")
  local head, body = rest:match("^(HTTP/.-\r?\n)\r?\n(.*)$")
  local answer = { exit = tonumber(exit), status = tonumber(status), body = body or rest, headers = {} }
  for name, value in (head or ""):gmatch("\n([%w-]+): *([^\r\n]*)") do
    answer.headers[name:lower()] = value
  end
  answer.json = codec.decode(answer.body)
  answer.code = type(answer.json) == "table" and answer.json.code or nil
  answer.data = type(answer.json) == "table" and answer.json.data or nil
  return answer
end

--- Runs curl with these words; a path is taken at the sandbox's API.
---@return { status: integer, exit: integer, body: string, headers: table, json: table?, code: integer?, data: any }
function Http:curl(words, path)
  local url = path:find("^https?://") and path or self.sandbox.url .. path
  local command = "curl -q -s -i --noproxy '*' -m 20 --path-as-is -w " .. M.quote(MARK .. "%{exitcode} %{http_code}\\n")
  return parse(M.shell(command .. " " .. self.auth .. " " .. words .. " " .. M.quote(url) .. " 2>/dev/null"))
end

function Http:get(path)
  return self:curl("", path)
end

--- Sends a body as JSON, text as it stands.
function Http:send(method, path, body)
  return self:curl("-X " .. method .. " -H 'Content-Type: application/json' --data-binary " .. M.quote(body), path)
end

function Http:post(path, body)
  return self:send("POST", path, body)
end

function Http:delete(path)
  return self:curl("-X DELETE", path)
end

--- A POST without a body.
function Http:poke(path)
  return self:curl("-X POST -H 'Content-Length: 0'", path)
end

--- The body of a start: custom is JSON text, more is text put behind ("\"is_async\":false").
function M.input(custom, more)
  return '{"input":{"parameters":{"custom":' .. custom .. "}}" .. (more and "," .. more or "") .. "}"
end

--- Starts demo/rows; returns the run id.
function Http:start(custom, more)
  local answer = self:post("/api/v2/workers/demo~rows/runs", M.input(custom, more))
  return answer.data and answer.data.run_slug, answer
end

--- Asks until fn says yes; false after some seconds.
function M.eventually(fn)
  for _ = 1, 200 do
    if fn() then
      return true
    end
    M.shell("sleep 0.02")
  end
  return false
end

--- Waits until a run has one of these statuses.
function Http:await(run, wanted)
  local status
  local ok = M.eventually(function()
    status = self:get("/api/v2/worker-runs/" .. run).data.status
    return status == wanted
  end)
  return ok, status
end

return M
