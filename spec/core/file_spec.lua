-- The file that an answer's body goes into: what is written, what is not, and who may.
local core = require("coreclaw.core")
local scripted = require("spec.support.scripted")

local fetch, finish = scripted.fetch, scripted.finish

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read("*a")
  pipe:close()
  return (out:gsub("%s+$", ""))
end

-- A program on the Lua of this spec, with what is loaded in front of it.
local function lua(arguments, before)
  local interpreter = package.cpath:match("(lua[%w.]+)/%?%.so")
  return shell(("%s LD_PRELOAD='%s' %s %s"):format(before or "", os.getenv("LD_PRELOAD") or "", interpreter, arguments))
end

local function write(path, text)
  local out = assert(io.open(path, "wb"))
  out:write(text)
  out:close()
end

describe("a file", function()
  local server, engine, url, folder, path, file, count

  setup(function()
    server = scripted.start()
    url, count = server.url, 0
    folder = shell("mktemp -d")
  end)

  teardown(function()
    server.stop()
    shell("rm -rf '" .. folder .. "'")
  end)

  before_each(function()
    engine = core.engine({})
    count = count + 1
    path = folder .. "/" .. count
    file = assert(core.file(path))
  end)

  after_each(function()
    file:close()
    engine:close()
  end)

  local read = scripted.read

  local function blob(size, query) return ("%s/blob/c%d/%d?%s"):format(url, count, size, query or "") end

  local function get(address, options)
    options = options or {}
    options.url, options.file = address, file
    return fetch(engine, options)
  end

  local function from(offset, options)
    options = options or {}
    options.offset, options.headers = offset, { ("Range: bytes=%d-"):format(offset) }
    return options
  end

  describe("of an engine", function()
    it("gets the body of a 200; the answer has none, but tells how much it was", function()
      local id = engine:submit({ url = blob(100000), file = file })
      while engine:wait(1) > 0 do end
      local ended, status, body, headers, retry_after, written = engine:next()
      assert.same({ id, 200, "" }, { ended, status, body })
      assert.truthy(headers:find("\r\nETag: \"v1\"\r\n", 1, true))
      assert.is_nil(retry_after)
      assert.equal(100000, written)
      assert.equal("100000", tostring(written))
      assert.equal(scripted.content(1, 100000), read(path))
    end)

    it("is shortened to an answer that is shorter, also to none", function()
      write(path, ("old"):rep(1000))
      get(blob(10))
      assert.equal(scripted.content(1, 10), read(path))
      get(blob(0))
      assert.equal("", read(path))
      assert.equal(0, file:size())
    end)

    it("asks for bytes as they are, and changes nothing of them", function()
      get(url .. "/gzip/1000")
      assert.equal("\31\139", read(path):sub(1, 2))
      get(url .. "/echo")
      assert.truthy(read(path):find("\r\nAccept-Encoding: identity\r\n", 1, true))
    end)

    it("is gone on with where a 206 begins, and loses what stood behind", function()
      write(path, scripted.content(1, 4000) .. ("behind"):rep(1000))
      local result = get(blob(9000), from(4000))
      assert.equal(206, result.status)
      assert.equal(scripted.content(1, 9000), read(path))
    end)

    it("keeps what it has when all of it comes instead of the rest", function()
      write(path, "kept")
      local result = get(blob(9000, "range=no"), from(4))
      assert.equal(200, result.status)
      assert.equal("", result.body)
      assert.equal("kept", read(path))
    end)

    for name, query in pairs({
      ["another range"] = "first=-1", ["a range further on"] = "first=5", ["a 206 that does not say"] = "first=0",
      ["a total that is too small"] = "total=5", ["a total that is none"] = "total=x",
    }) do
      it("keeps what it has when it gets " .. name, function()
        write(path, "kept")
        local failure = get(blob(9000, query), from(4)).failure
        assert.equal("bad_response", failure.kind)
        assert.equal("RANGE_ERROR", failure.name)
        assert.truthy(failure.message:find("another part, or of another file", 1, true), failure.message)
        assert.equal("kept", read(path))
      end)
    end

    it("keeps what it has when If-Range was not heeded and it is another file", function()
      local function ask(query, validator)
        write(path, scripted.content(1, 400))
        return get(blob(900, query), { offset = 400, headers = { "Range: bytes=400-", "If-Range: " .. validator } })
      end
      assert.equal("RANGE_ERROR", ask("ifrange=no", '"v2"').failure.name)
      assert.equal("RANGE_ERROR", ask("ifrange=no", '"v"').failure.name)
      assert.equal("RANGE_ERROR", ask("ifrange=no&etag=none", '"v1"').failure.name)
      assert.equal(scripted.content(1, 400), read(path))
      assert.equal(206, ask("ifrange=no", '"v1"').status)
      assert.equal(scripted.content(1, 900), read(path))
      assert.equal(206, ask("etag=none&date=old", "Tue, 01 Sep 2026 10:00:00 GMT").status)
    end)

    it("keeps what it has when the answer is an error, which is read as always", function()
      write(path, "kept")
      local result = get(blob(9000, "status=403"))
      assert.equal(403, result.status)
      assert.truthy(result.body:find("<Code>Refused</Code>", 1, true))
      assert.equal("kept", read(path))
    end)

    it("cuts an error's text at 64 KiB, also one without an end", function()
      assert.equal(1000, #get(url .. "/error-body/1000").body)
      assert.equal(65536, #get(url .. "/error-body/1000000").body)
      local result = get(url .. "/endless-error", { timeout = 5 })
      assert.equal(500, result.status)
      assert.equal(65536, #result.body)
      assert.equal(0, file:size())
    end)

    it("keeps what came before a break; the failure tells of it", function()
      engine:submit({ url = blob(9000, "cut=3000"), file = file })
      while engine:wait(1) > 0 do end
      local _, status, failure, headers, _, written = engine:next()
      assert.is_nil(status)
      assert.equal("PARTIAL_FILE", failure.name)
      assert.truthy(headers:find("Content-Length: 9000", 1, true))
      assert.equal(3000, written)
      assert.equal(scripted.content(1, 3000), read(path))
    end)

    it("has a ceiling only where one is set", function()
      local failure = get(blob(9000), { max_body = 8999 }).failure
      assert.equal("too_large", failure.kind)
      assert.truthy(failure.message:find("max_body (8999 bytes)", 1, true))
      assert.equal(0, file:size())
      assert.equal("too_large", get(blob(9000, "length=chunked"), { max_body = 8999 }).failure.kind)
      assert.equal(9000, get(blob(9000), { max_body = 9000 }) and file:size())
      failure = get(blob(9000), from(4000, { max_body = 8000 })).failure
      assert.equal("too_large", failure.kind) -- it counts the whole file
    end)

    it("follows redirects as asked, and drops their bodies", function()
      local result = get(url .. "/redirect/blob/to/500", { follow = true })
      assert.equal(200, result.status)
      assert.equal(scripted.content(1, 500), read(path))
      assert.equal(302, get(url .. "/redirect/ok").status)
      assert.equal(500, file:size())
    end)

    it("loses its credentials on the way, but not its range", function()
      write(path, scripted.content(1, 100))
      local options = from(100, { follow = true })
      options.headers = { "Range: bytes=100-", "If-Range: \"v1\"", "Authorization: Bearer x" }
      get(url .. "/redirect/blob/moved/500", options)
      assert.equal(scripted.content(1, 500), read(path))
      local seen = fetch(engine, { url = url .. "/seen/moved" }).body
      assert.truthy(seen:find("Range: bytes=100-", 1, true))
      assert.truthy(seen:find("Accept-Encoding: identity", 1, true))
      assert.is_nil(seen:find("Authorization", 1, true))
    end)

    it("tells how far it is", function()
      local id = engine:submit({ url = blob(1000, "slow=100"), file = file })
      local seen = {}
      while engine:inflight() > 0 do
        local bytes, total, headers = engine:progress(id)
        seen[#seen + 1] = bytes
        if bytes > 0 then
          assert.equal(1000, total)
          assert.truthy(headers:find("^HTTP/1.1 200 OK\r\n.*\r\n\r\n$"))
        end
        engine:wait(0.03)
      end
      assert.truthy(#seen > 5)
      for i = 2, #seen do assert.truthy(seen[i] >= seen[i - 1]) end
      assert.equal(1000, (engine:progress(id)))
      engine:next()
      assert.equal(0, select("#", engine:progress(id)))
      assert.equal(0, select("#", engine:progress(0)))
    end)

    it("tells how far it is in memory, and of a file that was begun", function()
      local id = engine:submit({ url = url .. "/stall" })
      local seen
      for _ = 1, 100 do -- a thread tells what it saw when it was last asked
        engine:wait(0.05)
        seen = { engine:progress(id) }
        if seen[1] == 10 then break end
      end
      assert.same({ 10, 1000 }, seen)
      engine:cancel(id)
      write(path, "kept")
      id = engine:submit({ url = url .. "/silent", file = file, offset = 4 })
      assert.same({ 4 }, { engine:progress(id) })
    end)

    it("goes with GET only, and an offset with a file, which must not lie behind its end", function()
      local function refused(options, words)
        options.url = url .. "/ok"
        local ok, err = pcall(engine.submit, engine, options)
        assert.is_false(ok)
        assert.truthy(err:find(words, 1, true), err)
      end
      refused({ file = file, method = "POST" }, 'field "file" goes with GET only')
      refused({ file = file, body = "" }, 'field "file" goes with GET only')
      refused({ offset = 1 }, 'field "offset" goes with "file" only')
      refused({ file = file, offset = 1 }, 'field "offset" must not lie behind the end of the file')
      file:close()
      refused({ file = file }, 'field "file" must be an open coreclaw.file')
    end)

    it("may be closed meanwhile, and stays locked until the transfer has ended", function()
      engine:submit({ url = blob(1000, "slow=30"), file = file })
      engine:wait(0.1)
      file:close()
      assert.is_nil(core.file(path))
      finish(engine)
      assert.equal(scripted.content(1, 1000), read(path))
      file = assert(core.file(path))
      local id = engine:submit({ url = url .. "/stall", file = file })
      engine:wait(0.1)
      file:close()
      engine:cancel(id)
      engine:wait(5) -- the failure is not taken
      file = assert(core.file(path))
    end)

    it("gives its descriptor back however it ends", function()
      local function descriptors() return tonumber(shell(("sleep 0.1; ls /proc/%d/fd | wc -l"):format(core.pid()))) end
      engine:close()
      local before = descriptors()
      for i = 1, 20 do
        engine = core.engine({})
        engine:submit({ url = blob(1000), file = file })
        engine:submit({ url = url .. "/silent", file = file })
        engine:submit({ url = url .. "/close", file = file, timeout = 0.01 })
        engine:submit({ url = url .. "/redirect/ok", file = file, follow = true })
        pcall(engine.submit, engine, { url = url, file = file, headers = { "bad" } })
        engine:wait(0.02)
        if i % 2 == 0 then engine:next() end
        engine:close()
      end
      assert.equal(before, descriptors())
    end)
  end)

  describe("that cannot be written", function()
    it("a full disk ends the transfer with kind file", function()
      file:close()
      file = assert(core.file("/dev/full"))
      assert(core.file("/dev/full")):close() -- nobody's device: somebody else may have it open, too
      local failure = get(blob(9000)).failure
      assert.equal("file", failure.kind)
      assert.equal("WRITE_ERROR", failure.name)
      assert.equal("cannot write the file: No space left on device (after 0 bytes)", failure.message)
      assert.is_false(failure.retryable)
      assert.equal(200, failure.status)
    end)

    it("so does a limit, whose first bytes stay", function()
      local program = folder .. "/program.lua"
      write(program, ([[
        local core = require "coreclaw.core"
        local engine, file = core.engine({}), assert(core.file("%s/limited"))
        engine:submit { url = "%s", file = file }
        while engine:wait(1) > 0 do end
        local _, _, failure = engine:next()
        print(failure.kind, failure.message)]]):format(folder, blob(100000)))
      local said = lua(program, "trap '' XFSZ; ulimit -f 8;")
      assert.truthy(said:find("^file\tcannot write the file: File too large %(after %d+ bytes%)$"), said)
      local size = #read(folder .. "/limited")
      assert.truthy(size > 0 and size < 100000)
      assert.equal(scripted.content(1, size), read(folder .. "/limited"))
    end)

    it("is refused on opening, in words", function()
      local function refused(name, words)
        local handle, why, number = core.file(name)
        assert.is_nil(handle)
        assert.equal(words, why)
        assert.equal("number", type(number))
      end
      refused(folder .. "/none/x", "No such file or directory")
      refused(folder, "Is a directory")
      shell(("mkfifo %s/pipe; ln -s %s %s/link"):format(folder, path, folder))
      refused(folder .. "/pipe", "it is no regular file")
      refused(folder .. "/link", "it is a symbolic link")
      assert.has_error(function() core.file("") end)
      assert.has_error(function() core.file("a\0b") end)
      assert.has_error(function() core.file() end)
    end)
  end)

  it("belongs to one at a time, here and in other processes", function()
    local handle, why, _, busy = core.file(path)
    assert.same({ nil, "somebody else is writing to it", true }, { handle, why, busy })
    local ask = ([[-e 'print((select(2, require "coreclaw.core".file("%s"))))']]):format(path)
    assert.equal("somebody else is writing to it", lua(ask))
    file:close()
    assert.equal("nil", lua(ask))
    file = assert(core.file(path))
  end)

  it("that was forgotten is free again", function()
    assert(core.file(folder .. "/forgotten"))
    collectgarbage()
    collectgarbage()
    assert(core.file(folder .. "/forgotten")):close()
  end)

  it("is created with what the umask leaves", function()
    assert.equal(shell("touch " .. path .. ".x; stat -c %a " .. path .. ".x"), shell("stat -c %a " .. path))
  end)

  it("is closed for good, and says so", function()
    assert.equal("coreclaw.file (open)", tostring(file))
    file:close()
    file:close()
    assert.equal("coreclaw.file (closed)", tostring(file))
    for _, method in ipairs({ "size", "truncate", "publish" }) do
      local ok, err = pcall(file[method], file, "1", "2")
      assert.is_false(ok)
      assert.equal("coreclaw.file is closed", err)
      assert.has_error(function() file[method](io.stdout) end)
    end
  end)

  it("can be shortened", function()
    write(path, "12345")
    assert.is_true(file:truncate(2))
    assert.equal("12", read(path))
    assert.equal(2, file:size())
    assert.has_error(function() file:truncate(-1) end)
  end)

  describe("is published", function()
    local to

    before_each(function()
      to = path .. ".final"
      write(path, "new")
    end)

    it("under a free name, and replaces what has it only where told to", function()
      assert.is_true(file:publish(path, to, false, true))
      assert.equal("new", read(to))
      assert.is_nil(io.open(path))
      file:close()
      file = assert(core.file(path))
      write(path, "newer")
      local ok, why = file:publish(path, to, false, true)
      assert.same({ nil, "File exists" }, { ok, why })
      assert.same({ "new", "newer" }, { read(to), read(path) })
      assert.is_true(file:publish(path, to, true, false))
      assert.equal("newer", read(to))
    end)

    it("with the permissions of what it replaces", function()
      write(to, "old")
      shell("chmod 640 " .. to)
      assert.is_true(file:publish(path, to, true, true))
      assert.equal("640", shell("stat -c %a " .. to))
    end)

    it("not over a folder, and not into none", function()
      shell("mkdir " .. to)
      assert.is_nil(file:publish(path, to, true))
      assert.is_nil(file:publish(path, to, false))
      assert.is_nil(file:publish(path, folder .. "/none/x", true))
      assert.is_nil(file:publish(path, folder .. "/none/x", false))
      assert.equal("new", read(path))
    end)

    it("not when its name belongs to another file by now", function()
      os.remove(path)
      write(path, "somebody else's")
      local ok, why = file:publish(path, to, true)
      assert.same({ nil, "it was replaced by another file meanwhile" }, { ok, why })
      assert.is_nil(io.open(to))
      os.remove(path)
      assert.is_nil(file:publish(path, to, true))
    end)

    it("and not written to again, though a crash left it both names", function()
      file:close()
      shell(("ln %s %s"):format(path, to))
      file = assert(core.file(path))
      assert.equal(0, file:size())
      get(blob(100))
      assert.equal("new", read(to))
    end)
  end)

  it("is told from what else has a name", function()
    assert.equal("file", core.file_type(path))
    assert.equal("folder", core.file_type(folder))
    assert.equal("other", core.file_type("/dev/null"))
    assert.is_nil(core.file_type(path .. "/none"))
  end)

  it("of 300 MB costs no memory", function()
    local function resident()
      return tonumber(read("/proc/self/status"):match("VmHWM:%s*(%d+) kB"))
    end
    get(url .. "/big/1")
    local before = resident()
    assert.equal(200, get(url .. "/big/300").status)
    assert.equal(300 * 2 ^ 20, file:size())
    assert.truthy(resident() - before < 2048, resident() - before)
  end)
end)
