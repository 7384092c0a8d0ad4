--- Export formats that are text: csv, json, jsonl, xml, html, rss. Each is { head, row, between, foot }.

local cells = require("coreclaw.sandbox.export.cells")
local json = require("coreclaw.json")
local span = require("coreclaw.sandbox.span")

local M = {}

local function csv_cell(text)
  if text:find('[,"\r\n]') then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function csv_line(list)
  local out = {}
  for i, text in ipairs(list) do
    out[i] = csv_cell(text)
  end
  return table.concat(out, ",") .. "\r\n"
end

M.csv = {
  type = "text/csv; charset=utf-8",
  head = function(file)
    return csv_line(file.keys)
  end,
  row = function(row, file)
    return csv_line((cells.of(row, file.keys)))
  end,
}

-- A row with the wanted keys only, in their order.
local function picked(row, file)
  local slices, out = span.object(row), {}
  for _, key in ipairs(file.keys) do
    if slices[key] then
      out[#out + 1] = json.encode(key) .. ":" .. slices[key]
    end
  end
  return "{" .. table.concat(out, ",") .. "}"
end

M.jsonl = {
  type = "application/x-ndjson",
  row = function(row, file)
    return picked(row, file) .. "\n"
  end,
}

M.json = {
  type = "application/json",
  head = function()
    return "["
  end,
  row = picked,
  between = ",\n",
  foot = function()
    return "]\n"
  end,
}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- XML has no word for most control characters.
local function xml(text)
  return (text:gsub('[&<>"]', ENTITIES):gsub("[%z\1-\8\11\12\14-\31]", ""))
end

local function element(name, text)
  return ('<field name="%s">%s</field>'):format(xml(name), xml(text))
end

M.xml = {
  type = "application/xml",
  head = function()
    return '<?xml version="1.0" encoding="UTF-8"?>\n<items>\n'
  end,
  row = function(row, file)
    local out = {}
    for i, text in ipairs((cells.of(row, file.keys))) do
      out[i] = element(file.keys[i], text)
    end
    return "<item>" .. table.concat(out) .. "</item>\n"
  end,
  foot = function()
    return "</items>\n"
  end,
}

local function table_row(list, tag)
  local out = {}
  for i, text in ipairs(list) do
    out[i] = "<" .. tag .. ">" .. xml(text) .. "</" .. tag .. ">"
  end
  return "<tr>" .. table.concat(out) .. "</tr>\n"
end

M.html = {
  type = "text/html; charset=utf-8",
  head = function(file)
    return '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>' .. xml(file.title)
      .. "</title></head><body><table>\n" .. table_row(file.keys, "th")
  end,
  row = function(row, file)
    return table_row(cells.of(row, file.keys), "td")
  end,
  foot = function()
    return "</table></body></html>\n"
  end,
}

local function first_of(slices, names)
  for _, name in ipairs(names) do
    if slices[name] then
      return cells.text(slices[name])
    end
  end
  return ""
end

M.rss = {
  type = "application/rss+xml",
  head = function(file)
    return '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>' .. xml(file.title)
      .. "</title><link>" .. xml(file.link) .. "</link><description>Results of a run</description>\n"
  end,
  row = function(row, file)
    local slices = span.object(row)
    return ("<item><title>%s</title><link>%s</link><description>%s</description></item>\n"):format(
      xml(first_of(slices, { "title", "name", file.keys[1] })), xml(first_of(slices, { "url", "link" })),
      xml(picked(row, file)))
  end,
  foot = function()
    return "</channel></rss>\n"
  end,
}

return M
