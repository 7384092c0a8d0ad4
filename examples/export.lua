-- A run's rows as a file, however large, in csv, json, jsonl, xlsx, xls, xml, html or rss.
--
--   lua examples/export.lua RUN rows.csv title rating         all fields if none is named
--
-- The bytes go to rows.csv.part, and the name appears when they are all there. After a break (Ctrl-C, kill -9, a
-- cable) the same command goes on where it was: the storage is asked for the rest, and whether it is still the
-- same file. Another process asks for a new link, and believes in the same file where the storage tells a digest
-- of it (its ETag); elsewhere it begins anew. A link is good for half an hour; then a new one is asked for.

local coreclaw = require "coreclaw"
local client = coreclaw.new()

local slug, path, fields = arg[1], arg[2], {}
for i = 3, #arg do fields[i - 2] = arg[i] end

local function progress(bytes, total)
  io.stderr:write(string.format("\r%.1f MB%s", bytes / 1e6, total and string.format(" of %.1f", total / 1e6) or ""))
end

local file, err = client:run(slug):export(path, {
  fields = fields[1] and fields or nil,
  timeout = 4 * 3600,
  on_progress = progress, -- returning false stops it
})
io.stderr:write "\n"

if not file then
  io.stderr:write(tostring(err), "\n") -- says how much is kept, and where
  os.exit(1)
end
print(string.format("%s: %d bytes in %d requests", file.path, file.bytes, file.attempts))
