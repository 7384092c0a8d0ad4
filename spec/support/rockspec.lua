-- rockspec.lua — writes the `modules` of the rockspec anew from the tree: lua spec/support/rockspec.lua
-- (spec/tree_spec.lua tells when that is due.)

local function lines(command)
  local pipe, list = assert(io.popen(command)), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local out = { "modules = {", '    ["coreclaw.core"] = {', "      sources = {" }
for _, path in ipairs(lines "ls src/*.c | LC_ALL=C sort") do
  out[#out + 1] = '        "' .. path .. '",'
end
out[#out + 1] = "      },"
out[#out + 1] = [[
      defines = { "_GNU_SOURCE" },
      libraries = { "curl", "pthread" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },]]
for _, path in ipairs(lines "find lua -name '*.lua' | LC_ALL=C sort") do
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  out[#out + 1] = string.format('    ["%s"] = "%s",', name, path)
end
out[#out + 1] = "  },"

local path = "coreclaw-scm-1.rockspec"
local file = assert(io.open(path))
local text = file:read "*a"
file:close()
local from = assert(text:find("modules = {", 1, true))
local to = select(2, text:find("\n  },\n", from, true)) or select(2, text:find("{},\n", from, true))
file = assert(io.open(path, "w"))
file:write(text:sub(1, from - 1), table.concat(out, "\n"), text:sub(to))
file:close()
