/* engine:submit: a table of options becomes a transfer. */
#include "lcc_submit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cc_engine.h"
#include "cc_text.h"

#define DEFAULT_BODY    (64u << 20)
#define DEFAULT_HEADERS (256u << 10)

/* ---- options ---- */

/* Where the request's table stands, and the one that its common was made of. */
enum { OWN = 2, COMMON = 3 };

#define FIELD(name, type)                                                                          \
    { #name, type, offsetof(lcc_request, name) }
const lcc_option lcc_request_options[] = {
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
    FIELD(common, LCC_COMMON),
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
void lcc_check_headers(lua_State *L, int table, const char *what, size_t n) {
    if (n == LCC_NOT_GIVEN || n == 0) return;
    lua_getfield(L, table, "headers");
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (int)i);
        lcc_text line = {NULL, 0};
        line.s = lua_tolstring(L, -1, &line.n);
        const char *must = cc_text_check_header(line.s, line.n);
        if (must) luaL_error(L, "%s: field \"headers\": line %d must %s", what, (int)i, must);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Redirects repeat a request, which is what once forbids, and a body would travel with them. */
static void check_follow(lua_State *L, const lcc_request *o) {
    if (!o->follow) return;
    if (o->once) luaL_error(L, "submit: fields \"once\" and \"follow\" exclude each other");
    if (o->body.s || (strcmp(o->method.s, "GET") != 0 && strcmp(o->method.s, "HEAD") != 0)) {
        luaL_error(L, "submit: field \"follow\" goes with GET and HEAD only");
    }
}

/* A hole between what is there and what comes would look like a part of the file. */
static void check_file(lua_State *L, const lcc_request *o) {
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
static cc_auth auth_of(const lcc_request *o) {
    static const char *const words[] = {"", "bearer", "api_key", "query"};
    for (int i = CC_AUTH_BEARER; o->auth.s && i <= CC_AUTH_QUERY; i++) {
        if (strcmp(o->auth.s, words[i]) == 0) return (cc_auth)i;
    }
    return CC_AUTH_NONE;
}

static void check_secret(lua_State *L, const lcc_request *o) {
    if (!o->secret.bytes && !o->auth.s) return;
    if (!o->secret.bytes) luaL_error(L, "submit: field \"auth\" goes with \"secret\" only");
    if (!cc_secret_is_key(o->secret.bytes, o->secret.n))
        lcc_field_error(L, "submit", "secret", "be printable ASCII without spaces");
    if (auth_of(o) == CC_AUTH_NONE)
        lcc_field_error(L, "submit", "auth", "be bearer, api_key or query where a secret is given");
}

void lcc_check_method(lua_State *L, const char *what, const lcc_request *o) {
    if (is_method(o->method.s)) return;
    lcc_field_error(L, what, "method", "be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
}

lcc_request lcc_request_defaults(void) {
    return (lcc_request){
        .method = {"GET", 3},
        .verify = true,
        .headers = LCC_NOT_GIVEN,
        .connect_to = LCC_NOT_GIVEN,
        .max_body = LCC_NOT_GIVEN,
        .max_headers = DEFAULT_HEADERS,
    };
}

/* ---- all of a request ---- */

static void check_all(lua_State *L, const lcc_request *o) {
    check_url(L, &o->url);
    lcc_check_method(L, "submit", o);
    lcc_check_headers(L, OWN, "submit", o->headers);
    check_follow(L, o);
    check_file(L, o);
    check_secret(L, o);
}

static lcc_request read_lcc_request(lua_State *L) {
    lcc_request o = lcc_request_defaults();
    luaL_checktype(L, OWN, LUA_TTABLE);
    lua_settop(L, OWN);
    lua_getfield(L, OWN, "common");
    /* What the request says itself goes before; what is no common is refused with the rest. */
    lcc_take_common(L, COMMON, &o);
    lcc_read_options(L, OWN, "submit", lcc_request_options, &o);
    if (o.max_body == LCC_NOT_GIVEN && !o.file) o.max_body = DEFAULT_BODY;
    check_all(L, &o);
    return o;
}

static cc_spec spec_of(const lcc_request *o) {
    const lcc_common *c = o->common;
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
        .headers = o->headers == LCC_NOT_GIVEN && c ? c->headers : NULL,
        .addresses = o->connect_to == LCC_NOT_GIVEN && c ? c->addresses : NULL,
    };
}

/* ---- the transfer ---- */

/* All strings were checked: nothing in here can raise. */
static bool add_lines(lua_State *L, const char *field, size_t n, cc_request *r,
                      bool (*add)(cc_request *, const char *)) {
    bool ok = true;
    if (n == LCC_NOT_GIVEN || n == 0) return true;
    lua_getfield(L, OWN, field);
    for (size_t i = 1; i <= n && ok; i++) {
        lua_rawgeti(L, -1, (int)i);
        ok = add(r, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ok;
}

static cc_code submit_spec(lua_State *L, cc_engine *e, const lcc_request *o, cc_id *id) {
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
    lcc_request o = read_lcc_request(L);
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
