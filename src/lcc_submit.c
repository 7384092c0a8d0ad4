/* engine:submit: a table of options becomes a transfer. */
#include "lcc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cc_engine.h"
#include "cc_file.h"
#include "cc_secret.h"
#include "cc_text.h"

#define DEFAULT_BODY    (64u << 20)
#define DEFAULT_HEADERS (256u << 10)

/* ---- options ---- */

typedef struct submit_options {
    lcc_text url, method, body, ca_file, ca_path, cert_file, key_file, key_password, proxy,
        no_proxy, auth;
    cc_secret secret;
    size_t headers, connect_to;
    double connect_timeout, idle_timeout, timeout;
    size_t max_body, max_headers, offset;
    const cc_file *file;
    cc_meter *meter;
    bool once, follow, verify, apart, common;
} submit_options;

enum { OWN = 2, COMMON = 3 }; /* where the two tables stand */

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
    FIELD(meter, LCC_METER),
    FIELD(apart, LCC_FLAG),
    FIELD(common, LCC_TABLE),
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

/* The lines of a field, which stands in one of the two tables. [+1] */
static void push_lines(lua_State *L, const char *field) {
    lua_getfield(L, OWN, field);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_getfield(L, COMMON, field);
}

/* Never shows the line: it may hold the key. */
static void check_headers(lua_State *L, size_t n) {
    if (n == 0) return;
    push_lines(L, "headers");
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

/* What all requests of a client have in common is in a table of its own, so that it need not be put
 * together for each of them; what the request says itself goes before. */
static void read_both(lua_State *L, submit_options *o) {
    luaL_checktype(L, OWN, LUA_TTABLE);
    lua_settop(L, OWN);
    lua_getfield(L, OWN, "common");
    if (lua_istable(L, COMMON)) lcc_read_options(L, COMMON, "submit", SUBMIT_OPTIONS, o);
    lcc_read_options(L, OWN, "submit", SUBMIT_OPTIONS, o);
}

static submit_options read_submit_options(lua_State *L) {
    submit_options o = {.method = {"GET", 3}, .verify = true};
    o.max_body = SIZE_MAX;
    o.max_headers = DEFAULT_HEADERS;
    read_both(L, &o);
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
        .meter = o->meter,
        .apart = o->apart,
    };
}

/* ---- the transfer ---- */

/* All strings were checked: nothing in here can raise. */
static bool add_lines(lua_State *L, const char *field, size_t n, cc_request *r,
                      bool (*add)(cc_request *, const char *)) {
    bool ok = true;
    if (n == 0) return true;
    push_lines(L, field);
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

uint64_t lcc_submit(lua_State *L, cc_engine *e) {
    submit_options o = read_submit_options(L);
    cc_id id = 0;
    switch (submit_spec(L, e, &o, &id)) {
    case CC_OK:
        break;
    case CC_NOMEM:
        luaL_error(L, "submit: out of memory");
        break;
    case CC_NO_FD:
        luaL_error(L, "submit: no file descriptor left");
        break;
    case CC_FULL:
        luaL_error(L, "submit: too many transfers in flight");
        break;
    case CC_REFUSED:
        luaL_error(L, "submit: libcurl refused the request");
        break;
    }
    return id;
}
