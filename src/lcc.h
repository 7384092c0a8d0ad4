/* What the binding files share: Lua 5.1 to 5.4 and LuaJIT behind one spelling.
 *
 * Nothing here and in lcc_*.c may call libcurl; nothing in cc_*.c may see Lua. */
#ifndef LCC_H
#define LCC_H

#include <lua.h>
#include <lauxlib.h>

#if LUA_VERSION_NUM < 502
/* 5.1 and LuaJIT. LUAJIT_VERSION is not defined by LuaJIT's lua.h, so only the API version decides. */
#define lcc_setfuncs(L, reg) luaL_register((L), NULL, (reg))
#define lcc_rawlen(L, i)     lua_objlen((L), (i))
#else
#define lcc_setfuncs(L, reg) luaL_setfuncs((L), (reg), 0)
#define lcc_rawlen(L, i)     lua_rawlen((L), (i))
#endif

#if LUA_VERSION_NUM >= 504
#define lcc_newuserdata(L, size) lua_newuserdatauv((L), (size), 0)
#else
#define lcc_newuserdata(L, size) lua_newuserdata((L), (size))
#endif

/* Each adds its functions to the module table on the top of the stack. */
void lcc_open_engine(lua_State *L);
void lcc_open_json(lua_State *L);

#endif
