-- Writes the rows it is given, so that a spec sees what a value looks like after the whole round:
-- client, wire, platform, wire, client.

return {
  path = "test/echo",
  title = "Echo",
  version = "v1.0.0",
  schema = {
    properties = {
      { name = "rows", title = "Rows", type = "array", editor = "requestList", required = true },
    },
  },
  run = function(input, emit)
    for _, row in ipairs(input.rows) do emit(row) end
  end,
}
