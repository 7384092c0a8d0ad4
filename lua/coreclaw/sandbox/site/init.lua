--- A small shop for Workers to read: linked pages, prices as different countries write them, unicode, a dead link.

local M = {}

local PRODUCTS = {
  { "reading-lamp", "en", "Reading lamp “Atlas”", "$49.90", "A lamp for long evenings & late chapters." },
  { "kaffeekanne", "de", "Kaffeekanne „Größe L“", "1.299,00 €", "Handgefertigt, mit Deckel. Für große Runden." },
  { "baguette-board", "fr", "Planche à baguette", "39,95 €", "Chêne massif, façonnée à Besançon." },
  { "tea-bowl", "ja", "抹茶碗「朝霧」", "¥3,200", "手作りの茶碗。ひとつひとつ表情が違います。" },
  { "wool-blanket", "sv", "Ullfilt ”Skärgård”", "1 299 kr", "Mjuk ull från Gotland." },
  { "pocket-watch", "de-CH", "Taschenuhr", "CHF 1'050.00", "Mit Handaufzug." },
  { "notebook", "en-GB", "Notebook, 3 × A5", "£7", "Three notebooks. <No> nonsense." },
  { "gift", "ar", "هدية مجانية", "0.00 $", "مجاناً مع كل طلب." },
}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function html(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

local PAGE = [[<!DOCTYPE html>
<html lang="%s">
<head><meta charset="utf-8"><title>%s</title>
<meta name="description" content="%s"></head>
<body>
<nav><a href="/site/">Shop</a> <a href="/site/about">About</a></nav>
<main><h1>%s</h1>
%s
</main>
<footer><a href="mailto:shop@example.com">Write to us</a> <a href="#top">Top</a></footer>
</body></html>
]]

local function page(language, title, description, body)
  return 200, PAGE:format(html(language), html(title), html(description), html(title), body)
end

local function product_page(index)
  local product = PRODUCTS[index]
  local following = PRODUCTS[index % #PRODUCTS + 1]
  local body = '<p class="price">%s</p><p>%s</p><p><a href="%s">%s</a></p>'
  return page(product[2], product[3], product[5],
    body:format(html(product[4]), html(product[5]), following[1], html(following[3])))
end

local function index_page()
  local out = { "<ul>" }
  for _, product in ipairs(PRODUCTS) do
    out[#out + 1] = ('<li><a href="product/%s">%s</a> <span class="sale price">%s</span></li>'):format(product[1],
      html(product[3]), html(product[4]))
  end
  out[#out + 1] = '</ul><p>Sold out: <a href="product/typewriter">Typewriter</a></p>'
  return page("en", "The Sandbox Shop", "Eight things that nobody can buy.", table.concat(out, "\n"))
end

local PAGES = {
  [""] = index_page,
  about = function()
    return page("en", "About the Sandbox Shop", "Who we are: nobody.",
      '<p>This shop exists to be scraped. <a href="./">Back</a>, or <a href="old-about">an old page</a>.</p>')
  end,
  ["old-about"] = function()
    return 301, "", { Location = "/site/about" }
  end,
  -- Not linked to: an old encoding that only the header tells, a tag soup, and something that is no HTML.
  latin1 = function()
    return 200, "<title>Caf\233 cr\232me</title>", { ["Content-Type"] = "text/html; charset=ISO-8859-1" }
  end,
  soup = function()
    return 200, "<title>Soup</titel><h1>A <b>bold</h1><p class='old price'>$5<p><a href=x>x<a href='y'>y</p></div>"
  end,
  ["data.json"] = function()
    return 200, "{}", { ["Content-Type"] = "application/json" }
  end,
}
for index, product in ipairs(PRODUCTS) do
  PAGES["product/" .. product[1]] = function()
    return product_page(index)
  end
end

--- How many pages answer with 200 when one follows every link from the index.
M.pages = #PRODUCTS + 2

---@param path string what follows /site/
---@return integer status, string body, table? headers
function M.page(path)
  local make = PAGES[path]
  if not make then
    return 404, (select(2, page("en", "Not here", "No such page.", "<p>Nothing here.</p>")))
  end
  return make()
end

return M
