#include "lcc.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cc_file.h"
#include "cc_meter.h"
#include "cc_secret.h"

#define LONGEST_NAME 40 /* beyond it nobody mistyped one of our names */

/* ---- "did you mean" ---- */

static int smallest(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Levenshtein's distance, one row at a time. Both shorter than LONGEST_NAME. */
static int distance(const char *a, const char *b) {
    int row[LONGEST_NAME + 1];
    int n = (int)strlen(b);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, corner + (lower(a[i - 1]) != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

/* The known name closest to it, NULL if none is close enough to have been meant. */
static const char *closest(const lcc_option *options, const char *name) {
    const char *best = NULL;
    int limit = (int)strlen(name) / 3 + 1;
    if (strlen(name) >= LONGEST_NAME) return NULL;
    for (const lcc_option *o = options; o->name; o++) {
        int d = distance(name, o->name);
        if (d > limit) continue;
        limit = d - 1;
        best = o->name;
    }
    return best;
}

/* ---- complaints ---- */

static int unknown(lua_State *L, const char *what, const lcc_option *options, int key) {
    if (lua_type(L, key) != LUA_TSTRING) {
        return luaL_error(L, "%s: fields must have names, got a %s as key", what,
                          luaL_typename(L, key));
    }
    const char *name = lua_tostring(L, key), *near = closest(options, name);
    if (near)
        return luaL_error(L, "%s: unknown field \"%s\", did you mean \"%s\"?", what, name, near);
    return luaL_error(L, "%s: unknown field \"%s\"", what, name);
}

int lcc_field_error(lua_State *L, const char *what, const char *name, const char *must) {
    return luaL_error(L, "%s: field \"%s\" must %s", what, name, must);
}

static const char *const EXPECTED[] = {
    [LCC_TEXT] = "a string without zero bytes",
    [LCC_DATA] = "a string",
    [LCC_LINES] = "an array of strings without zero bytes",
    [LCC_SECONDS] = "a number of seconds >= 0",
    [LCC_SIZE] = "a whole number of bytes >= 0",
    [LCC_COUNT] = "a whole number >= 0",
    [LCC_FLAG] = "a boolean",
    [LCC_SECRET] = "a coreclaw.secret that was not cleared",
    [LCC_FILE] = "an open coreclaw.file",
    [LCC_METER] = "a coreclaw.meter",
    [LCC_COMMON] = "a coreclaw.common",
};

/* Names what came; a number's or a boolean's value too, but never a string: it may be a secret. */
static int wrong(lua_State *L, const char *what, const lcc_option *o) {
    char number[32];
    const char *got = luaL_typename(L, -1);
    if (lua_type(L, -1) == LUA_TNUMBER) { /* not by Lua, which writes -1 here and -1.0 there */
        snprintf(number, sizeof number, "%.14g", (double)lua_tonumber(L, -1));
        got = number;
    }
    return luaL_error(L, "%s: field \"%s\" must be %s, got %s", what, o->name, EXPECTED[o->type],
                      got);
}

/* ---- values: each reads the value on the top, false if it is none of its kind ---- */

static bool has_zero(lcc_text t) {
    return memchr(t.s, '\0', t.n) != NULL;
}

static bool read_data(lua_State *L, lcc_text *out) {
    if (lua_type(L, -1) != LUA_TSTRING) return false; /* a number would be changed in place */
    out->s = lua_tolstring(L, -1, &out->n);
    return true;
}

static bool read_secret(lua_State *L, cc_secret *out) {
    const cc_secret *s = lcc_to_secret(L, -1);
    if (s) *out = *s;
    return s && s->bytes;
}

static bool read_text(lua_State *L, lcc_text *out) {
    cc_secret s;
    if (read_secret(L, &s))
        *out = (lcc_text){s.bytes, s.n};
    else if (!read_data(L, out))
        return false;
    return !has_zero(*out);
}

static bool is_line(lua_State *L, size_t i) {
    lcc_text line;
    lua_rawgeti(L, -1, (int)i);
    bool good = read_text(L, &line);
    lua_pop(L, 1);
    return good;
}

static bool read_lines(lua_State *L, size_t *out) {
    if (!lua_istable(L, -1)) return false;
    size_t n = lcc_rawlen(L, -1), fields = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) fields++;
    if (fields != n || n > INT_MAX) return false; /* names or holes */
    for (size_t i = 1; i <= n; i++) {
        if (!is_line(L, i)) return false;
    }
    *out = n;
    return true;
}

static bool read_number(lua_State *L, double *out) {
    if (lua_type(L, -1) != LUA_TNUMBER) return false;
    *out = (double)lua_tonumber(L, -1);
    return *out >= 0; /* false for nan too */
}

/* As far as a double counts without gaps. */
static bool read_whole(lua_State *L, double *out, double max) {
    return read_number(L, out) && *out <= max && *out == (double)(int64_t)*out;
}

static bool read_size(lua_State *L, size_t *out) {
    double d;
    double max = SIZE_MAX > 9007199254740992u ? 9007199254740992.0 : (double)(SIZE_MAX / 2);
    if (!read_whole(L, &d, max)) return false;
    *out = (size_t)d;
    return true;
}

static bool read_count(lua_State *L, long *out) {
    double d;
    if (!read_whole(L, &d, INT_MAX)) return false;
    *out = (long)d;
    return true;
}

static bool read_flag(lua_State *L, bool *out) {
    if (!lua_isboolean(L, -1)) return false;
    *out = lua_toboolean(L, -1);
    return true;
}

static bool read_file(lua_State *L, const cc_file **out) {
    *out = lcc_to_file(L, -1);
    return *out && (*out)->fd >= 0;
}

static bool read_meter(lua_State *L, cc_meter **out) {
    *out = lcc_to_meter(L, -1);
    return *out != NULL;
}

static bool read_common(lua_State *L, const void **out) {
    *out = lcc_to_common(L, -1);
    return *out != NULL;
}

static bool read_value(lua_State *L, lcc_type type, void *out) {
    switch (type) {
    case LCC_TEXT:
        return read_text(L, out);
    case LCC_DATA:
        return read_data(L, out);
    case LCC_LINES:
        return read_lines(L, out);
    case LCC_SECONDS:
        return read_number(L, out);
    case LCC_SIZE:
        return read_size(L, out);
    case LCC_COUNT:
        return read_count(L, out);
    case LCC_FLAG:
        return read_flag(L, out);
    case LCC_SECRET:
        return read_secret(L, out);
    case LCC_FILE:
        return read_file(L, out);
    case LCC_METER:
        return read_meter(L, out);
    case LCC_COMMON:
        return read_common(L, out);
    }
    return false;
}

/* Twenty names times twenty fields for each request: most differ in their first byte. */
static bool is_named(const lcc_option *o, const char *name) {
    return o->name[0] == name[0] && strcmp(o->name, name) == 0;
}

static const lcc_option *find(lua_State *L, int key, const lcc_option *options) {
    if (lua_type(L, key) != LUA_TSTRING) return NULL;
    const char *name = lua_tostring(L, key);
    while (options->name && !is_named(options, name)) options++;
    return options->name ? options : NULL;
}

void lcc_read_option(lua_State *L, const char *what, const lcc_option *o, void *out) {
    if (!read_value(L, o->type, (char *)out + o->offset)) wrong(L, what, o);
}

void lcc_read_options(lua_State *L, int index, const char *what, const lcc_option *options,
                      void *out) {
    luaL_checktype(L, index, LUA_TTABLE);
    luaL_checkstack(L, 6, what);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const lcc_option *o = find(L, -2, options);
        if (!o)
            unknown(L, what, options, lua_gettop(L) - 1);
        else
            lcc_read_option(L, what, o, out);
    }
}

/* ---- classes and tables ---- */

/* luaL_testudata, which PUC Lua 5.1 lacks. */
void *lcc_to_userdata(lua_State *L, int index, const char *name) {
    void *found = lua_touserdata(L, index);
    if (!found || !lua_getmetatable(L, index)) return NULL;
    luaL_getmetatable(L, name);
    if (!lua_rawequal(L, -1, -2)) found = NULL;
    lua_pop(L, 2);
    return found;
}

void lcc_class(lua_State *L, const char *name, const luaL_Reg *meta, const luaL_Reg *methods) {
    luaL_newmetatable(L, name); /* mt */
    lcc_setfuncs(L, meta);
    lua_newtable(L); /* mt, methods */
    lcc_setfuncs(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name); /* 5.1 does not set it */
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}

void lcc_push_whole(lua_State *L, int64_t value) {
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)value);
#else
    lua_pushnumber(L, (lua_Number)value);
#endif
}

void lcc_set_string(lua_State *L, const char *key, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

void lcc_set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

void lcc_set_flag(lua_State *L, const char *key, int value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}
