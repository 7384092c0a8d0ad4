--- demo/rows: as many rows as wanted, of a given size and kind. For load, paging and failure.

local encode = require("coreclaw.sandbox.encode")

local UNICODE = { "Padaria São João", "東京珈琲 ☕️", "مخبز النور", "Кафе «Ёлка»", "🧭 naïve façade", "e\204\129 vs é" }
local BIG = { "11287654321098765432", "9007199254740993", "-9223372036854775808", "18446744073709551616", "-1" }

local KINDS = {}

function KINDS.flat(i)
  return { index = i, title = "Row " .. i, price = i * 0.25, in_stock = i % 2 == 0 }
end

function KINDS.nested(i)
  return {
    index = i,
    title = "Row " .. i,
    location = { lat = 38.7139 + i / 1000, lng = -9.1394, plus_code = encode.null },
    tags = encode.list({ "a", "b" .. i }),
    empty_list = encode.list({}),
    empty_object = encode.raw("{}"),
    hours = encode.list({ { day = "Mon", open = encode.list({ "07:00–13:00" }) } }),
  }
end

function KINDS.unicode(i)
  return { index = i, title = UNICODE[(i - 1) % #UNICODE + 1], quote = 'a "quoted" \\ / line\nbreak\ttab' }
end

function KINDS.big(i)
  return { index = i, title = "Row " .. i, cid = encode.integer(BIG[(i - 1) % #BIG + 1]) }
end

function KINDS.nulls(i)
  return { index = i, title = "Row " .. i, phone = encode.null, rating = i % 3 == 0 and 4.5 or encode.null }
end

function KINDS.diagnostic(i)
  return {
    url = "https://shop.example/" .. i,
    error = "Forbidden",
    error_code = "403",
    status = "failed",
    message = "blocked by the shop",
  }
end

local function row_of(input, i)
  local row = KINDS[input.kind](i)
  if input.size > 0 then
    row.padding = string.rep("x", input.size)
  end
  return row
end

local function check(input)
  if not KINDS[input.kind] then
    error("unknown kind of rows: " .. tostring(input.kind), 0)
  end
end

local function run(input, emit, log, tools)
  check(input)
  log.info("writing " .. input.count .. " rows of kind " .. input.kind)
  for i = 1, input.count do
    if input.fail_at == i then
      error(input.fail_message, 0)
    end
    emit(row_of(input, i))
    if input.delay > 0 then
      tools.sleep(input.delay)
    end
  end
  if input.fail_at == input.count + 1 then
    error(input.fail_message, 0)
  end
  if input.wait > 0 then
    tools.sleep(input.wait)
  end
end

local function field(name, kind, default, description, editor)
  return {
    name = name,
    title = name,
    type = kind,
    editor = editor or (kind == "string" and "input" or "number"),
    default = default,
    description = description,
    required = false,
  }
end

local kind = field("kind", "string", "flat", "What the rows hold", "select")
kind.options = {}
for _, name in ipairs({ "flat", "nested", "unicode", "big", "nulls", "diagnostic" }) do
  kind.options[#kind.options + 1] = { label = name, value = name }
end

local count = field("count", "integer", 10, "How many rows")
count.required = true

return {
  path = "demo/rows",
  title = "Rows — any number of them",
  description = "Writes rows of a given number, size and kind, at a given pace, and fails where told to.",
  readme = "# Rows\n\nWrites `count` rows. `fail_at` = n fails in place of row n.",
  version = "v1.2.0",
  versions = { "v1.2.0", "v1.1.0" },
  schema = {
    description = "Rows for tests and load",
    properties = {
      count,
      kind,
      field("size", "integer", 0, "Bytes of padding in each row"),
      field("delay", "number", 0, "Seconds after each row"),
      field("wait", "number", 0, "Seconds after the last row"),
      field("fail_at", "integer", 0, "Fail in place of this row; 0 = never"),
      field("fail_message", "string", "told to fail", "Words of the failure"),
    },
  },
  run = run,
}
