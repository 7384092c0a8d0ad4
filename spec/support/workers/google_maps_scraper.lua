-- Stands in for the Worker of this name in README snippets and specs: made-up places, one list per
-- keyword, in the shape such Workers have.

local function run(input, emit, log)
  for _, keyword in ipairs(input.keywords) do
    log.info("searching " .. keyword)
    for i = 1, input.max_results do
      emit {
        title = keyword .. " house " .. i,
        rating = 4 + i % 10 / 10,
        reviews_count = 100 * i,
        phone = "+351 21 555 0" .. 100 + i,
      }
    end
  end
end

return {
  path = "coreclaw/google-maps-scraper",
  title = "Google Maps scraper (stand-in)",
  description = "Places by keyword.",
  version = "v1.4.2",
  schema = {
    description = "Places by keyword",
    concurrency = { fields = { "keywords" } },
    properties = {
      {
        name = "keywords", title = "Search terms", type = "array", editor = "stringList",
        required = true, default = { "bakery" },
      },
      { name = "max_results", title = "Rows per term", type = "integer", editor = "number", default = 20 },
    },
  },
  run = run,
}
