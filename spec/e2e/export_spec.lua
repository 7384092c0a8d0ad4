-- Rows and logs as files, from the sandbox's second origin.

local box = require "spec.support.box"
local coreclaw = require "coreclaw"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read "*a"
  file:close()
  return bytes
end

describe("run:export", function()
  local server, client, run, path

  setup(function()
    server = box.start()
    client = box.client(server)
    run = assert(client:worker("demo/rows"):call { count = 300, size = 500 })
    path = os.tmpname()
  end)
  teardown(function()
    server:stop()
    os.remove(path)
  end)
  before_each(function()
    server:clear_faults()
    server:reset_requests()
    os.remove(path)
  end)

  it("writes every row, with progress, and leaves nothing beside", function()
    local last, total
    local file = assert(run:export(path, {
      format = "jsonl", on_progress = function(bytes, of) last, total = bytes, of end,
    }))
    assert.equal(path, file.path)
    local bytes = read(path)
    assert.equal(#bytes, file.bytes)
    assert.equal(#bytes, last)
    assert.equal(#bytes, total)
    local n = 0
    for line in bytes:gmatch "[^\n]+" do
      n = n + 1
      assert.equal(n, assert(coreclaw.json.decode(line)).index)
    end
    assert.equal(300, n)
    assert.is_nil(read(path .. ".part"))
  end)

  for _, format in ipairs { "csv", "json", "xml", "html", "rss" } do
    it("knows the format " .. format, function()
      assert(run:export(path, { format = format }))
      assert.is_true(#read(path) > 300 * 500)
    end)
  end

  it("takes the format from the path's ending, where nothing else is said", function()
    local named = path .. ".json"
    assert(run:export(named))
    assert.equal(300, #assert(coreclaw.json.decode(read(named))))
    os.remove(named)
  end)

  it("writes only the columns that are wanted", function()
    assert(run:export(path, { fields = { "title", "index" } }))
    local first = read(path):match "[^\r\n]+"
    assert.matches("itle", first)
    assert.is_nil(read(path):find("xxxxx", 1, true))
  end)

  it("sends the storage no credentials", function()
    assert(run:export(path))
    for _, request in ipairs(server:requests()) do
      if not request.path:find "^/api/" then
        assert.is_nil(request.headers.authorization)
        assert.is_nil(request.headers["api-key"])
      end
    end
  end)

  it("goes on after a break, and is byte-identical", function()
    assert(run:export(path, { format = "json" }))
    local whole = read(path)
    os.remove(path)
    server:fault { origin = "files", times = 2, truncate_after = 60000 }
    local file = assert(run:export(path, { format = "json" }))
    assert.is_true(file.attempts >= 2)
    assert.equal(whole, read(path))
  end)

  it("asks for a new link when the old one has expired", function()
    server:fault { origin = "files", times = 1, status = 403, body = "<Error>expired</Error>" }
    assert(run:export(path))
    local links = 0
    for _, request in ipairs(server:requests()) do
      if request.operation == "exportWorkerRunResults" then links = links + 1 end
    end
    assert.equal(2, links)
  end)

  it("leaves what was there alone when it fails", function()
    local file = io.open(path, "wb")
    file:write "precious"
    file:close()
    server:fault { operation = "exportWorkerRunResults", times = 9, status = 404, body = '{"code":70001,"message":"no"}' }
    local ok, err = run:export(path)
    assert.is_nil(ok)
    assert.equal("not_found", err.kind)
    assert.equal("precious", read(path))
    ok, err = run:export(path, { overwrite = false })
    assert.is_nil(ok)
    assert.is_string(err.kind)
    assert.equal("precious", read(path))
  end)

  it("gives the link alone", function()
    local link = assert(run:export_url { format = "json" })
    assert.matches("^http://127%.0%.0%.1:%d+/", link)
    assert.is_nil(link:find(server.key, 1, true))
  end)

  it("writes the full log", function()
    local file = assert(run:download_log(path))
    assert.is_true(file.bytes > 0)
    assert.matches("rows", read(path))
  end)

  it("refuses misuse", function()
    assert.matches("format must be one of csv", box.raised(function() run:export(path, { format = "pdf" }) end))
    assert.matches("did you mean fields", box.raised(function() run:export(path, { field = {} }) end))
    assert.matches("fields must not be empty", box.raised(function() run:export(path, { fields = {} }) end))
    assert.matches("holds a comma", box.raised(function() run:export(path, { fields = { "a,b" } }) end))
    assert.matches("path must be a string", box.raised(function() run:export(nil) end))
  end)
end)
