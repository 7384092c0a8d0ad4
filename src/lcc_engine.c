#include "lcc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cc_engine.h"
#include "cc_global.h"

#define CLASS            "coreclaw.engine"
#define LONGEST_WAIT     86400.0 /* a day: what is longer is for ever, and would overflow */
#define DEFAULT_TOTAL    64
#define DEFAULT_PER_HOST 16

typedef struct box {
    cc_engine *engine; /* NULL: closed */
} box;

static void push_id(lua_State *L, cc_id id) {
    lcc_push_whole(L, (int64_t)id);
}

static cc_engine *check(lua_State *L) {
    box *b = luaL_checkudata(L, 1, CLASS);
    if (!b->engine) luaL_error(L, CLASS " is closed");
    if (cc_engine_foreign(b->engine)) {
        luaL_error(L, CLASS " belongs to the parent process; after a fork the child makes its own");
    }
    return b->engine;
}

/* ---- open and close ---- */

typedef struct engine_options {
    cc_engine_options limits;
    lcc_text mode;
} engine_options;

#define FIELD(name, type, member)                                                                  \
    { name, type, offsetof(engine_options, member) }
static const lcc_option ENGINE_OPTIONS[] = {
    FIELD("max_connections", LCC_COUNT, limits.max_connections),
    FIELD("max_host_connections", LCC_COUNT, limits.max_host_connections),
    FIELD("max_idle", LCC_COUNT, limits.max_idle),
    FIELD("mode", LCC_TEXT, mode),
    {NULL, LCC_TEXT, 0},
};
#undef FIELD

static cc_engine_options read_engine_options(lua_State *L, int index) {
    engine_options o = {{DEFAULT_TOTAL, DEFAULT_PER_HOST, -1, false}, {NULL, 0}};
    if (!lua_isnoneornil(L, index)) lcc_read_options(L, index, "engine", ENGINE_OPTIONS, &o);
    o.limits.thread = o.mode.s && strcmp(o.mode.s, "thread") == 0;
    if (o.mode.s && !o.limits.thread && strcmp(o.mode.s, "direct") != 0) {
        lcc_field_error(L, "engine", "mode", "be \"direct\" or \"thread\"");
    }
    if (o.limits.max_idle < 0) o.limits.max_idle = o.limits.max_connections;
    if (o.limits.max_idle == 0) o.limits.max_idle = 1; /* 0 would mean libcurl's default */
    return o.limits;
}

static int new_engine(lua_State *L) {
    cc_engine_options limits = read_engine_options(L, 1);
    box *b = lcc_newuserdata(L, sizeof *b);
    b->engine = NULL; /* the closed handle first, so that __gc may come at any time */
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, -2);
    b->engine = cc_engine_open(&limits);
    if (!b->engine) return luaL_error(L, "engine: out of memory or file descriptors");
    return 1;
}

/* close, __gc and __close */
static int close_engine(lua_State *L) {
    box *b = luaL_checkudata(L, 1, CLASS);
    cc_engine *e = b->engine;
    b->engine = NULL;
    cc_engine_close(e);
    return 0;
}

/* ---- submit and next ---- */

/* Microseconds of an argument in seconds. */
static int64_t check_seconds(lua_State *L, int index) {
    double seconds = (double)luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0, index, "seconds >= 0 expected");
    return (int64_t)((seconds > LONGEST_WAIT ? LONGEST_WAIT : seconds) * 1e6);
}

static int submit(lua_State *L) {
    push_id(L, lcc_submit(L, check(L)));
    return 1;
}

/* The first that has ended, with its id. Peek, push, then pop: an error loses nothing. Pushing may
 * collect, and a finalizer may take the same transfer or close the engine; so the bytes are held
 * meanwhile. wanted: only if it is this one; 0: any. */
static int push_ended(lua_State *L, cc_id wanted) {
    cc_id id;
    cc_answer answer;
    box *b = luaL_checkudata(L, 1, CLASS);
    lua_settop(L, 1);
    lua_pushcfunction(L, lcc_push_answer); /* in 5.1 it allocates: nothing is held yet */
    cc_request *r = cc_engine_hold(check(L), &id, &answer);
    if (!r) return 0;
    if (wanted && id != wanted) {
        cc_engine_release(b->engine, r, false);
        return 0;
    }
    push_id(L, id);
    lua_insert(L, 2);
    lua_pushlightuserdata(L, &answer);
    int rc = lua_pcall(L, 1, LUA_MULTRET, 0);
    cc_engine_release(b->engine, r, rc == 0);
    return rc == 0 ? lua_gettop(L) - 1 : lua_error(L);
}

static int next(lua_State *L) {
    return push_ended(L, 0);
}

/* submit, wait and next in one, for who has nothing else on its way: as next, or the id alone of
 * what has not ended within the seconds, or before a signal. */
static int perform(lua_State *L) {
    cc_engine *e = check(L);
    int64_t us = check_seconds(L, 3);
    if (lcc_interrupted()) return luaL_error(L, "interrupted!");
    cc_id id = lcc_submit(L, e);
    cc_engine_wait(e, us);
    int n = push_ended(L, id);
    if (n == 0) push_id(L, id);
    return n ? n : 1;
}

/* ---- the rest ---- */

static int step(lua_State *L) {
    cc_engine *e = check(L);
    cc_engine_step(e);
    lua_pushinteger(L, cc_engine_inflight(e));
    return 1;
}

static int wait(lua_State *L) {
    cc_engine *e = check(L);
    int64_t us = check_seconds(L, 2);
    if (lcc_interrupted()) return luaL_error(L, "interrupted!");
    cc_engine_wait(e, us); /* returns when a signal comes */
    lua_pushinteger(L, cc_engine_inflight(e));
    return 1;
}

/* What no transfer has becomes 0, which none has either. */
static cc_id check_id(lua_State *L) {
    lua_Number id = luaL_checknumber(L, 2);
    bool possible = id >= 1 && id < 9007199254740992.0 && id == (lua_Number)(cc_id)id;
    return possible ? (cc_id)id : 0;
}

static int cancel(lua_State *L) {
    cc_engine *e = check(L);
    lua_pushboolean(L, cc_engine_cancel(e, check_id(L)));
    return 1;
}

/* progress(id) -> bytes, total|nil, headers|nil; nothing when there is no such transfer */
static int progress(lua_State *L) {
    cc_progress p;
    cc_engine *e = check(L);
    if (!cc_engine_progress(e, check_id(L), &p)) return 0;
    lcc_push_whole(L, p.bytes);
    if (p.total >= 0)
        lcc_push_whole(L, p.total);
    else
        lua_pushnil(L);
    if (!p.headers) return 2;
    lcc_push_bytes(L, p.headers); /* may collect, and a finalizer close the engine */
    return 3;
}

static int fd(lua_State *L) {
    lua_pushinteger(L, cc_engine_fd(check(L)));
    return 1;
}

/* For nginx. listen() -> path; then connect to it; accept() -> connected? */
static int listen_for(lua_State *L) {
    const char *path = cc_engine_listen(check(L));
    if (path)
        lua_pushstring(L, path);
    else
        lua_pushnil(L);
    return 1;
}

static int accept_one(lua_State *L) {
    lua_pushboolean(L, cc_engine_accept(check(L)));
    return 1;
}

static int limit(lua_State *L) {
    cc_engine_options limits = read_engine_options(L, 2);
    cc_engine_limit(check(L), &limits);
    return 0;
}

static int inflight(lua_State *L) {
    lua_pushinteger(L, cc_engine_inflight(check(L)));
    return 1;
}

static int to_string(lua_State *L) {
    box *b = luaL_checkudata(L, 1, CLASS);
    if (!b->engine) {
        lua_pushliteral(L, CLASS " (closed)");
    } else if (cc_engine_foreign(b->engine)) {
        lua_pushliteral(L, CLASS " (of the parent process)");
    } else {
        lua_pushfstring(L, CLASS " (open, %d in flight)", (int)cc_engine_inflight(b->engine));
    }
    return 1;
}

static void set_about(lua_State *L) {
    cc_about about;
    cc_global_about(&about);
    lua_createtable(L, 0, 6);
    lcc_set_string(L, "version", about.version);
    lcc_set_string(L, "encodings", about.encodings); /* nil where there are none */
    lcc_set_integer(L, "version_num", (lua_Integer)about.version_num);
    lcc_set_string(L, "ssl", about.ssl);
    lcc_set_flag(L, "http2", about.http2);
    lcc_set_flag(L, "guards", about.guards);
    lua_setfield(L, -2, "curl");
}

static const luaL_Reg METHODS[] = {
    {"submit", submit},
    {"step", step},
    {"wait", wait},
    {"next", next},
    {"perform", perform},
    {"cancel", cancel},
    {"progress", progress},
    {"fd", fd},
    {"inflight", inflight},
    {"close", close_engine},
    {"listen", listen_for},
    {"accept", accept_one},
    {"limit", limit},
    {NULL, NULL},
};

static const luaL_Reg META[] = {
    {"__gc", close_engine},
    {"__close", close_engine},
    {"__tostring", to_string},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {{"engine", new_engine}, {NULL, NULL}};

void lcc_open_engine(lua_State *L) {
    lcc_class(L, CLASS, META, METHODS);
    lcc_setfuncs(L, FUNCTIONS);
    lcc_set_flag(L, "always_threaded", cc_engine_always_threaded());
    set_about(L);
}
