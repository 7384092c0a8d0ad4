/* JSON binding, first half: decoding, and the codec that ties a library to the guard.
 *
 * Whatever may raise runs below one lua_pcall, with its memory in a userdata: an error, of memory
 * too, frees everything and ends as nil and a message. */
#include "lcc_json.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Buffers --- */

static int scratch_gc(lua_State *L) {
    cc_json_free(lua_touserdata(L, 1));
    return 0;
}

cc_json *lcc_json_scratch(lua_State *L, unsigned rules) {
    cc_json *g = lcc_newuserdata(L, sizeof *g);
    cc_json_init(g, rules);
    lua_pushvalue(L, LCC_UP(UP_SCRATCH));
    lua_setmetatable(L, -2);
    return g;
}

static void push_scratch_class(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, scratch_gc);
    lua_setfield(L, -2, "__gc");
}

/* --- Messages --- */

/* A few bytes of the text for people, and never more: it may hold secrets. */
enum { NEAR = 12, MESSAGE = 320, REASON = 160 };

static void show(char out[NEAR + 1], const char *text, size_t n) {
    if (n > NEAR) n = NEAR;
    for (size_t i = 0; i < n; i++) out[i] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?';
    out[n] = 0;
}

/* at: offset of the fault; beyond the text if it is the end. [+2] */
static int fail_at(lua_State *L, const char *reason, const char *text, size_t len, size_t at) {
    char message[MESSAGE], near[NEAR + 1];
    if (at >= len) {
        snprintf(message, sizeof message, "invalid JSON: %.*s; the text ends after %.0f bytes",
                 REASON, reason, (double)len);
    } else {
        show(near, text + at, len - at);
        snprintf(message, sizeof message, "invalid JSON: %.*s at byte %.0f of %.0f, near \"%s\"",
                 REASON, reason, (double)at + 1, (double)len, near);
    }
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

static int fail(lua_State *L, const char *reason) {
    char message[MESSAGE];
    snprintf(message, sizeof message, "invalid JSON: %.*s", REASON, reason);
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

/* --- Decode --- */

/* The library reads and writes the decimal point of the locale, so then it gets no floats to read.
 */
static unsigned rules_now(lua_State *L) {
    unsigned rules = (unsigned)lua_tointeger(L, LCC_UP(UP_RULES));
    return strcmp(localeconv()->decimal_point, ".") == 0 ? rules : rules | CC_JSON_ALL_NUMBERS;
}

/* The first argument: a string, or a body that never becomes one unless the library wants it as it
 * is. */
static const char *text_of(lua_State *L, size_t *len) {
    const cc_buf *body = lcc_to_body(L, 1);
    if (!body) return lua_tolstring(L, 1, len);
    *len = body->len;
    return body->len ? body->data : "";
}

static void push_text(lua_State *L, cc_json *g) {
    if (g->rewritten)
        lua_pushlstring(L, g->out.data, g->out.len);
    else if (g->skipped || lua_type(L, 1) != LUA_TSTRING)
        lua_pushlstring(L, g->text, (size_t)(g->end - g->text));
    else
        lua_pushvalue(L, 1);
    cc_buf_free(&g->out);
}

static int decode_with(lua_State *L, cc_json *g) {
    size_t len;
    const char *text = text_of(L, &len);
    cc_json_code code = cc_json_guard(g, text, len);
    if (code == CC_JSON_LARGE || code == CC_JSON_NOMEM || code == CC_JSON_TAGS)
        return fail(L, cc_json_reason(code));
    if (code != CC_JSON_OK) return fail_at(L, cc_json_reason(code), text, len, g->fault);
    lua_pushvalue(L, LCC_UP(UP_DECODE));
    push_text(L, g);
    lua_call(L, 1, 1);
    lcc_json_settle(L, g);
    return 1;
}

/* The guard of a codec, which is used again: one for each text would be one more object with a
 * finalizer. Only who decodes in a finalizer, while another text is being decoded, needs his own. */
typedef struct keeper {
    cc_json guard;
    bool busy;
} keeper;

static void give_back(keeper *k) {
    cc_json_free(&k->guard);
    k->busy = false;
}

/* (text) -> value | nil, message; the library's refusals and lack of memory are raised. */
static int decode_inner(lua_State *L) {
    keeper *k = lua_touserdata(L, LCC_UP(UP_KEEPER));
    if (k->busy) return decode_with(L, lcc_json_scratch(L, rules_now(L)));
    k->busy = true;
    cc_json_init(&k->guard, rules_now(L));
    int n = decode_with(L, &k->guard);
    give_back(k);
    return n;
}

/* The library's words without its position, which is one in the rewritten text. */
static int library_refusal(lua_State *L, unsigned rules, const char *words) {
    static const char AT[] = " at character ";
    char reason[REASON];
    size_t len;
    const char *text = text_of(L, &len);
    const char *at = strstr(words, AT);
    if (!at) return fail(L, words);
    size_t position = strtoul(at + strlen(AT), NULL, 10);
    const char *found = strstr(words, " but found T_"); /* its name of what `near` shows */
    size_t n = (size_t)((found ? found : at) - words);
    snprintf(reason, sizeof reason, "%.*s", (int)(n < REASON ? n : REASON), words);
    if (*reason >= 'A' && *reason <= 'Z') *reason |= 0x20;
    return fail_at(L, reason, text, len,
                   cc_json_origin(rules, text, len, position - (position > 0)));
}

/* Upvalues: the inner function, the rules, the keeper. */
static int decode(lua_State *L) {
    keeper *k = lua_touserdata(L, lua_upvalueindex(3));
    bool was_busy = k->busy;
    if (lua_type(L, 1) != LUA_TSTRING && !lcc_to_body(L, 1))
        return luaL_argerror(L, 1, "JSON text must be a string");
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    if (status == 0) return lua_gettop(L) - 1;
    if (!was_busy) give_back(k);
    const char *words = lua_tostring(L, -1);
    if (status == LUA_ERRMEM || !words) return fail(L, cc_json_reason(CC_JSON_NOMEM));
    unsigned rules = (unsigned)lua_tointeger(L, lua_upvalueindex(2));
    if (strcmp(localeconv()->decimal_point, ".") != 0) rules |= CC_JSON_ALL_NUMBERS;
    return library_refusal(L, rules, words);
}

/* --- Codec --- */

/* Upvalue: the inner function. (value [, what]) -> result | nil, message */
static int checked(lua_State *L) {
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) luaL_checkstring(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    int status = lua_pcall(L, 2, 1, 0);
    if (status == 0) return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static unsigned flag(lua_State *L, const char *name, unsigned bit) {
    lua_getfield(L, 1, name);
    unsigned set = lua_toboolean(L, -1) ? bit : 0;
    lua_pop(L, 1);
    return set;
}

static unsigned read_rules(lua_State *L) {
    unsigned rules = CC_JSON_LISTS | flag(L, "object_class", CC_JSON_MAPS) |
                     flag(L, "refuses_controls", CC_JSON_CONTROLS);
    if (strcmp(localeconv()->decimal_point, ".") != 0) rules |= CC_JSON_ALL_NUMBERS;
#if LUA_VERSION_NUM >= 503
    rules |= flag(L, "integers", CC_JSON_INT64_NATIVE);
    if (!(rules & CC_JSON_INT64_NATIVE)) rules |= CC_JSON_INT64 | CC_JSON_WHOLE_FLOATS;
#endif
    return rules;
}

/* Pushes the upvalues of an inner function, in their order. [+UP_COUNT] */
static void push_upvalues(lua_State *L, unsigned rules) {
    static const char *const NAMED[] = {"decode", "encode", "null", "list", "marks", "cdata"};
    luaL_checkstack(L, UP_COUNT + 4, "JSON codec");
    for (int i = 0; i < UP_RULES - 1; i++) lua_getfield(L, 1, NAMED[i]);
    lua_pushinteger(L, (lua_Integer)rules);
    lua_pushboolean(L, flag(L, "empty_is_list", 1) != 0);
    push_scratch_class(L);
}

/* Its guard is the first thing in it, which is what the class frees. [+1] */
static void push_keeper(lua_State *L) {
    keeper *k = lcc_newuserdata(L, sizeof *k);
    memset(k, 0, sizeof *k);
    cc_json_init(&k->guard, 0);
    push_scratch_class(L);
    lua_setmetatable(L, -2);
}

/* json_codec { decode=, encode=, null=, list=, marks=, cdata=, and what the library does:
 * integers=, object_class=, refuses_controls=, empty_is_list= } -> decode, encode, copy */
static int codec(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    unsigned rules = read_rules(L);
    push_keeper(L); /* keeper */
    push_upvalues(L, rules);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, decode_inner, UP_KEEPER);
    lua_pushinteger(L, (lua_Integer)rules);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, decode, 3);
    push_upvalues(L, rules);
    lua_pushcclosure(L, lcc_json_encode, UP_COUNT);
    lua_pushcclosure(L, checked, 1);
    push_upvalues(L, rules);
    lua_pushcclosure(L, lcc_json_copy, UP_COUNT);
    lua_pushcclosure(L, checked, 1);
    return 3;
}

void lcc_open_json(lua_State *L) {
    static const luaL_Reg functions[] = {{"json_codec", codec}, {NULL, NULL}};
    lcc_setfuncs(L, functions);
    lua_pushinteger(L, CC_JSON_MAX_DEPTH);
    lua_setfield(L, -2, "json_max_depth");
    lua_pushlightuserdata(L, NULL); /* lua-cjson's null, and nginx's */
    lua_setfield(L, -2, "json_null");
}
