/* JSON binding, second half: the checked copy of a caller's value.
 *
 * For encoding, what the library would lose stands in the copy as a tagged string. Tables are
 * read raw: of metatables only our own marks count, and __index, __pairs and the like are never
 * called. Raised messages begin with the path of the value, like input.keywords[3]. */
#include "lcc_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The library ends the process when its buffer passes 2 GiB. A byte becomes six at most; a million
 * values is where a table that is shared over and over shows itself. */
#define BUDGET ((size_t)512 << 20)
enum { VALUE_COST = 512, BYTE_COST = 6 };

/* Below, "%.14g" of the oldest lua-cjson writes every digit. */
#define PLAIN_LIMIT 1e14

/* One step of the path from the root to the value at hand; lives on the C stack. */
typedef struct node {
    const struct node *up;
    const char *key; /* of the root: its name. NULL: the index counts */
    size_t key_len;
    size_t index;
    const void *table; /* to notice cycles */
    unsigned depth;
} node;

typedef struct job {
    lua_State *L;
    int copying; /* the caller wants values, not tags */
    size_t budget;
} job;

/* --- Messages --- */

enum { PATH = 240, SHOWN_KEY = 40, MESSAGE = PATH + 240 };

typedef struct line {
    char text[PATH + 4];
    size_t len;
    int full;
} line;

static void put(line *l, const char *s, size_t n) {
    if (l->full) return;
    l->full = n > PATH - l->len;
    if (l->full) s = "...", n = 3;
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static int is_name(const char *s, size_t n) {
    if (n == 0 || n > SHOWN_KEY || (*s >= '0' && *s <= '9')) return 0;
    for (size_t i = 0; i < n; i++) {
        char c = s[i] | 0x20;
        if (!(c >= 'a' && c <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '_') return 0;
    }
    return 1;
}

static void put_odd_key(line *l, const char *s, size_t n) {
    char shown[SHOWN_KEY];
    size_t m = n < SHOWN_KEY ? n : SHOWN_KEY;
    for (size_t i = 0; i < m; i++)
        shown[i] = s[i] >= 0x20 && s[i] < 0x7F && s[i] != '"' ? s[i] : '?';
    put(l, "[\"", 2);
    put(l, shown, m);
    put(l, n > m ? "...\"]" : "\"]", n > m ? 5 : 2);
}

static void put_path(line *l, const node *n) {
    char index[32];
    if (n->up) put_path(l, n->up);
    if (!n->up) {
        put(l, n->key, n->key_len);
    } else if (!n->key) {
        put(l, index, (size_t)snprintf(index, sizeof index, "[%.0f]", (double)n->index));
    } else if (is_name(n->key, n->key_len)) {
        put(l, ".", 1);
        put(l, n->key, n->key_len);
    } else {
        put_odd_key(l, n->key, n->key_len);
    }
}

/* Raises "path: reason detail". Does not return. */
static void refuse_with(const job *j, const node *n, const char *reason, const char *detail) {
    line path = {{0}, 0, 0};
    char message[MESSAGE];
    put_path(&path, n);
    snprintf(message, sizeof message, "%.*s: %s%s", (int)path.len, path.text, reason, detail);
    lua_pushstring(j->L, message);
    lua_error(j->L);
}

static void refuse(const job *j, const node *n, const char *reason) {
    refuse_with(j, n, reason, "");
}

static void spend(job *j, const node *n, size_t bytes) {
    size_t most = (j->budget - VALUE_COST) / BYTE_COST;
    if (j->budget < VALUE_COST || bytes > most) refuse(j, n, "too much to send in one request");
    j->budget -= VALUE_COST + bytes * BYTE_COST;
}

/* --- Scalars: each finds the value on the top and may put another in its place --- */

/* text may live in the value that is replaced. */
static void replace_tagged(lua_State *L, const char *text, size_t n) {
    static const char TAG = (char)CC_JSON_TAG;
    lua_pushlstring(L, &TAG, 1);
    lua_pushlstring(L, text, n);
    lua_concat(L, 2);
    lua_replace(L, -2);
}

static void check_utf8(const job *j, const node *n, const char *s, size_t len) {
    char at[48];
    size_t bad = cc_json_utf8(s, len);
    if (bad == len) return;
    snprintf(at, sizeof at, "%.0f", (double)bad + 1);
    refuse_with(j, n, "text is not valid UTF-8 at byte ", at);
}

static void put_string(job *j, const node *n) {
    size_t len;
    const char *s = lua_tolstring(j->L, -1, &len);
    spend(j, n, len);
    check_utf8(j, n, s, len);
}

static void put_double(const job *j, const node *n) {
    char digits[CC_JSON_NUMBER_MAX];
    lua_Number x = lua_tonumber(j->L, -1);
    cc_json_range range = cc_json_double(x, digits);
    if (range == CC_JSON_NOT_FINITE) refuse_with(j, n, "JSON has no ", x != x ? "nan" : "infinity");
    if (range == CC_JSON_NOT_EXACT)
        refuse(j, n,
               "a number of 2^53 or more is not exact; write it as a string or coreclaw.integer");
    if (j->copying) return;
    if (strpbrk(digits, ".e") || x >= PLAIN_LIMIT || x <= -PLAIN_LIMIT) {
        replace_tagged(j->L, digits, strlen(digits));
    } else {
        lua_pushinteger(j->L, (lua_Integer)x); /* some libraries write 5.0 otherwise */
        lua_replace(j->L, -2);
    }
}

static void put_number(job *j, const node *n) {
    spend(j, n, 0);
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(j->L, -1)) {
        char digits[CC_JSON_NUMBER_MAX];
        lua_Integer i = lua_tointeger(j->L, -1);
        if (j->copying || (i < (lua_Integer)PLAIN_LIMIT && i > -(lua_Integer)PLAIN_LIMIT)) return;
        cc_json_int64(i, digits);
        replace_tagged(j->L, digits, strlen(digits));
        return;
    }
#endif
    put_double(j, n);
}

static void put_null(const job *j) {
    lua_pushvalue(j->L, LCC_UP(UP_NULL));
    lua_replace(j->L, -2);
}

static void put_empty_list(const job *j) {
    if (!j->copying) {
        replace_tagged(j->L, "[]", 2);
        return;
    }
    lua_newtable(j->L);
    lua_pushvalue(j->L, LCC_UP(UP_LIST));
    lua_setmetatable(j->L, -2);
    lua_replace(j->L, -2);
}

static void refuse_type(const job *j, const node *n, const char *type) {
    refuse_with(j, n, "expected a string, number, boolean, table or null, got ", type);
}

/* LuaJIT's boxed integers: a Lua function knows their digits. */
static void put_cdata(job *j, const node *n) {
    size_t len;
    if (lua_isnil(j->L, LCC_UP(UP_CDATA))) refuse_type(j, n, "cdata");
    spend(j, n, 0);
    lua_pushvalue(j->L, LCC_UP(UP_CDATA));
    lua_pushvalue(j->L, -2);
    lua_call(j->L, 1, 1);
    const char *digits = lua_tolstring(j->L, -1, &len);
    if (!digits) refuse_type(j, n, "cdata that is no 64 bit integer");
    if (!j->copying) {
        replace_tagged(j->L, digits, len);
        lua_remove(j->L, -2);
    } else {
        lua_pop(j->L, 1);
    }
}

/* What our marks say about the key or metatable on the top. [-1] */
static lcc_json_mark pop_mark(lua_State *L) {
    lua_rawget(L, LCC_UP(UP_MARKS));
    lcc_json_mark mark = (lcc_json_mark)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return mark;
}

static void put_userdata(job *j, const node *n) {
    lua_pushvalue(j->L, -1);
    switch (pop_mark(j->L)) {
    case MARK_NULL:
        put_null(j);
        break;
    case MARK_EMPTY:
        put_empty_list(j);
        break;
    default:
        refuse_type(j, n, lua_typename(j->L, lua_type(j->L, -1)));
    }
    spend(j, n, 0);
}

/* --- Tables --- */

static void put_value(job *j, const node *n);

static lcc_json_mark mark_of_table(lua_State *L) {
    return lua_getmetatable(L, -1) ? pop_mark(L) : MARK_NONE;
}

/* The table on the top is one of coreclaw.integer's. */
static void put_integer(job *j, const node *n) {
    lua_State *L = j->L;
    size_t len = 0;
    lua_pushliteral(L, "digits");
    lua_rawget(L, -2);
    const char *digits = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (!digits || !cc_json_is_integer(digits, len)) refuse(j, n, "not a whole number");
    spend(j, n, len);
    if (!j->copying) {
        replace_tagged(L, digits, len);
    } else {
        lua_createtable(L, 0, 1);
        lua_insert(L, -2);
        lua_setfield(L, -2, "digits");
        lua_getmetatable(L, -2);
        lua_setmetatable(L, -2);
    }
    lua_replace(L, -2);
}

typedef struct survey {
    size_t strings, numbers;
    lua_Number most; /* the largest index */
} survey;

static void count_key(const job *j, const node *n, survey *s) {
    lua_Number x;
    switch (lua_type(j->L, -2)) {
    case LUA_TSTRING:
        s->strings++;
        return;
    case LUA_TNUMBER:
        break;
    default:
        refuse_with(j, n, "keys are strings, or 1 to n; one is a ", luaL_typename(j->L, -2));
    }
    x = lua_tonumber(j->L, -2);
    if (!(x >= 1 && x <= 9007199254740992.0 && x == (lua_Number)(long long)x))
        refuse(j, n, "keys are strings, or 1 to n; one is another number");
    if (x > s->most) s->most = x;
    s->numbers++;
}

static void refuse_hole(const job *j, const node *n) {
    node child = {n, NULL, 0, 1, NULL, 0};
    for (;; child.index++) {
        lua_rawgeti(j->L, -1, (int)child.index);
        if (lua_isnil(j->L, -1)) refuse(j, &child, "missing; an array has no holes");
        lua_pop(j->L, 1);
    }
}

/* Counts the keys of the table on the top and refuses what is neither array nor object. */
static survey look_at(const job *j, const node *n, lcc_json_mark mark) {
    survey s = {0, 0, 0};
    lua_State *L = j->L;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count_key(j, n, &s);
    if (s.strings && s.numbers) refuse(j, n, "both an array and an object (keys of two kinds)");
    if (s.strings && mark == MARK_LIST) refuse(j, n, "marked as an array, but has string keys");
    if (s.most > (lua_Number)s.numbers) refuse_hole(j, n);
    return s;
}

/* Stack of the next two: source copy -> source copy */
static void fill_list(job *j, const node *n, size_t count) {
    lua_State *L = j->L;
    node child = {n, NULL, 0, 1, NULL, n->depth + 1};
    for (; child.index <= count; child.index++) {
        lua_rawgeti(L, -2, (int)child.index);
        put_value(j, &child);
        lua_rawseti(L, -2, (int)child.index);
    }
}

static void fill_map(job *j, const node *n) {
    lua_State *L = j->L;
    node child = {n, NULL, 0, 0, NULL, n->depth + 1};
    for (lua_pushnil(L); lua_next(L, -3);) {
        child.key = lua_tolstring(L, -2, &child.key_len); /* a string: look_at has seen to it */
        check_utf8(j, &child, child.key, child.key_len);
        spend(j, &child, child.key_len);
        put_value(j, &child);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

static void put_filled(job *j, const node *n, const survey *s, lcc_json_mark mark) {
    lua_createtable(j->L, (int)s->numbers, (int)s->strings);
    if (s->strings)
        fill_map(j, n);
    else
        fill_list(j, n, s->numbers);
    if (j->copying && mark == MARK_LIST) {
        lua_pushvalue(j->L, LCC_UP(UP_LIST));
        lua_setmetatable(j->L, -2);
    }
    lua_replace(j->L, -2);
}

static void check_place(job *j, node *n) {
    n->table = lua_topointer(j->L, -1);
    if (n->depth >= CC_JSON_MAX_DEPTH) refuse(j, n, "nested too deep");
    for (const node *up = n->up; up; up = up->up)
        if (up->table == n->table) refuse(j, n, "a table that contains itself");
    luaL_checkstack(j->L, 10, "JSON nested too deep");
}

static void put_table(job *j, const node *at) {
    node n = *at;
    lcc_json_mark mark = mark_of_table(j->L);
    if (mark == MARK_INTEGER) {
        put_integer(j, at);
        return;
    }
    check_place(j, &n);
    spend(j, &n, 0);
    survey s = look_at(j, &n, mark);
    if (s.strings || s.numbers)
        put_filled(j, &n, &s, mark);
    else if (mark == MARK_LIST)
        put_empty_list(j);
    else if (!j->copying && lua_toboolean(j->L, LCC_UP(UP_MAPS)))
        replace_tagged(j->L, "{}", 2);
    else
        put_filled(j, &n, &s, mark);
}

/* Puts the checked copy of the value on the top in its place. */
static void put_value(job *j, const node *n) {
    enum { TCDATA = 10 }; /* LuaJIT's, in no header of it */
    switch (lua_type(j->L, -1)) {
    case LUA_TSTRING:
        put_string(j, n);
        break;
    case LUA_TNUMBER:
        put_number(j, n);
        break;
    case LUA_TTABLE:
        put_table(j, n);
        break;
    case LUA_TBOOLEAN:
        spend(j, n, 0);
        break;
    case LUA_TLIGHTUSERDATA:
    case LUA_TUSERDATA:
        put_userdata(j, n);
        break;
    case LUA_TNIL:
        refuse(j, n, "got nil; write coreclaw.null for null");
        break;
    case TCDATA:
        put_cdata(j, n);
        break;
    default:
        refuse_type(j, n, luaL_typename(j->L, -1));
    }
}

/* --- Entries --- */

/* (value, what) -> value what copy */
static void put_root(lua_State *L, int copying) {
    job j = {L, copying, BUDGET};
    node root = {NULL, "value", 5, 0, NULL, 0};
    if (lua_isstring(L, 2)) root.key = lua_tolstring(L, 2, &root.key_len);
    lua_pushvalue(L, 1);
    put_value(&j, &root);
}

int lcc_json_copy(lua_State *L) {
    put_root(L, 1);
    return 1;
}

int lcc_json_encode(lua_State *L) {
    size_t len;
    lua_pushvalue(L, LCC_UP(UP_ENCODE));
    put_root(L, 0);
    lua_call(L, 1, 1);
    const char *text = lua_tolstring(L, -1, &len);
    if (!text) return luaL_error(L, "the JSON library returned no text");
    if (!memchr(text, CC_JSON_TAG, len)) return 1;
    cc_json *g = lcc_json_scratch(L, 0);
    cc_json_code code = cc_json_untag(text, len, &g->out);
    if (code != CC_JSON_OK) return luaL_error(L, "%s", cc_json_reason(code));
    lua_pushlstring(L, g->out.data, g->out.len);
    cc_json_free(g);
    return 1;
}
