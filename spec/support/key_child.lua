-- A program that uses a key, and says when its copies may be counted: see key_memory.py.
-- KEY_IN_DISGUISE HOW URL [CA_FILE]
local coreclaw = require "coreclaw"

local disguised, how, url, ca_file = arg[1], arg[2], arg[3], arg[4]

local key = ""
for code, cover in disguised:gmatch "(%x%x)(%x%x)" do
  local byte, mask, out, bit = tonumber(code, 16), tonumber(cover, 16), 0, 1
  while bit < 256 do
    if byte % (bit * 2) >= bit ~= (mask % (bit * 2) >= bit) then out = out + bit end
    bit = bit * 2
  end
  key = key .. string.char(out)
end

-- What is left of putting it together, on the stack and in the buffers of the Lua.
local function overwrite(depth)
  local text = ""
  for _ = 1, #key do text = text .. "x" end
  local list = { text:rep(20), ("%s%s"):format(text, depth), table.concat({ text, "y" }) }
  if depth > 0 then return overwrite(depth - 1) or list end
end

local function pause(moment)
  overwrite(100)
  collectgarbage()
  collectgarbage()
  io.write(moment, "\n")
  io.flush()
  io.read "*l"
end

local function try(options, count)
  options.base_url, options.ca_file = options.base_url or url, ca_file
  options.auth, options.retry, options.api_key = how, false, key
  local client = coreclaw.new(options)
  for _ = 1, count do
    client:account()
    client:worker "sandbox/rows":start { rows = 1 }
    pcall(client:runs())
  end
  return client
end

pause "before"
local clients = {
  try({}, 3),
  try({ base_url = "http://127.0.0.1:1" }, 1),
  try({ base_url = url .. "/nowhere" }, 1),
  try({ request_timeout = 0.001 }, 2),
  try({ on_request = function() error "stop" end }, 0),
}
pcall(clients[5].account, clients[5])
pause "open"
for _, client in ipairs(clients) do client:close() end
pause "closed"
clients = nil -- luacheck: ignore
pause "collected"
assert(#key > 0)
