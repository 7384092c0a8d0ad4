--- Spreadsheets. xlsx by libxlsxwriter (FFI); xls by gnumeric's ssconvert out of that. Both are optional packages:
-- where one is missing, the answer is the platform's own "not implemented", naming it.

local ffi = require("ffi")
local cells = require("coreclaw.sandbox.export.cells")
local process = require("coreclaw.sandbox.tools.process")
local span = require("coreclaw.sandbox.span")

-- luacheck: globals ngx
local M = {}

ffi.cdef([[
void *workbook_new(const char *filename);
void *workbook_add_worksheet(void *workbook, const char *name);
int worksheet_write_string(void *sheet, uint32_t row, uint16_t column, const char *text, void *format);
int worksheet_write_number(void *sheet, uint32_t row, uint16_t column, double number, void *format);
int worksheet_write_boolean(void *sheet, uint32_t row, uint16_t column, int value, void *format);
int workbook_close(void *workbook);
]])

local NAMES = { "xlsxwriter", "libxlsxwriter.so.4", "libxlsxwriter.so.5", "libxlsxwriter.so.6", "libxlsxwriter.so.7",
  "libxlsxwriter.so.8", "libxlsxwriter.so.9" }

local library

local function load_library()
  for _, name in ipairs(NAMES) do
    local ok, found = pcall(ffi.load, name)
    if ok then
      return found
    end
  end
  return nil
end

--- What is missing for a format ("xlsx" or "xls"), as a sentence; nil when it can be written.
function M.missing(format)
  library = library or load_library()
  if not library then
    return format .. " needs libxlsxwriter: apt-get install libxlsxwriter4"
  elseif format == "xls" and os.execute("command -v ssconvert >/dev/null 2>&1") ~= 0 then
    return "xls needs ssconvert: apt-get install --no-install-recommends gnumeric"
  end
  return nil
end

-- Excel's own limits: text in a cell, and integers that a double holds.
local LONGEST, LARGEST = 32767, 9007199254740992

local function write_cell(sheet, row, column, raw)
  local kind = span.kind(raw)
  local number = (kind == "integer" or kind == "number") and tonumber(raw)
  if number and math.abs(number) <= LARGEST then
    library.worksheet_write_number(sheet, row, column, number, nil)
  elseif kind == "boolean" then
    library.worksheet_write_boolean(sheet, row, column, raw == "true" and 1 or 0, nil)
  elseif kind ~= "null" then
    local text = cells.text(raw)
    library.worksheet_write_string(sheet, row, column, #text > LONGEST and text:sub(1, LONGEST - 3) or text, nil)
  end
end

local function write_rows(sheet, rows, keys)
  for i, row in ipairs(rows) do
    local slices = span.object(row)
    for column, key in ipairs(keys) do
      if slices[key] then
        write_cell(sheet, i, column - 1, slices[key])
      end
    end
    if i % 500 == 0 then
      ngx.sleep(0.001)
    end
  end
end

local function write_xlsx(path, rows, keys)
  local book = library.workbook_new(path)
  local sheet = library.workbook_add_worksheet(book, "results")
  for column, key in ipairs(keys) do
    library.worksheet_write_string(sheet, 0, column - 1, key, nil)
  end
  write_rows(sheet, rows, keys)
  local code = library.workbook_close(book)
  if code ~= 0 then
    error("libxlsxwriter could not write the file, error " .. code, 0)
  end
end

--- Writes a spreadsheet file.
function M.write(format, path, rows, keys)
  if format == "xlsx" then
    return write_xlsx(path, rows, keys)
  end
  write_xlsx(path .. ".xlsx", rows, keys)
  local code, _, err = process.run({ "ssconvert", "--export-type=Gnumeric_Excel:excel_biff8", path .. ".xlsx", path })
  os.remove(path .. ".xlsx")
  if code ~= 0 then
    error("ssconvert failed: " .. err, 0)
  end
end

return M
