/* What the binding files share: Lua 5.1 to 5.4 and LuaJIT behind one spelling.
 *
 * Nothing here and in lcc_*.c may call libcurl; nothing in cc_*.c may see Lua. */
#ifndef LCC_H
#define LCC_H

#include <lua.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 502
/* 5.1 and LuaJIT. LUAJIT_VERSION is not defined by LuaJIT's lua.h, so only the API version decides.
 */
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

/* A userdata that keeps a table alive: lcc_hold takes the table from the top. */
#if LUA_VERSION_NUM >= 504
#define lcc_newholder(L, size) lua_newuserdatauv((L), (size), 1)
#define lcc_hold(L, i)         lua_setiuservalue((L), (i), 1)
#define lcc_push_held(L, i)    lua_getiuservalue((L), (i), 1)
#elif LUA_VERSION_NUM >= 502
#define lcc_newholder(L, size) lua_newuserdata((L), (size))
#define lcc_hold(L, i)         lua_setuservalue((L), (i))
#define lcc_push_held(L, i)    lua_getuservalue((L), (i))
#else
#define lcc_newholder(L, size) lua_newuserdata((L), (size))
#define lcc_hold(L, i)         lua_setfenv((L), (i))
#define lcc_push_held(L, i)    lua_getfenv((L), (i))
#endif

/* ---- lcc_util.c ---- */

/* Bytes inside a Lua string that stays on the stack or in a table meanwhile. */
typedef struct lcc_text {
    const char *s; /* NULL: not given */
    size_t n;
} lcc_text;

typedef enum lcc_type {
    LCC_TEXT,    /* lcc_text; a string without NUL, or a secret like it */
    LCC_DATA,    /* lcc_text; any string */
    LCC_LINES,   /* size_t; an array of so many strings, each without NUL */
    LCC_SECONDS, /* double >= 0 */
    LCC_SIZE,    /* size_t */
    LCC_COUNT,   /* long >= 0 */
    LCC_FLAG,    /* bool */
    LCC_SECRET,  /* cc_secret; borrowed from a coreclaw.secret that was not cleared */
    LCC_FILE,    /* const cc_file *; an open one, which stays where it is while it is referenced */
    LCC_METER,   /* cc_meter *; borrowed from a coreclaw.meter */
    LCC_COMMON   /* const void *; a coreclaw.common */
} lcc_type;

/* One field of an option table and where its value goes. */
typedef struct lcc_option {
    const char *name; /* NULL ends the list */
    lcc_type type;
    size_t offset; /* in the structure that lcc_read_options fills */
} lcc_option;

/* Reads the table at index into *out; fields that are absent leave *out alone. Unknown names and
 * wrong types raise, with `what` in front and the closest known name behind. The strings are
 * borrowed from the table. Nothing is allocated, so no finalizer runs meanwhile. */
void lcc_read_options(lua_State *L, int index, const char *what, const lcc_option *options,
                      void *out);

/* Reads the value on the top for one of them, or raises. */
void lcc_read_option(lua_State *L, const char *what, const lcc_option *o, void *out);

/* Raises `what: field "name" must ...`. */
int lcc_field_error(lua_State *L, const char *what, const char *name, const char *must);

/* The userdata at that index, NULL if it is none of that class. Raises nothing, and allocates nothing
 * once the class is there. */
void *lcc_to_userdata(lua_State *L, int index, const char *name);

/* Makes the class `name`: metamethods, and methods behind __index. Leaves the stack as it was. */
void lcc_class(lua_State *L, const char *name, const luaL_Reg *meta, const luaL_Reg *methods);

/* Integers where Lua has them: an id must not print as 1048577.0. Below 2^53. */
void lcc_push_whole(lua_State *L, int64_t value);

/* Sets a field of the table on the top. */
void lcc_set_string(lua_State *L, const char *key, const char *value);
void lcc_set_integer(lua_State *L, const char *key, lua_Integer value);
void lcc_set_flag(lua_State *L, const char *key, int value);

/* ---- lcc_answer.c ---- */

struct cc_buf;
void lcc_push_bytes(lua_State *L, const struct cc_buf *b);

/* Protected, for it allocates: called with a light pointer to a cc_answer -> status, body, headers,
 * retry_after, written | nil, failure, headers, nil, written. */
int lcc_push_answer(lua_State *L);

/* The body at that index of the stack that has stayed apart, NULL if it is none. */
const struct cc_buf *lcc_to_body(lua_State *L, int index);
void lcc_open_answer(lua_State *L);

/* ---- lcc_submit.c ---- */

/* Submits what the table at index 2 says, or raises. Returns the id. */
struct cc_engine;
uint64_t lcc_submit(lua_State *L, struct cc_engine *e);

/* ---- lcc_common.c ---- */

/* The coreclaw.common at that index of the stack, NULL if it is none. */
const void *lcc_to_common(lua_State *L, int index);

/* ---- lcc_meter.c ---- */

/* The meter at that index of the stack, NULL if it is none. */
struct cc_meter *lcc_to_meter(lua_State *L, int index);

/* ---- lcc_file.c ---- */

/* The file at that index of the stack, NULL if it is none. */
struct cc_file *lcc_to_file(lua_State *L, int index);

/* ---- lcc_secret.c ---- */

/* The secret at that index of the stack, NULL if it is none. */
const struct cc_secret *lcc_to_secret(lua_State *L, int index);

/* ---- lcc_terminal.c ---- */

/* Has a Ctrl-C come that is to end a wait? True once for each. */
bool lcc_interrupted(void);

/* ---- lcc_*.c ---- */

/* Each adds its functions to the module table on the top of the stack. */
void lcc_open_common(lua_State *L);
void lcc_open_engine(lua_State *L);
void lcc_open_file(lua_State *L);
void lcc_open_journal(lua_State *L);
void lcc_open_json(lua_State *L);
void lcc_open_meter(lua_State *L);
void lcc_open_secret(lua_State *L);
void lcc_open_terminal(lua_State *L);

#endif
