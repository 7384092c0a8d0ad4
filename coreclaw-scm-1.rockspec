rockspec_format = "3.0"
package = "coreclaw"
version = "scm-1"

source = {
  url = "git+file://.",
}

description = {
  summary = "Client for CoreClaw, the platform that runs web-scraping Workers",
  detailed = [[
Start a Worker with a plain Lua table, wait, walk its rows. A C core on libcurl does HTTP and
error mapping; the Lua half gives Workers, runs and rows. Comes with an emulator of the platform.]],
  license = "MIT",
}

dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-cjson >= 2.1.0",
}

-- No `header`: Debian keeps curl's below a folder of the architecture, where LuaRocks does not look.
external_dependencies = {
  CURL = { library = "curl" },
}

build = {
  type = "builtin",
  modules = {},
}
