--- What a storage service says: which file this is, how long it is, and why there is none.

local core = require "coreclaw.core"
local errors = require "coreclaw.errors"
local response = require "coreclaw.response"

local storage = {}

-- Statuses with which storage services refuse a link that is too old.
local OLD_LINK = { [401] = true, [403] = true, [404] = true, [410] = true }

---@class coreclaw.StorageFacts
---@field etag string?      a strong one: the same bytes as long as it is the same
---@field modified string?  Last-Modified, where it is as good
---@field place string?     where these hold; nil: everywhere
---@field total integer?    bytes of the whole file
---@field framed boolean    would a cut be noticed?
---@field encoding string?  compressed, though not asked for
---@field html boolean      a web page: seldom a file, often the excuse of a front end
---@field ranges boolean    may a part be asked for?

local function strong(etag)
  return etag and #etag < 256 and etag:match '^"[^"%c]*"$'
end

-- Several services take a digest of the contents for it. Others a time and a length, which another
-- file may share.
local function is_digest(etag)
  local hex = etag and etag:match '^"(%x+)%-?%d*"$'
  return hex ~= nil and #hex >= 32
end

-- A time in whole seconds tells versions apart only when it is not the present second (RFC 9110,
-- 8.8.2.2).
local function settled(modified, date)
  return modified and date and modified ~= date and #modified < 64 and modified or nil
end

local function number(digits)
  return digits and #digits <= 15 and tonumber(digits) or nil
end

local function total_of(answer)
  if answer.status == 206 then
    return number((answer:header "content-range" or ""):match "/(%d+)$")
  elseif not answer:header "transfer-encoding" then
    return number((answer:header "content-length" or ""):match "^%d+$")
  end
end

---Reads the headers of an answer that goes to the file.
---@param block string
---@param place string  digest of where it came from
---@return coreclaw.StorageFacts
function storage.facts(block, place)
  local version, status = block:match "^HTTP/(%S+) (%d+)"
  local answer = response.new(tonumber(status), block)
  local etag = answer:header "etag"
  local encoding = (answer:header "content-encoding" or "identity"):lower()
  local facts = {
    etag = strong(etag),
    total = total_of(answer),
    encoding = encoding ~= "identity" and encoding or nil,
    html = (answer:header "content-type" or ""):lower():find("^text/html") ~= nil,
    ranges = (answer:header "accept-ranges" or ""):lower() ~= "none",
  }
  if not etag then facts.modified = settled(answer:header "last-modified", answer:header "date") end
  facts.place = not is_digest(facts.etag) and place or nil
  facts.framed = facts.total ~= nil or (answer:header "transfer-encoding" or ""):lower() == "chunked"
    or not version:find "^1"
  return facts
end

-- Not for secrets: only to tell places apart without writing them down.
local function digest(text)
  local a, b = 0, 0
  for i = 1, #text do
    local byte = text:byte(i)
    a, b = (a * 257 + byte) % 4294967291, (b * 263 + byte) % 4294967279
  end
  return string.format("%.0f-%.0f", a, b)
end

---Where a link leads to, without its signature, as a short text.
---@param link string
---@return string
function storage.place(link)
  return digest(link:match "^[^?#]*")
end

---A link as it may be shown.
---@param link string
---@return string
function storage.shown(link)
  return (link:match "^[^?#]*":gsub("//[^/]*@", "//")) .. (link:find("?", 1, true) and "?..." or "")
end

---Takes the signature of a link out of an error: services like to repeat it.
---@param err coreclaw.Error
---@param link string
---@return coreclaw.Error
function storage.scrub(err, link)
  local query = link:match "%?(.*)" or ""
  errors.scrub(err, query)
  for value in query:gmatch "=([^&#]+)" do
    local plain = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    if #value >= 8 then errors.scrub(err, value) end
    if #plain >= 8 then errors.scrub(err, plain) end
  end
  return err
end

-- Services explain themselves in XML; of anything else the first words.
local function explanation(body)
  local text = body:match "<Message>([^<]+)" or body:match "<message>([^<]+)" or body:sub(1, 120)
  text = text:gsub("[%c\127-\255]+", " "):gsub("^%s+", ""):gsub("%?%S*", "?...")
  return text ~= "" and ": " .. text:sub(1, 160) or ""
end

---Could a new link help?
---@param status integer
---@param body string
---@return boolean
function storage.is_link_refused(status, body)
  local text = body:lower()
  return OLD_LINK[status] or (status == 400 and (text:find "expire" or text:find "signature") ~= nil)
end

---The error for an answer that is no file.
---@param record { status: integer, body: string, retry_after: integer? }
---@param key coreclaw.Secret?  a link may have been made with it
---@return coreclaw.Error
function storage.refused(record, key)
  local kind, retryable = core.classify("v2", record.status, nil)
  return errors.new {
    kind = kind, retryable = retryable, sent = "yes", http_status = record.status,
    message = "the storage answered HTTP " .. record.status .. explanation(errors.mask(record.body, key)),
    retry_after = record.retry_after,
  }
end

---The error for an answer that is a file, but not to be trusted.
---@param message string
---@param retryable boolean
---@return coreclaw.Error
function storage.bad(message, retryable)
  return errors.new { kind = "bad_response", message = message, sent = "yes", retryable = retryable }
end

return storage
