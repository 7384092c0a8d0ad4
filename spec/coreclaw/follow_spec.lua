-- Following a run, against a platform of a few lines that moves rows in every way it can.

local errors = require "coreclaw.errors"
local follow = require "coreclaw.follow"
local token = require "coreclaw.token"

-- The minimal standard generator: the same numbers on every Lua.
local function generator(seed)
  return function(n)
    seed = seed * 16807 % 2147483647
    return seed % n + 1
  end
end

-- A platform with one run. `step` is called at each pause; it changes `rows`, and `status` in the end.
local function platform(options)
  local self = {
    rows = options.rows or {}, status = options.status or "running", pauses = 0, reads = 0,
    view = options.view, count = options.count, fail = nil,
  }
  self.run = { slug = "R1", results_count = 0, status = self.status }
  self.watch = {
    run = self.run,
    budget = function() return 1 end,
    settled = function() return self.run.status ~= "running" end,
    stir = function() end,
    late = function() return false end,
    expired = function() return errors.new { kind = "wait_timeout", message = "up", run = self.run } end,
    read = function()
      self.run.status, self.run.results_count = self.status, #self.rows
      return true
    end,
    pause = function()
      self.pauses = self.pauses + 1
      if self.pauses > (options.patience or 1000) then return false end
      if options.step then options.step(self) end
      return true
    end,
  }
  function self.fetch(_, page, limit)
    self.reads = self.reads + 1
    if self.fail then
      local err = self.fail
      self.fail = nil
      return nil, err
    end
    local rows, list = self.view and self.view(self, page) or self.rows, {}
    for i = (page - 1) * limit + 1, math.min(page * limit, #rows) do
      local row = rows[i]
      list[#list + 1] = { value = row.value, __coreclaw_data_id__ = row.id }
    end
    return { count = self.count or #rows, list = list, headers = {} }, list
  end
  return self
end

local SOURCE = {
  client = { operations = { x = { list_key = "list" } }, settings = { max_pages = 1000000 } }, operation = "x",
}

local function reader(p, options)
  options = options or {}
  return follow.new({
    client = SOURCE.client, operation = "x", options = {}, token = token.writer "R1",
  }, p.watch, {
    page = 1, limit = options.limit or 5, skip_internal = true, fetch = p.fetch,
    from = options.from and token.read("spec", options.from, "R1"), memory = options.memory,
  })
end

-- Reads to the end: the values in their order, and the token behind each.
local function read(p, options)
  local follower, values, tokens = reader(p, options), {}, {}
  for page, mark in function() return follower:next() end do
    for i, row in ipairs(page.list) do
      assert(row.__coreclaw_data_id__ == nil)
      values[#values + 1], tokens[#tokens + 1] = row.value, mark(i)
    end
  end
  return values, tokens
end

local function upto(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local function sorted(values)
  local list = {}
  for i, v in ipairs(values) do list[i] = v end
  table.sort(list)
  return list
end

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "it did not fail")
  return err
end

-- A step that brings some rows each time, `total` in all, and then ends the run.
local function growing(total, per_step, with_ids, place_of)
  local made = 0
  return function(p)
    for _ = 1, per_step do
      if made < total then
        made = made + 1
        local row = { value = made, id = with_ids and "id" .. made or nil }
        table.insert(p.rows, place_of and place_of(p, made) or #p.rows + 1, row)
      end
    end
    if made >= total then p.status = "succeeded" end
  end
end

describe("following", function()
  for _, with_ids in ipairs { true, false } do
    local name = with_ids and " (rows with ids)" or " (rows without ids)"

    it("yields every row once, in order, whatever the sizes" .. name, function()
      for _, total in ipairs { 0, 1, 4, 5, 6, 10, 23, 50 } do
        for _, per_step in ipairs { 1, 3, 5, 17 } do
          local p = platform { step = growing(total, per_step, with_ids) }
          assert.same(upto(total), (read(p)))
        end
      end
    end)

    it("reads a run that has ended like any other, without asking for its state" .. name, function()
      local p = platform { status = "succeeded" }
      growing(12, 12, with_ids)(p)
      p.run.results_count = 12
      assert.same(upto(12), (read(p)))
      assert.equal(3, p.reads)
      assert.equal(0, p.pauses)
    end)

    it("goes on from any token" .. name, function()
      local p = platform { step = growing(23, 3, with_ids) }
      local values, tokens = read(p)
      for n = 1, #values do
        for _, limit in ipairs { 1, 5, 7, 100 } do
          local rest = read(p, { from = tokens[n], limit = limit })
          assert.equal(23 - n, #rest)
          assert.equal(rest[1], values[n + 1])
        end
      end
    end)
  end

  it("reads once more after the end: the last rows may come with it", function()
    local p = platform { step = function(p)
      p.status = "failed"
      for i = 1, 7 do p.rows[i] = { value = i, id = i } end
    end }
    assert.same(upto(7), (read(p)))
    assert.equal("failed", p.run.status)
  end)

  it("waits for rows that the ended run has counted and the pages do not show yet", function()
    local p
    p = platform {
      status = "succeeded",
      view = function(self) return self.pauses < 2 and { self.rows[1] } or self.rows end,
    }
    for i = 1, 4 do p.rows[i] = { value = i, id = i } end
    p.run.results_count = 4
    assert.same(upto(4), (read(p)))
  end)

  it("ends although the platform counts rows that never come", function()
    local p = platform { status = "succeeded", count = 99 }
    growing(12, 12, true)(p)
    assert.same(upto(12), (read(p)))
    assert.is_true(p.pauses <= 3)
  end)

  it("finds rows that come late, between others", function()
    for seed = 1, 40 do
      local random = generator(seed)
      local p = platform { step = growing(60, 4, true, function(p)
        return math.max(1, #p.rows + 2 - random(9))
      end) }
      assert.same(upto(60), sorted(read(p)))
    end
  end)

  it("goes back to find them while the run lives, and makes good tokens again", function()
    local p = platform { step = function(p)
      if p.pauses == 1 then
        table.insert(p.rows, 7, { value = "late", id = "late" })
      elseif p.pauses == 6 then
        p.status = "succeeded"
      else
        p.rows[#p.rows + 1] = { value = p.pauses, id = "more" .. p.pauses }
      end
    end }
    for i = 1, 17 do p.rows[i] = { value = i, id = "id" .. i } end
    local follower, found, last = reader(p), nil, nil
    for page, mark in function() return follower:next() end do
      for i, row in ipairs(page.list) do
        if row.value == "late" then found = p.pauses end
        last = mark(i)
      end
    end
    assert.is_true(found <= 2)
    assert.equal(token.writer "R1"(#p.rows, "more5"), last)
  end)

  it("finds all rows of a run that shows the newest first", function()
    local p = platform { step = growing(60, 4, true, function() return 1 end) }
    assert.same(upto(60), sorted(read(p)))
  end)

  it("is not misled by pages that are moved for a while", function()
    for seed = 1, 40 do
      local random = generator(seed)
      local p = platform {
        step = growing(60, 4, true),
        -- A page begins some rows too early, as long as the run lives.
        view = function(self, page)
          if self.status ~= "running" or page == 1 or random(3) ~= 1 then return self.rows end
          local moved, by = {}, random(5)
          for i = 1, #self.rows do moved[i] = self.rows[i] end
          for _ = 1, by do table.insert(moved, 1, moved[1]) end
          for i = 1, (page - 1) * 5 do moved[i] = self.rows[math.max(1, i - by)] end
          return moved
        end,
      }
      assert.same(upto(60), sorted(read(p)))
    end
  end)

  it("loses no row when it goes on from a token, though rows had moved", function()
    for seed = 1, 10 do
      local random = generator(seed)
      local p = platform { step = growing(40, 4, true, function(p)
        return math.max(1, #p.rows + 2 - random(6))
      end) }
      local values, tokens = read(p)
      for n = 1, #values do
        local seen = {}
        for i = 1, n do seen[values[i]] = true end
        local ok, rest = pcall(read, p, { from = tokens[n] })
        if ok then
          for _, v in ipairs(rest) do seen[v] = true end
          local all = 0
          for _ in pairs(seen) do all = all + 1 end
          assert.equal(40, all)
        else
          assert.equal("page_drift", rest.kind)
        end
      end
    end
  end)

  it("remembers a bounded number of ids", function()
    local p = platform { step = growing(400, 20, true) }
    local follower = reader(p, { memory = 50 })
    local values = {}
    for page in function() return follower:next() end do
      for _, row in ipairs(page.list) do values[#values + 1] = row.value end
    end
    assert.same(upto(400), values)
    local kept = 0
    for _, set in ipairs { follower.young, follower.old } do
      for _ in pairs(set) do kept = kept + 1 end
    end
    assert.is_true(kept >= 50 and kept <= 100)
  end)

  it("says so when rows are missing where it can no longer look", function()
    local p = platform { status = "succeeded", count = 500 }
    growing(430, 430, true)(p)
    local follower, n = reader(p, { memory = 60 }), 0
    local err = raised(function()
      for page in function() return follower:next() end do n = n + #page.list end
    end)
    assert.equal(430, n)
    assert.equal("page_drift", err.kind)
    assert.matches("430 rows came of 500", err.message)
    assert.is_nil((follower:next()))
  end)

  it("notices a server that serves one page for all", function()
    for _, with_ids in ipairs { true, false } do
      local p
      p = platform { status = "succeeded", view = function(self, page)
        local rows = {}
        for i = 1, 5 do rows[(page - 1) * 5 + i] = self.rows[i] end
        for i = 1, (page - 1) * 5 do rows[i] = self.rows[1] end
        return rows
      end, count = 5 }
      growing(5, 5, with_ids)(p)
      local err = raised(read, p)
      assert.equal("page_drift", err.kind)
    end
  end)

  it("waits out what may pass, and raises what will not, with a token", function()
    local p = platform { step = growing(12, 3, true) }
    local follower, n, last = reader(p), 0, nil
    while true do
      if n == 3 then
        p.fail = errors.new { kind = "server_error", message = "busy", retryable = true }
      elseif n == 6 then
        p.fail = errors.new { kind = "forbidden", message = "no" }
        local err = raised(follower.next, follower)
        assert.equal("forbidden", err.kind)
        assert.equal(last, err.token)
        assert.equal(p.run, err.run)
      end
      local page, mark = follower:next()
      if not page then break end
      n, last = n + #page.list, mark(#page.list)
    end
    assert.equal(12, n)
  end)

  it("lets a live run count its pages strangely for a while, not for ever", function()
    local p = platform { step = growing(12, 3, true) }
    local follower, n = reader(p), 0
    p.fail = errors.new { kind = "page_drift", message = "odd" }
    for page in function() return follower:next() end do
      n = n + #page.list
      if n == 6 then p.fail = errors.new { kind = "page_drift", message = "odd" } end
    end
    assert.equal(12, n)
    p = platform { step = function() end }
    p.fetch = function() return nil, errors.new { kind = "page_drift", message = "odd" } end
    assert.equal("page_drift", raised(read, p).kind)
    assert.equal(3, p.pauses)
  end)

  it("gives up on an ended run whose rows cannot be read", function()
    local p = platform { status = "succeeded" }
    local reads = 0
    p.fetch = function()
      reads = reads + 1
      return nil, errors.new { kind = "server_error", message = "busy", retryable = true }
    end
    assert.equal("server_error", raised(read, p).kind)
    assert.equal(10, reads)
  end)

  it("raises when the time is up", function()
    local p = platform { patience = 3 }
    p.rows[1] = { value = 1, id = "a" }
    local follower = reader(p)
    local page, mark = follower:next()
    assert.equal(1, page.list[1].value)
    local err = raised(follower.next, follower)
    assert.equal("wait_timeout", err.kind)
    assert.equal(mark(1), err.token)
  end)

  it("refuses a token whose row is elsewhere, after it has looked again", function()
    local p = platform { status = "succeeded" }
    growing(12, 12, true)(p)
    local err = raised(read, p, { from = token.writer "R1"(3, "id4") })
    assert.equal("page_drift", err.kind)
    assert.equal(0, p.pauses)
    local live = platform { step = function() end }
    growing(12, 6, true)(live)
    assert.equal("page_drift", raised(read, live, { from = token.writer "R1"(3, "id4") }).kind)
    assert.equal(3, live.pauses)
  end)

  -- Page 1 comes in place of page 2, once.
  local function glitch()
    local p = platform { status = "succeeded" }
    growing(12, 12, false)(p)
    local fetch, odd = p.fetch, true
    function p.fetch(source, page, limit)
      if page == 2 and odd then page, odd = 1, false end
      return fetch(source, page, limit)
    end
    return p
  end

  it("skips no row after a page that came again, resumed or called again", function()
    for _, again in ipairs { true, false } do
      local p = glitch()
      local follower = reader(p)
      local _, mark = follower:next()
      local err = raised(follower.next, follower)
      assert.same({ "page_drift", mark(5) }, { err.kind, err.token })
      if not again then follower = reader(p, { from = err.token }) end
      local values = {}
      for page in function() return follower:next() end do
        for _, row in ipairs(page.list) do values[#values + 1] = row.value end
      end
      assert.same({ 6, 7, 8, 9, 10, 11, 12 }, values)
    end
  end)

  it("hands out what it has found before it says that rows are missing", function()
    local p = platform { status = "succeeded", step = function(p)
      if p.pauses == 3 then p.rows[431] = { value = 431, id = "id431" } end
    end }
    growing(430, 430, true)(p)
    local fetch = p.fetch
    function p.fetch(source, page, limit)
      local data, list = fetch(source, page, limit)
      data.count = page == 86 and 500 or nil
      return data, list
    end
    local follower, n, last = reader(p, { memory = 60 }), 0, nil
    local err = raised(function()
      for page, mark in function() return follower:next() end do
        n = n + #page.list
        last = mark(#page.list)
      end
    end)
    assert.same({ 431, "page_drift", last }, { n, err.kind, err.token })
    assert.is_nil((follower:next()))
  end)

  it("raises when the time is up though the run has ended, and loses nothing", function()
    local p = platform { status = "succeeded" }
    growing(12, 12, true)(p)
    p.watch.late = function() return p.reads >= 2 end
    local follower, n = reader(p), 0
    local err = raised(function()
      for page in function() return follower:next() end do n = n + #page.list end
    end)
    assert.same({ 10, "wait_timeout" }, { n, err.kind })
    p.watch.late = function() return false end
    assert.same({ 11, 12 }, (read(p, { from = err.token })))
  end)

  it("has read all of an ended run when the last page came in time", function()
    local p = platform { status = "succeeded" }
    growing(12, 12, true)(p)
    p.watch.late = function() return p.reads >= 3 end
    assert.same(upto(12), (read(p)))
  end)

  it("goes on from the beginning of a run without rows", function()
    local p = platform { step = growing(3, 1, true) }
    assert.same(upto(3), (read(p, { from = token.writer "R1"(0) })))
  end)
end)
