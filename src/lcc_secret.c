#include "lcc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cc_secret.h"

#define CLASS "coreclaw.secret"

/* The bytes stand behind it, in the same block: Lua never moves a userdata. */
typedef struct box {
    cc_secret secret;
} box;

const cc_secret *lcc_to_secret(lua_State *L, int index) {
    const box *b = lcc_to_userdata(L, index, CLASS);
    return b ? &b->secret : NULL;
}

/* text may belong to nobody: everything that can fail comes first. */
static void push_secret(lua_State *L, const char *text, size_t n) {
    box *b = lcc_newuserdata(L, sizeof *b + n + 1);
    char *bytes = (char *)(b + 1);
    b->secret = (cc_secret){NULL, 0};
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, -2);
    memcpy(bytes, text, n);
    bytes[n] = '\0';
    b->secret = (cc_secret){bytes, n};
}

/* secret(text) -> secret */
static int new_secret(lua_State *L) {
    size_t n;
    luaL_checktype(L, 1, LUA_TSTRING); /* never a number, which would be shown */
    const char *text = lua_tolstring(L, 1, &n);
    push_secret(L, text, n);
    return 1;
}

/* secret_of(name) -> secret | nothing: of the environment, without any Lua string of it */
static int secret_of(lua_State *L) {
    const char *text = getenv(luaL_checkstring(L, 1));
    if (!text || !*text) return 0;
    push_secret(L, text, strlen(text));
    return 1;
}

static box *check(lua_State *L) {
    return luaL_checkudata(L, 1, CLASS);
}

/* close and __gc */
static int close_secret(lua_State *L) {
    box *b = check(L);
    if (b->secret.bytes) cc_wipe((char *)(b + 1), b->secret.n);
    b->secret = (cc_secret){NULL, 0};
    return 0;
}

static int is_open(lua_State *L) {
    lua_pushboolean(L, check(L)->secret.bytes != NULL);
    return 1;
}

/* Could it stand in a header? */
static int is_key(lua_State *L) {
    const box *b = check(L);
    lua_pushboolean(L, b->secret.bytes && cc_secret_is_key(b->secret.bytes, b->secret.n));
    return 1;
}

static int length(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)check(L)->secret.n);
    return 1;
}

/* mask(text) -> text with *** for the secret, the same string where it is not in it */
static int mask(lua_State *L) {
    const cc_secret *s = &check(L)->secret;
    size_t n, at, found;
    luaL_Buffer out;
    const char *text = luaL_checklstring(L, 2, &n);
    lua_settop(L, 2);
    if (!cc_secret_find(s, text, n, &at, &found)) return 1;
    luaL_buffinit(L, &out);
    do {
        luaL_addlstring(&out, text, at);
        luaL_addlstring(&out, "***", 3);
        text += at + found;
        n -= at + found;
    } while (cc_secret_find(s, text, n, &at, &found));
    luaL_addlstring(&out, text, n);
    luaL_pushresult(&out);
    return 1;
}

static int to_string(lua_State *L) {
    lua_pushstring(L, check(L)->secret.bytes ? CLASS " (not shown)" : CLASS " (cleared)");
    return 1;
}

static const luaL_Reg METHODS[] = {
    {"close", close_secret}, {"is_open", is_open}, {"is_key", is_key},
    {"length", length},      {"mask", mask},       {NULL, NULL},
};

static const luaL_Reg META[] = {
    {"__gc", close_secret},
    {"__tostring", to_string},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"secret", new_secret}, {"secret_of", secret_of}, {NULL, NULL}};

void lcc_open_secret(lua_State *L) {
    lcc_class(L, CLASS, META, METHODS);
    lcc_setfuncs(L, FUNCTIONS);
}
