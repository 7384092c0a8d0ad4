/* coreclaw.common: options that many requests have in common, read once. */
#include "lcc_submit.h"

#define CLASS "coreclaw.common"

const void *lcc_to_common(lua_State *L, int index) {
    const lcc_common *c = lcc_to_userdata(L, index, CLASS);
    return c && !c->dropped ? c : NULL;
}

static bool is_late(lua_State *L, const lcc_option *o) {
    return o->type == LCC_FILE || o->type == LCC_METER || lcc_to_secret(L, -1);
}

static void note_late(lua_State *L, lcc_common *c, int table) {
    for (const lcc_option *o = lcc_request_options; o->name; o++) {
        lua_getfield(L, table, o->name);
        if (!lua_isnil(L, -1) && is_late(L, o)) {
            if (c->late_count == sizeof c->late / sizeof c->late[0])
                luaL_error(L, "common: too many fields that may end before it");
            c->late[c->late_count++] = o;
        }
        lua_pop(L, 1);
    }
}

static cc_lines *make_lines(lua_State *L, int table, const char *field, size_t n,
                            bool (*add)(cc_lines *, const char *)) {
    lua_getfield(L, table, field); /* may raise: nothing is held yet */
    cc_lines *lines = cc_lines_new();
    bool ok = lines != NULL;
    for (size_t i = 1; i <= n && ok; i++) {
        lua_rawgeti(L, -1, (int)i);
        ok = add(lines, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (ok) return lines;
    cc_lines_drop(lines);
    luaL_error(L, "common: out of memory");
    return NULL;
}

/* They are read once: not again for each request. */
static void keep_lines(lua_State *L, lcc_common *c, int table) {
    if (c->r.headers != LCC_NOT_GIVEN)
        c->headers = make_lines(L, table, "headers", c->r.headers, cc_lines_add_header);
    if (c->r.connect_to != LCC_NOT_GIVEN)
        c->addresses = make_lines(L, table, "connect_to", c->r.connect_to, cc_lines_add);
    c->r.headers = c->r.connect_to = LCC_NOT_GIVEN;
}

/* Its strings must not go while we borrow them, whatever becomes of the caller's table. [+1] */
static void push_copy(lua_State *L, int table) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, table);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/* common(options) -> common: for the field of that name in engine:submit */
static int new_common(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lcc_common *c = lcc_newholder(L, sizeof *c);
    *c = (lcc_common){.r = lcc_request_defaults()};
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, 2);
    push_copy(L, 1);
    lcc_read_options(L, 3, "common", lcc_request_options, &c->r);
    if (c->r.common) luaL_error(L, "common: field \"common\" must not be in it");
    lcc_check_method(L, "common", &c->r);
    lcc_check_headers(L, 3, "common", c->r.headers);
    note_late(L, c, 3);
    keep_lines(L, c, 3);
    lcc_hold(L, 2);
    return 1;
}

static int drop_common(lua_State *L) {
    lcc_common *c = luaL_checkudata(L, 1, CLASS);
    cc_lines_drop(c->headers);
    cc_lines_drop(c->addresses);
    c->headers = c->addresses = NULL;
    c->dropped = true;
    return 0;
}

void lcc_take_common(lua_State *L, int index, lcc_request *r) {
    const lcc_common *c = lcc_to_common(L, index);
    if (!c) return;
    *r = c->r;
    lcc_push_held(L, index);
    lua_replace(L, index);
    for (int i = 0; i < c->late_count; i++) {
        lua_getfield(L, index, c->late[i]->name);
        lcc_read_option(L, "submit", c->late[i], r);
        lua_pop(L, 1);
    }
}

static const luaL_Reg METHODS[] = {{NULL, NULL}};

static const luaL_Reg META[] = {{"__gc", drop_common}, {NULL, NULL}};

static const luaL_Reg FUNCTIONS[] = {{"common", new_common}, {NULL, NULL}};

void lcc_open_common(lua_State *L) {
    lcc_class(L, CLASS, META, METHODS);
    lcc_setfuncs(L, FUNCTIONS);
}
