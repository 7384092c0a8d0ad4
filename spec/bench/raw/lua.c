/* lua.c — every body goes through bare lua-cjson: no client of any kind, but tables. */
#include "raw.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static lua_State *L;

void decode_open(void) {
  L = luaL_newstate();
  if (!L) exit(1);
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require('cjson').decode") != 0) {
    printf("error absent: %s\n", lua_tostring(L, -1));
    exit(1);
  }
}

void decode(const struct body *body) {
  lua_pushvalue(L, 1);
  lua_pushlstring(L, body->data, body->size);
  lua_call(L, 1, 1);
  if (!lua_istable(L, -1)) exit(1);
  lua_settop(L, 1);
}
