/* JSON binding: what the library returned is put right.
 *
 * Mostly along the steps that the guard wrote down, so that a page costs what its few integers and
 * empty arrays cost; over every value when the guard gave that up. Raw access only, and no key is
 * ever added to a table that has it not. */
#include "lcc_json.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_53 9007199254740992.0

/* --- One value: finds it on the top, and returns 1 if another one stands there now --- */

#if LUA_VERSION_NUM >= 503
static int settle_number(lua_State *L, const cc_json *g) {
    lua_Number x = lua_tonumber(L, -1);
    if (!(g->rules & CC_JSON_WHOLE_FLOATS) || lua_isinteger(L, -1)) return 0;
    if (x > TWO_53 || x < -TWO_53 || x != (lua_Number)(lua_Integer)x) return 0;
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)x);
    return 1;
}
#else
static int settle_number(lua_State *L, const cc_json *g) {
    (void)L;
    (void)g;
    return 0;
}
#endif

static int is_float(const char *tagged) {
    return *tagged != CC_JSON_TAG_LIST && *tagged != CC_JSON_TAG_MAP && strpbrk(tagged, ".eE");
}

/* Too large for a double: the digits say more than an infinity. [+1] */
static void push_float(lua_State *L, const char *digits) {
    double x = strtod(luaL_gsub(L, digits, ".", localeconv()->decimal_point), NULL);
    lua_pop(L, 1);
    if (x == 0 && !is_float(digits)) x = 0; /* -0 is an integer */
    if (isinf(x))
        lua_pushstring(L, digits);
    else
        lua_pushnumber(L, x);
}

/* digits: a literal that the guard tagged. Below 5.3 all of them become floats. [+1] */
static void push_number(lua_State *L, const char *digits) {
#if LUA_VERSION_NUM >= 503
    if (!is_float(digits)) {
        lua_pushinteger(L, (lua_Integer)strtoll(digits, NULL, 10));
        return;
    }
#endif
    push_float(L, digits);
}

static void push_list(lua_State *L) {
    lua_newtable(L);
    lua_pushvalue(L, LCC_UP(UP_LIST));
    lua_setmetatable(L, -2);
}

static int settle_string(lua_State *L, const cc_json *g, int floats) {
    size_t n;
    const char *s = lua_tolstring(L, -1, &n);
    if (n <= g->tag_len || memcmp(s, g->tag, g->tag_len) != 0) return 0;
    s += g->tag_len;
    if (!floats && is_float(s)) return 0;
    if (*s == CC_JSON_TAG_LIST)
        push_list(L);
    else if (*s == CC_JSON_TAG_MAP)
        lua_newtable(L);
    else
        push_number(L, s);
    lua_remove(L, -2);
    return 1;
}

/* --- All values --- */

static int settle_any(lua_State *L, const cc_json *g);

static void settle_list(lua_State *L, const cc_json *g, int n) {
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        if (settle_any(L, g))
            lua_rawseti(L, -2, i);
        else
            lua_pop(L, 1);
    }
}

static void settle_map(lua_State *L, const cc_json *g) {
    for (lua_pushnil(L); lua_next(L, -2);) {
        if (settle_any(L, g)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2); /* table key key value */
            lua_rawset(L, -4); /* an existing key: allowed while walking */
        } else {
            lua_pop(L, 1);
        }
    }
}

/* Puts the value on the top right; 1 if another one stands there now. The guard has seen how deep
 * the tables go, so this cannot recurse without end. */
static int settle_any(lua_State *L, const cc_json *g) {
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        return settle_number(L, g);
    case LUA_TSTRING:
        return g->tagged && settle_string(L, g, 1);
    case LUA_TTABLE:
        break;
    default:
        return 0;
    }
    luaL_checkstack(L, 6, "JSON nested too deep");
    int n = (int)lcc_rawlen(L, -1);
    if (n > 0)
        settle_list(L, g, n);
    else
        settle_map(L, g);
    return 0;
}

/* --- Along the steps --- */

/* Rows have the same keys again and again: making a Lua string of each would cost more than using
 * it. A few of the last ones are kept on the stack, above the root; not where there are few steps:
 * a thousand tasks have a stack each, which does not soon become small again. */
enum { KEPT = 64, FEW = 64 };

typedef struct trip {
    lua_State *L;
    const cc_json *g;
    int second; /* the floats' turn */
    int base;   /* stack index below the kept keys */
    int keeps;  /* are any kept? */
    int astray; /* how deep in what is no table: a key occurs twice in this text */
    const char *kept[KEPT];
    uint32_t lengths[KEPT];
} trip;

static unsigned slot_of(const cc_json_op *op) {
    const unsigned char *key = (const unsigned char *)op->key;
    unsigned n = op->at;
    if (n < 2) return n;
    return (n * 31 + key[0] * 5u + key[n - 1] * 7u + key[n - 2] * 17u) % KEPT;
}

static void push_kept(trip *t, const cc_json_op *op) {
    unsigned slot = slot_of(op);
    int index = t->base + 1 + (int)slot;
    if (t->kept[slot] && t->lengths[slot] == op->at && !memcmp(t->kept[slot], op->key, op->at)) {
        lua_pushvalue(t->L, index);
        return;
    }
    lua_pushlstring(t->L, op->key, op->at);
    lua_pushvalue(t->L, -1);
    lua_replace(t->L, index);
    t->kept[slot] = op->key;
    t->lengths[slot] = op->at;
}

static void push_key(trip *t, const cc_json_op *op) {
    if (t->keeps)
        push_kept(t, op);
    else
        lua_pushlstring(t->L, op->key, op->at);
}

static void enter(trip *t, const cc_json_op *op) {
    if (t->astray > 0) {
        t->astray++;
        return;
    }
    luaL_checkstack(t->L, LUA_MINSTACK, "JSON nested too deep");
    if (op->key) {
        push_key(t, op);
        lua_rawget(t->L, -2);
    } else {
        lua_rawgeti(t->L, -1, (int)op->at);
    }
    t->astray = !lua_istable(t->L, -1);
}

static void leave(trip *t) {
    if (t->astray > 0) t->astray--;
    if (t->astray == 0) lua_pop(t->L, 1);
}

static int settle_kind(trip *t, cc_json_step kind) {
    int type = lua_type(t->L, -1);
    if (kind == CC_JSON_INTEGERS) return type == LUA_TNUMBER && settle_number(t->L, t->g);
    return type == LUA_TSTRING && settle_string(t->L, t->g, kind == CC_JSON_FLOAT);
}

static void visit_key(trip *t, const cc_json_op *op) {
    push_key(t, op);
    lua_pushvalue(t->L, -1);
    lua_rawget(t->L, -3); /* table key value */
    if (settle_kind(t, op->step))
        lua_rawset(t->L, -3);
    else
        lua_pop(t->L, 2);
}

static void visit_index(trip *t, cc_json_step kind, int i) {
    lua_rawgeti(t->L, -1, i);
    if (settle_kind(t, kind))
        lua_rawseti(t->L, -2, i);
    else
        lua_pop(t->L, 1);
}

static void visit_all(trip *t, const cc_json_op *op) {
    if (t->astray) return;
    if (op->key)
        visit_key(t, op);
    else
        for (uint32_t i = 0; i < op->count; i++) visit_index(t, op->step, (int)(op->at + i));
}

/* Floats come last: before, a float without a fraction can only be an integer of the text, also
 * where keys occur twice and a step leads to another value than the one it was meant for. */
static void follow(trip *t, const cc_json_op *op, const cc_json_op *end) {
    for (; op < end; op++) {
        switch (op->step) {
        case CC_JSON_ENTER:
            enter(t, op);
            break;
        case CC_JSON_LEAVE:
            leave(t);
            break;
        default:
            if ((op->step == CC_JSON_FLOAT) == t->second) visit_all(t, op);
        }
    }
}

/* [-0, +0] the root is on the top */
static void follow_steps(lua_State *L, const cc_json *g) {
    trip t = {.L = L, .g = g, .base = lua_gettop(L)};
    const cc_buf *ops = &g->path.ops;
    const cc_json_op *first = (const cc_json_op *)(const void *)ops->data;
    if (!first) return; /* to which not even nothing may be added */
    const cc_json_op *end = first + ops->len / sizeof *first;
    t.keeps = end - first > FEW;
    int root = t.base + (t.keeps ? KEPT : 0) + 1;
    luaL_checkstack(L, root - t.base + LUA_MINSTACK, "JSON nested too deep");
    lua_settop(L, root - 1);
    lua_pushvalue(L, t.base);
    for (t.second = 0; t.second <= g->floats; t.second++) {
        follow(&t, first, end);
        lua_settop(L, root); /* some tables may still be open */
    }
    lua_settop(L, t.base);
}

void lcc_json_settle(lua_State *L, cc_json *g) {
    if (g->path.all)
        settle_any(L, g);
    else if (lua_istable(L, -1))
        follow_steps(L, g);
    cc_json_free(g);
}
