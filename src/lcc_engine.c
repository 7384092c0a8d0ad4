#include "lcc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cc_engine.h"
#include "cc_file.h"
#include "cc_global.h"
#include "cc_secret.h"
#include "cc_text.h"

#define CLASS            "coreclaw.engine"
#define DEFAULT_BODY     (64u << 20)
#define DEFAULT_HEADERS  (256u << 10)
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

/* ---- submit ---- */

typedef struct submit_options {
    lcc_text url, method, body, ca_file, ca_path, cert_file, key_file, key_password, proxy,
        no_proxy, auth;
    cc_secret secret;
    size_t headers, connect_to;
    double connect_timeout, idle_timeout, timeout;
    size_t max_body, max_headers, offset;
    const cc_file *file;
    bool once, follow, verify;
} submit_options;

#define FIELD(name, type)                                                                          \
    { #name, type, offsetof(submit_options, name) }
static const lcc_option SUBMIT_OPTIONS[] = {
    FIELD(url, LCC_TEXT),
    FIELD(method, LCC_TEXT),
    FIELD(headers, LCC_LINES),
    FIELD(body, LCC_DATA),
    FIELD(connect_timeout, LCC_SECONDS),
    FIELD(idle_timeout, LCC_SECONDS),
    FIELD(timeout, LCC_SECONDS),
    FIELD(max_body, LCC_SIZE),
    FIELD(max_headers, LCC_SIZE),
    FIELD(file, LCC_FILE),
    FIELD(offset, LCC_SIZE),
    FIELD(once, LCC_FLAG),
    FIELD(follow, LCC_FLAG),
    FIELD(verify, LCC_FLAG),
    FIELD(ca_file, LCC_TEXT),
    FIELD(ca_path, LCC_TEXT),
    FIELD(cert_file, LCC_TEXT),
    FIELD(key_file, LCC_TEXT),
    FIELD(key_password, LCC_TEXT),
    FIELD(proxy, LCC_TEXT),
    FIELD(no_proxy, LCC_TEXT),
    FIELD(connect_to, LCC_LINES),
    FIELD(secret, LCC_SECRET),
    FIELD(auth, LCC_TEXT),
    {NULL, LCC_TEXT, 0},
};
#undef FIELD

static bool is_method(const char *name) {
    for (const char *const *m = cc_request_methods; *m; m++) {
        if (strcmp(*m, name) == 0) return true;
    }
    return false;
}

static void check_url(lua_State *L, const lcc_text *url) {
    if (!url->s) luaL_error(L, "submit: field \"url\" is required");
    const char *must = cc_text_check_url(url->s, url->n);
    if (must) lcc_field_error(L, "submit", "url", must);
}

/* Never shows the line: it may hold the key. */
static void check_headers(lua_State *L, size_t n) {
    if (n == 0) return;
    lua_getfield(L, 2, "headers");
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (int)i);
        lcc_text line = {NULL, 0};
        line.s = lua_tolstring(L, -1, &line.n);
        const char *must = cc_text_check_header(line.s, line.n);
        if (must) luaL_error(L, "submit: field \"headers\": line %d must %s", (int)i, must);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Redirects repeat a request, which is what once forbids, and a body would travel with them. */
static void check_follow(lua_State *L, const submit_options *o) {
    if (!o->follow) return;
    if (o->once) luaL_error(L, "submit: fields \"once\" and \"follow\" exclude each other");
    if (o->body.s || (strcmp(o->method.s, "GET") != 0 && strcmp(o->method.s, "HEAD") != 0)) {
        luaL_error(L, "submit: field \"follow\" goes with GET and HEAD only");
    }
}

/* A hole between what is there and what comes would look like a part of the file. */
static void check_file(lua_State *L, const submit_options *o) {
    int64_t size = 0;
    if (!o->file) {
        if (o->offset) luaL_error(L, "submit: field \"offset\" goes with \"file\" only");
        return;
    }
    if (o->body.s || strcmp(o->method.s, "GET") != 0) {
        luaL_error(L, "submit: field \"file\" goes with GET only");
    }
    cc_file_size(o->file, &size);
    if ((int64_t)o->offset > size) {
        lcc_field_error(L, "submit", "offset", "not lie behind the end of the file");
    }
}

/* CC_AUTH_NONE also for a word that is none. */
static cc_auth auth_of(const submit_options *o) {
    static const char *const words[] = {"", "bearer", "api_key", "query"};
    for (int i = CC_AUTH_BEARER; o->auth.s && i <= CC_AUTH_QUERY; i++) {
        if (strcmp(o->auth.s, words[i]) == 0) return (cc_auth)i;
    }
    return CC_AUTH_NONE;
}

static void check_secret(lua_State *L, const submit_options *o) {
    if (!o->secret.bytes && !o->auth.s) return;
    if (!o->secret.bytes) luaL_error(L, "submit: field \"auth\" goes with \"secret\" only");
    if (!cc_secret_is_key(o->secret.bytes, o->secret.n))
        lcc_field_error(L, "submit", "secret", "be printable ASCII without spaces");
    if (auth_of(o) == CC_AUTH_NONE)
        lcc_field_error(L, "submit", "auth", "be bearer, api_key or query where a secret is given");
}

static submit_options read_submit_options(lua_State *L) {
    submit_options o = {.method = {"GET", 3}, .verify = true};
    o.max_body = SIZE_MAX;
    o.max_headers = DEFAULT_HEADERS;
    lcc_read_options(L, 2, "submit", SUBMIT_OPTIONS, &o);
    if (o.max_body == SIZE_MAX && !o.file) o.max_body = DEFAULT_BODY;
    check_url(L, &o.url);
    if (!is_method(o.method.s)) {
        lcc_field_error(L, "submit", "method", "be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
    }
    check_headers(L, o.headers);
    check_follow(L, &o);
    check_file(L, &o);
    check_secret(L, &o);
    return o;
}

static cc_spec spec_of(const submit_options *o) {
    return (cc_spec){
        .url = o->url.s,
        .method = o->method.s,
        .body = o->body.s,
        .body_len = o->body.n,
        .connect_timeout = o->connect_timeout,
        .idle_timeout = o->idle_timeout,
        .timeout = o->timeout,
        .max_body = o->max_body,
        .max_headers = o->max_headers,
        .file = o->file,
        .offset = (int64_t)o->offset,
        .once = o->once,
        .follow = o->follow,
        .insecure = !o->verify,
        .ca_file = o->ca_file.s,
        .ca_path = o->ca_path.s,
        .cert_file = o->cert_file.s,
        .key_file = o->key_file.s,
        .key_password = o->key_password.s,
        .proxy = o->proxy.s,
        .no_proxy = o->no_proxy.s,
        .secret = o->secret,
        .auth = auth_of(o),
    };
}

/* All strings were checked: nothing in here can raise. */
static bool add_lines(lua_State *L, const char *field, size_t n, cc_request *r,
                      bool (*add)(cc_request *, const char *)) {
    bool ok = true;
    if (n == 0) return true;
    lua_getfield(L, 2, field);
    for (size_t i = 1; i <= n && ok; i++) {
        lua_rawgeti(L, -1, (int)i);
        ok = add(r, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ok;
}

static cc_code submit_spec(lua_State *L, cc_engine *e, const submit_options *o, cc_id *id) {
    cc_spec spec = spec_of(o);
    cc_request *r;
    cc_code code = cc_engine_prepare(e, &spec, &r);
    if (code != CC_OK) return code;
    if (add_lines(L, "headers", o->headers, r, cc_request_add_header) &&
        add_lines(L, "connect_to", o->connect_to, r, cc_request_add_address))
        return cc_engine_submit(e, r, id);
    cc_engine_discard(e, r);
    return CC_NOMEM;
}

static int submit(lua_State *L) {
    cc_engine *e = check(L);
    submit_options o = read_submit_options(L);
    cc_id id = 0;
    switch (submit_spec(L, e, &o, &id)) {
    case CC_OK:
        push_id(L, id);
        return 1;
    case CC_NOMEM:
        return luaL_error(L, "submit: out of memory");
    case CC_NO_FD:
        return luaL_error(L, "submit: no file descriptor left");
    case CC_FULL:
        return luaL_error(L, "submit: too many transfers in flight");
    case CC_REFUSED:
        break;
    }
    return luaL_error(L, "submit: libcurl refused the request");
}

/* ---- next ---- */

/* Peek, push, then pop: an error loses nothing. Pushing may collect, and a finalizer may take the
 * same transfer or close the engine; so the bytes are held meanwhile. */
static int next(lua_State *L) {
    cc_id id;
    cc_answer answer;
    box *b = luaL_checkudata(L, 1, CLASS);
    lua_settop(L, 1);
    lua_pushcfunction(L, lcc_push_answer); /* in 5.1 it allocates: nothing is held yet */
    cc_request *r = cc_engine_hold(check(L), &id, &answer);
    if (!r) return 0;
    push_id(L, id);
    lua_insert(L, 2);
    lua_pushlightuserdata(L, &answer);
    int rc = lua_pcall(L, 1, LUA_MULTRET, 0);
    cc_engine_release(b->engine, r, rc == 0);
    return rc == 0 ? lua_gettop(L) - 1 : lua_error(L);
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
    double seconds = (double)luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0, 2, "seconds >= 0 expected");
    if (seconds > LONGEST_WAIT) seconds = LONGEST_WAIT;
    cc_engine_wait(e, (int64_t)(seconds * 1e6));
    if (lcc_interrupted()) return luaL_error(L, "interrupted!");
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
    lua_createtable(L, 0, 5);
    lcc_set_string(L, "version", about.version);
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
