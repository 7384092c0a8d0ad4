-- Bodies that are no JSON, or no envelope, under HTTP 200: { name, body, pattern of the message }.
local deep = function(open, close, n) return '{"code":0,"data":' .. open:rep(n) .. close:rep(n) .. "}" end

-- UTF-16 of ASCII text.
local function utf16(text, big)
  return (text:gsub(".", function(c) return big and "\0" .. c or c .. "\0" end))
end

local WHOLE = '{"code":0,"message":"s","data":{"balance":"1","list":[1,-2.5e3,true,null]},"request_id":"r"}'

local broken = {
  { "nothing", "", "it is empty" },
  { "white space only", " \r\n\t  ", "cannot be read" },
  { "a NUL byte only", "\0" },
  { "a word", "OK" },
  { "a word of JSON", "true", "no object" },
  { "null", "null", "no object" },
  { "a number", "0", "no object" },
  { "a string", '"code"', "no object" },
  { "an array", '[{"code":0}]', "code" },
  { "an empty array", "[]", "code" },
  { "an empty object", "{}", "code" },
  { "HTML", "<!doctype html><html><body>Please log in</body></html>", "Please log in" },
  { "XML", '<?xml version="1.0"?><code>0</code>' },
  { "YAML", "code: 0\nmessage: success\n" },
  { "JSON lines", '{"code":0}\n{"code":0}' },
  { "a JSON sequence", '\30{"code":0}\n' },
  { "JSONP", 'callback({"code":0})' },
  { "a guard before it", ')]}\'\n{"code":0}' },
  { "trailing garbage", '{"code":0}x' },
  { "a closing brace too many", '{"code":0}}' },
  { "a NUL behind it", '{"code":0}\0' },
  { "a comment in it", '{"code":0/* fine */}' },
  { "a line comment behind it", '{"code":0} // fine' },
  { "a trailing comma", '{"code":0,}' },
  { "a leading comma", '{,"code":0}' },
  { "two commas", '{"code":0,,"data":{}}' },
  { "a trailing comma in an array", '{"code":0,"data":{"a":[1,]}}' },
  { "no colon", '{"code" 0}' },
  { "two colons", '{"code"::0}' },
  { "an equals sign", '{"code"=0}' },
  { "a name without quotes", "{code:0}" },
  { "single quotes", "{'code':0}" },
  { "a number for a name", '{1:0,"code":0}' },
  { "brackets that cross", '{"code":0,"data":{"a":[}]}' },
  { "NaN", '{"code":0,"data":{"a":NaN}}' },
  { "nan", '{"code":nan}' },
  { "Infinity", '{"code":0,"data":{"a":Infinity}}' },
  { "-Infinity", '{"code":0,"data":{"a":-Infinity}}' },
  { "undefined", '{"code":0,"data":undefined}' },
  { "None", '{"code":0,"data":None}' },
  { "TRUE", '{"code":0,"data":{"a":TRUE}}' },
  { "a word cut", '{"code":0,"data":{"a":tru}}' },
  { "a leading zero", '{"code":00}' },
  { "a leading zero with a sign", '{"code":-01}' },
  { "a leading plus", '{"code":+0}' },
  { "a minus alone", '{"code":-}' },
  { "a point without digits", '{"code":0.}' },
  { "a point in front", '{"code":.0}' },
  { "an exponent without digits", '{"code":0e}' },
  { "hexadecimal", '{"code":0x0}' },
  { "digits with separators", '{"code":1_000}' },
  { "a decimal comma", '{"code":0,"data":{"a":1,5}}' },
  { "an unknown escape", '{"code":0,"message":"\\x41"}' },
  { "a short \\u", '{"code":0,"message":"\\u12"}' },
  { "a \\u that is not hexadecimal", '{"code":0,"message":"\\u12G4"}' },
  { "a backslash at the end", '{"code":0,"message":"\\' },
  { "UTF-16, little end first", "\255\254" .. utf16('{"code":0}') },
  { "UTF-16, big end first", "\254\255" .. utf16('{"code":0}', true) },
  { "UTF-16 without a mark", utf16('{"code":0}') },
  { "UTF-32", (('{"code":0}'):gsub(".", "%0\0\0\0")) },
  { "two byte order marks", '\239\187\191\239\187\191{"code":0}' },
  { "half a byte order mark", '\239\187{"code":0}' },
  { "arrays, 201 deep", deep("[", "]", 200), "200 levels" },
  { "arrays, 1,000 deep", deep("[", "]", 1000), "200 levels" },
  { "objects, 1,000 deep", deep('{"a":', "}", 1000):gsub(":}", ":1}"), "200 levels" },
  { "brackets that never close", ("["):rep(5000), "200 levels" },
  { "objects that never close", ('{"a":'):rep(5000), "200 levels" },
  { "gzip that nobody announced", "\31\139\8\0\0\0\0\0\0\3" .. ("x"):rep(30) },
  { "all bytes there are", (function()
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    return table.concat(all)
  end)() },
}

-- Cut at each place where its structure changes.
for at = 1, #WHOLE - 1 do
  if WHOLE:sub(at, at):find "[{}%[%]:,\"]" then
    broken[#broken + 1] = { "cut after " .. at .. " bytes, " .. WHOLE:sub(at, at), WHOLE:sub(1, at), "cannot be read" }
  end
end

-- What is odd, and JSON all the same: { name, body, balance }.
local odd = {
  { "white space around it", ' \r\n\t{"code":0,"data":{"balance":"1"}}\n\n', "1" },
  { "a byte order mark", '\239\187\191{"code":0,"data":{"balance":"1"}}', "1" },
  { "equal names: the last one counts", '{"code":500,"code":0,"data":{"balance":"0","balance":"1"}}', "1" },
  { "a name with an escape", '{"co\\u0064e":0,"data":{"balance":"1"}}', "1" },
  { "0.0 for a code", '{"code":0.0,"data":{"balance":"1"}}', "1" },
  { "-0 for a code", '{"code":-0,"data":{"balance":"1"}}', "1" },
  { "0e5 for a code", '{"code":0e5,"data":{"balance":"1"}}', "1" },
  { "a lone surrogate", '{"code":0,"data":{"balance":"\\ud800"}}', "\239\191\189" },
  { "surrogates in the wrong order", '{"code":0,"data":{"balance":"\\udc00\\ud800"}}', ("\239\191\189"):rep(2) },
  { "NUL in a string", '{"code":0,"data":{"balance":"a\\u0000b"}}', "a\0b" },
  { "raw control bytes in a string", '{"code":0,"data":{"balance":"a\1\n\tb"}}', "a\1\n\tb" },
  { "bytes that are no UTF-8", '{"code":0,"data":{"balance":"\255\192\128\237\160\128"}}', "\255\192\128\237\160\128" },
  { "a solidus escaped", '{"code":0,"data":{"balance":"\\/"}}', "/" },
  { "198 levels of arrays", '{"code":0,"data":{"balance":"1","x":' .. ("["):rep(198) .. ("]"):rep(198) .. "}}", "1" },
  { "a number of 1,000 digits", '{"code":0,"data":{"balance":"1","x":' .. ("9"):rep(1000) .. "}}", "1" },
  { "a float that no double holds", '{"code":0,"data":{"balance":"1","x":1e999999}}', "1" },
  { "an empty name", '{"":{},"code":0,"data":{"":1,"balance":"1"}}', "1" },
  { "names of Lua's own", '{"__index":1,"__gc":2,"code":0,"data":{"__index":{},"__metatable":1,"balance":"1"}}', "1" },
}

return { broken = broken, odd = odd }
