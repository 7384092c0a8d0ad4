/* JSON as Lua sees it, through lua-cjson and the guard around it: what was read can be written or
 * is refused with a message, and what was written is read back as the same.
 *
 * Input: the text. Runs in the tree, where ./lua/coreclaw/json.lua is. */
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include "fuzz.h"

int luaopen_coreclaw_core(lua_State *L);

static const char PROGRAM[] =
    "local json = require 'coreclaw.json'\n"
    "local function same(a, b)\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end\n"
    "  if getmetatable(a) ~= getmetatable(b) then return false end\n"
    "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end\n"
    "  for k in pairs(b) do if a[k] == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "return function(text)\n"
    "  local value, message = json.decode(text)\n"
    "  if value == nil then\n"
    "    assert(type(message) == 'string' and message ~= '' and #message < 600, message)\n"
    "    return\n"
    "  end\n"
    "  local written, out = pcall(json.encode, value)\n"
    "  local copied, copy = pcall(json.copy, value)\n"
    "  assert(written == copied, 'encode and copy differ about what may be sent')\n"
    "  if not written then\n"
    "    assert(type(out) == 'string' and out == copy, out)\n"
    "    return\n"
    "  end\n"
    "  local again, why = json.decode(out)\n"
    "  assert(why == nil, why)\n"
    "  assert(same(value, again), out)\n"
    "  assert(same(value, copy), 'the copy differs')\n"
    "end\n";

static lua_State *L;

static void require_ok(int status) {
    if (status == LUA_OK) return;
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    L = luaL_newstate();
    REQUIRE(L);
    luaL_openlibs(L);
    require_ok(luaL_dostring(L, "package.path = './lua/?.lua;./lua/?/init.lua;' .. package.path"));
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_coreclaw_core);
    lua_setfield(L, -2, "coreclaw.core");
    lua_settop(L, 0);
    require_ok(luaL_dostring(L, PROGRAM));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    require_ok(lua_pcall(L, 1, 0, 0));
    return 0;
}
