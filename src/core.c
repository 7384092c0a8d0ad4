/* coreclaw.core: clocks, the error table, and the door to engine and JSON. */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cc_error.h"
#include "cc_sys.h"
#include "lcc.h"

#define CORECLAW_VERSION "0.1.0"

static int now(lua_State *L) {
    lua_pushnumber(L, (lua_Number)cc_now_us() * 1e-6);
    return 1;
}

static int unix_time(lua_State *L) {
    lua_pushnumber(L, cc_unix_time());
    return 1;
}

static int pid(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)cc_pid());
    return 1;
}

static int random_number(lua_State *L) {
    lua_pushnumber(L, cc_random());
    return 1;
}

/* ---- the error table ---- */

static int kinds(lua_State *L) {
    lua_createtable(L, CC_KIND_COUNT - 1, 0);
    for (int k = CC_KIND_NONE + 1; k < CC_KIND_COUNT; k++) {
        lua_pushstring(L, cc_kind_name((cc_kind)k));
        lua_rawseti(L, -2, k);
    }
    return 1;
}

static cc_api check_api(lua_State *L, int index) {
    static const char *const names[] = {"v1", "v2", NULL};
    return luaL_checkoption(L, index, NULL, names) == 0 ? CC_API_V1 : CC_API_V2;
}

static void push_statuses(lua_State *L, const short *http) {
    lua_newtable(L);
    for (int i = 0; i < 2 && http[i]; i++) {
        lua_pushinteger(L, http[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_api_error(lua_State *L, const cc_api_error *e) {
    lua_createtable(L, 0, 6);
    lcc_set_integer(L, "code", e->code);
    lcc_set_string(L, "key", e->key);
    lcc_set_string(L, "kind", cc_kind_name(e->kind));
    lcc_set_flag(L, "retryable", e->retryable);
    lcc_set_string(L, "sent", cc_sent_name(e->sent));
    push_statuses(L, e->http);
    lua_setfield(L, -2, "http");
}

static int api_errors(lua_State *L) {
    size_t n;
    const cc_api_error *rows = cc_api_errors(check_api(L, 1), &n);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_api_error(L, &rows[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static void push_transport_error(lua_State *L, const cc_transport_error *e) {
    lua_createtable(L, 0, 4);
    lcc_set_integer(L, "code", e->code);
    lcc_set_string(L, "name", e->name);
    lcc_set_string(L, "kind", cc_kind_name(e->kind));
    lcc_set_flag(L, "retryable", e->retryable);
}

static int transport_errors(lua_State *L) {
    size_t n;
    const cc_transport_error *rows = cc_transport_errors(&n);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_transport_error(L, &rows[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* A code outside of what we know is simply unknown; the range keeps the conversion defined. */
static long long to_code(lua_Number n) {
    return n > -1e15 && n < 1e15 ? (long long)n : -1;
}

/* classify(api, status, code|nil) -> kind|nil, retryable, sent, key|nil */
static int classify(lua_State *L) {
    cc_api api = check_api(L, 1);
    long status = (long)luaL_checkinteger(L, 2);
    bool has_code = !lua_isnoneornil(L, 3);
    long long code = has_code ? to_code(luaL_checknumber(L, 3)) : 0;
    cc_verdict v = cc_classify(api, status, has_code, code);
    if (v.kind == CC_KIND_NONE) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, cc_kind_name(v.kind));
    lua_pushboolean(L, v.retryable);
    lua_pushstring(L, cc_sent_name(v.sent));
    if (v.key)
        lua_pushstring(L, v.key);
    else
        lua_pushnil(L);
    return 4;
}

/* How a lua_State begins in PUC Lua 5.1 and 5.2. They have no lua_isyieldable, and a yield that they
 * refuse would lose what was waited for. coroutines.lua tries this out before it believes it, and never
 * asks on LuaJIT, which may load what was built for 5.1. */
#if LUA_VERSION_NUM <= 502
typedef struct state {
    void *next;
    unsigned char tt, marked, status;
#if LUA_VERSION_NUM == 501
    void *top, *base, *l_G, *ci;
    const void *savedpc;
    void *stack_last, *stack, *end_ci, *base_ci;
    int stacksize, size_ci;
    unsigned short nested, at_resume; /* nCcalls, baseCcalls */
#else
    void *top, *l_G, *ci;
    const void *oldpc;
    void *stack_last, *stack;
    int stacksize;
    unsigned short nested; /* nny */
#endif
} state;

/* can_yield() -> is there no C between here and the resume that would be in the way? */
static int can_yield(lua_State *L) {
    state s;
    memcpy(&s, (const void *)L, sizeof s);
#if LUA_VERSION_NUM == 501
    lua_pushboolean(L, s.nested <= s.at_resume);
#else
    lua_pushboolean(L, s.nested == 0);
#endif
    return 1;
}
#endif

static const luaL_Reg FUNCTIONS[] = {
#if LUA_VERSION_NUM <= 502
    {"can_yield", can_yield},
#endif
    {"now", now},
    {"time", unix_time},
    {"pid", pid},
    {"random", random_number},
    {"kinds", kinds},
    {"api_errors", api_errors},
    {"transport_errors", transport_errors},
    {"classify", classify},
    {NULL, NULL},
};

__attribute__((visibility("default"))) int luaopen_coreclaw_core(lua_State *L);

int luaopen_coreclaw_core(lua_State *L) {
#if LUA_VERSION_NUM >= 502
    luaL_checkversion(L);
#endif
    lua_newtable(L);
    lcc_setfuncs(L, FUNCTIONS);
    lcc_set_string(L, "version", CORECLAW_VERSION);
    lcc_open_answer(L);
    lcc_open_common(L);
    lcc_open_engine(L);
    lcc_open_file(L);
    lcc_open_journal(L);
    lcc_open_json(L);
    lcc_open_meter(L);
    lcc_open_secret(L);
    lcc_open_terminal(L);
    return 1;
}
