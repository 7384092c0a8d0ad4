-- How many pages are on their way: as many as may be where the caller would have to wait, a few where not.
local box = require "spec.support.box"
local coreclaw = require "coreclaw"

describe("reading ahead", function()
  local server, client, run, sent

  setup(function()
    server = box.start()
    client = box.client(server, { on_request = function(event)
      if event.operation == "listWorkerRunResults" then sent = sent + 1 end
    end })
    run = assert(client:worker("demo/rows"):call { count = 400 })
  end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear_faults()
    sent = 0
  end)

  it("has as many on their way as it may, where pages are slow", function()
    server:fault { operation = "listWorkerRunResults", delay = 0.1, times = 99 }
    local next_page = run:pages { ahead = 12, limit = 10 }
    next_page()
    next_page()
    assert.is_true(sent >= 1 + 12, sent .. " were sent")
    assert.is_true(sent <= 2 + 2 * 12, sent .. " were sent")
  end)

  it("has a few on their way, and a few waiting, where the caller is slow", function()
    local next_page = client:run(run.slug):pages { ahead = 12, limit = 10 }
    for _ = 1, 3 do
      next_page()
      coreclaw.sleep(0.4)
    end
    assert.is_true(sent > 3 and sent <= 3 + 2, sent .. " were sent")
  end)

  it("has many again when the pages become slow, and a few when they are quick again", function()
    local next_page = client:run(run.slug):pages { ahead = 4, limit = 5 }
    next_page()
    coreclaw.sleep(0.2)
    server:fault { operation = "listWorkerRunResults", delay = 0.1, times = 12 }
    for _ = 1, 14 do next_page() end
    server:clear_faults()
    local read = 15
    repeat
      next_page()
      read = read + 1
      coreclaw.sleep(0.05)
    until sent - read <= 2 or read == 75
    assert.is_true(sent - read <= 2, sent .. " were sent for " .. read .. " pages")
  end)

  it("keeps many on their way while it takes many for the loop not to wait", function()
    server:fault { operation = "listWorkerRunResults", delay = 0.1, times = 99 }
    local next_page, least = run:pages { ahead = 8, limit = 5 }, 99
    for i = 1, 55 do
      next_page()
      coreclaw.sleep(0.02)
      if i > 10 then least = math.min(least, sent - i) end
    end
    assert.is_true(least >= 8, least .. " were sent ahead")
  end)

  it("has further pages on their way with the first one, where the run has ended and tells how many rows it has", function()
    server:fault { operation = "listWorkerRunResults", delay = 0.1, times = 99 }
    local order = {}
    local watching = box.client(server, {
      on_request = function() order[#order + 1] = "sent" end, on_response = function() order[#order + 1] = "read" end,
    })
    local ended = assert(watching:run(run.slug):reload())
    order = {}
    local rows = 0
    for page in ended:pages { ahead = 3, limit = 100 } do rows = rows + #page.list end
    assert.equal(400, rows)
    -- A fourth is sent for before the first is read; the fifth, which is empty, is the end.
    assert.equal("sent sent sent sent read", table.concat(order, " ", 1, 5))
    assert.equal(10, #order, table.concat(order, " "))
  end)

  for told, requests in pairs { [0] = 5, [150] = 5, [4000] = 11 } do
    it("reads what is there, of a run that tells of " .. told .. " rows and has 400", function()
      server:fault { operation = "listWorkerRunResults", nth = 6, delay = 5 } -- behind the end
      local ended = assert(client:run(run.slug):reload())
      ended.results_count = told
      local rows = 0
      for page in ended:pages { ahead = 3, limit = 100 } do rows = rows + #page.list end
      assert.equal(400, rows)
      assert.is_true(sent >= 5 and sent <= requests, sent .. " were sent")
      assert.equal(0, client:stats().in_flight)
    end)
  end

  it("is for one task at a time; the next one goes on where it was", function()
    local ended = assert(client:run(run.slug):reload())
    local next_row, refusals, rows = ended:results { ahead = 2, limit = 50 }, 0, 0
    local function take(upto)
      for _ = rows + 1, upto do
        assert.equal(rows + 1, next_row().index)
        rows = rows + 1
      end
    end
    coreclaw.run(function()
      local task = coreclaw.spawn(take, 120)
      local ok, message = pcall(next_row) -- it waits for the first page
      if not ok and message:find("is being read from already", 1, true) then refusals = refusals + 1 end
      task:join()
      take(400)
    end)
    assert.same({ 1, 400 }, { refusals, rows })
    assert.is_nil((next_row()))
  end)

  it("goes on where it was, when it is asked again behind an error", function()
    server:fault { operation = "listWorkerRunResults", nth = 2, status = 500 }
    local hasty = box.client(server, { retry = false })
    local next_row, rows = hasty:run(run.slug):results { ahead = 2, limit = 50 }, {}
    for i = 1, 50 do rows[i] = next_row() end
    local ok, err = pcall(next_row)
    assert.is_false(ok)
    assert.equal("server_error", err.kind)
    for row in next_row do rows[#rows + 1] = row end
    assert.equal(400, #rows)
    for i, row in ipairs(rows) do assert.equal(i, row.index) end
  end)

  -- Reading a page takes about as long as a quick request, in which the next one may be on its way.
  it("sends for the next page before it reads the one that has come", function()
    server:fault { operation = "listWorkerRunResults", delay = 0.02, times = 99 }
    local order = {}
    local watching = box.client(server, {
      on_request = function() order[#order + 1] = "sent" end, on_response = function() order[#order + 1] = "read" end,
    })
    local next_page = watching:run(run.slug):pages { ahead = 1, limit = 100 }
    for _ = 1, 4 do assert.equal(100, #next_page().list) end
    -- Of the first page nobody knows how many there are; behind the last one there is nothing.
    assert.equal("sent read sent sent read sent read read", table.concat(order, " "))
  end)
end)
