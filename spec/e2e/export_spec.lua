-- Exports and whole logs of runs, as files, from the sandbox.

local box = require "spec.support.box"
local core = require "coreclaw.core"
local scripted = require "spec.support.scripted"

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read "*a"
  pipe:close()
  return (out:gsub("%s+$", ""))
end

for _, api in ipairs { "v2", "v1" } do
  describe("files of a run, API " .. api .. ",", function()
    local server, client, run, folder, path

    setup(function()
      server = box.start { ready_for = 0.01 }
      client = box.client(server, { api = api })
      run = assert(client:worker("demo/rows"):start { count = 200 })
      assert(run:wait())
      folder = shell "mktemp -d"
    end)

    teardown(function()
      server:stop()
      shell("rm -rf '" .. folder .. "'")
    end)

    before_each(function()
      path = os.tmpname()
      os.remove(path)
      path = folder .. path:match "/[^/]*$"
    end)

    after_each(function() server:clear_faults() end)

    local function lines(name)
      local list = {}
      for line in io.lines(name) do list[#list + 1] = line end
      return list
    end

    it("are exported, in csv or as the path ends", function()
      local told
      local file, err = run:export(path, { on_progress = function(bytes) told = bytes end })
      assert.is_nil(err)
      assert.same({ path = path, bytes = #scripted.read(path), attempts = 1 }, file)
      assert.equal(file.bytes, told)
      assert.equal(201, #lines(path))
      local name = path .. (api == "v1" and ".JSON" or ".JSONL")
      assert(run:export(name))
      assert.equal(api == "v1" and "[" or "{", scripted.read(name):sub(1, 1))
      assert.is_nil(core.file_type(path .. ".part"))
    end)

    it("hold only the fields asked for", function()
      assert(run:export(path, { fields = { "title", "index" }, format = "CSV" }))
      assert.equal("title,index\r", lines(path)[1])
    end)

    it("have links, without a credential of ours", function()
      local url, err, behind = run:export_url { format = "json" }
      assert.is_nil(err)
      assert.equal(1, url:find(server.files_url, 1, true))
      assert.is_nil(url:find(server.key, 1, true))
      assert.equal(200, behind.status)
      assert.matches("%.csv%?", (run:export_url()))
    end)

    it("go on after a break", function()
      server:fault { origin = "files", truncate_after = 100 }
      local file = assert(run:export(path))
      assert.is_true(file.attempts >= 2)
      assert.equal(201, #lines(path))
    end)

    it("survive an expired link, a busy storage and a file that changes", function()
      for _, fault in ipairs { { expired = true }, { status = 503 }, { changed = true } } do
        fault.origin = "files"
        server:fault(fault)
        os.remove(path)
        assert(run:export(path))
        local text = scripted.read(path)
        assert.equal(fault.changed and "changed: " or "", text:match "^changed: " or "")
        assert.equal(201, #lines(path))
      end
    end)

    it("are not there when they cannot be had", function()
      local missing = client:run "none00000000"
      local file, err = missing:export(path)
      assert.same({ nil, "not_found", "exportWorkerRunResults" }, { file, err.kind, err.operation })
      assert.equal(missing, err.run)
      file, err = missing:download_log(path)
      assert.same({ nil, "not_found", "getWorkerRunLog" }, { file, err.kind, err.operation })
      assert.is_nil(core.file_type(path))
      assert.is_nil(core.file_type(path .. ".part"))
    end)

    it("are never the excuse of a front end", function()
      server:fault {
        origin = "files", times = 1, status = 200, body = "<html>busy</html>", content_type = "text/html",
      }
      assert(run:export(path, { format = "csv" }))
      assert.is_nil(lines(path)[1]:find("busy", 1, true))
      server:clear_faults()
    end)

    it("include the whole log", function()
      assert(run:download_log(path))
      assert.is_true(#lines(path) > 0)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT[%d:]+Z %u+ ", lines(path)[1])
    end)

    it("are refused where the options make no sense", function()
      local function refused(words, ...)
        local message = tostring(box.raised(...))
        assert.is_truthy(message:find(words, 1, true), message)
      end
      refused("run:export: path must be", run.export, run)
      refused("run:export: format must be one of csv, json", run.export, run, path, { format = "parquet" })
      refused("run:export: fields[2] must be", run.export, run, path, { fields = { "a", 1 } })
      refused("run:export: fields[1] must not hold a comma", run.export, run, path, { fields = { "a,b" } })
      refused("run:export: fields must not be empty", run.export, run, path, { fields = {} })
      refused("unknown option on_progres (did you mean on_progress?)", run.export, run, path, { on_progres = print })
      refused("run:export_url: unknown option overwrite", run.export_url, run, { overwrite = true })
      refused("run:download_log: unknown option format", run.download_log, run, path, { format = "csv" })
      if api == "v1" then
        refused("must be csv or json with API v1", run.export, run, path .. ".xlsx")
      end
      assert.is_nil(core.file_type(path .. ".part"))
    end)
  end)
end
