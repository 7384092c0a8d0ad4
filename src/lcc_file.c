/* coreclaw.file: what a download is written to. */
#include "cc_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lcc.h"

#define CLASS "coreclaw.file"

cc_file *lcc_to_file(lua_State *L, int index) {
    return lcc_to_userdata(L, index, CLASS);
}

static cc_file *check(lua_State *L) {
    cc_file *f = luaL_checkudata(L, 1, CLASS);
    if (f->fd < 0) luaL_error(L, CLASS " is closed");
    return f;
}

static const char *check_path(lua_State *L, int index) {
    size_t n;
    const char *path = luaL_checklstring(L, index, &n);
    luaL_argcheck(L, n > 0 && strlen(path) == n, index, "a path without zero bytes expected");
    return path;
}

/* -> true | nil, why, errno */
static int result(lua_State *L, int error) {
    if (!error) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, cc_file_message(error));
    lua_pushinteger(L, error);
    return 3;
}

/* file(path) -> file | nil, why, errno. Somebody else has it: nil, why, errno, true. */
static int open_file(lua_State *L) {
    const char *path = check_path(L, 1);
    cc_file *f = lcc_newuserdata(L, sizeof *f);
    f->fd = -1; /* the closed handle first, so that __gc may come at any time */
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, -2);
    int error = cc_file_open(f, path);
    if (!error) return 1;
    result(L, error);
    lua_pushboolean(L, error == EBUSY);
    return 4;
}

/* close, __gc and __close */
static int close_file(lua_State *L) {
    cc_file_close(luaL_checkudata(L, 1, CLASS));
    return 0;
}

static int size(lua_State *L) {
    int64_t n;
    int error = cc_file_size(check(L), &n);
    if (error) return result(L, error);
    lcc_push_whole(L, n);
    return 1;
}

static int truncate_to(lua_State *L) {
    cc_file *f = check(L);
    lua_Number n = luaL_checknumber(L, 2);
    luaL_argcheck(L, n >= 0 && n < 9007199254740992.0, 2, "a size >= 0 expected");
    return result(L, cc_file_truncate(f, (int64_t)n));
}

/* publish(from, to, overwrite, sync) -> true | nil, why, errno */
static int publish(lua_State *L) {
    cc_file *f = check(L);
    const char *from = check_path(L, 2), *to = check_path(L, 3);
    return result(L, cc_file_publish(f, from, to, lua_toboolean(L, 4), lua_toboolean(L, 5)));
}

static int to_string(lua_State *L) {
    cc_file *f = luaL_checkudata(L, 1, CLASS);
    lua_pushstring(L, f->fd < 0 ? CLASS " (closed)" : CLASS " (open)");
    return 1;
}

/* file_type(path) -> "file" | "folder" | "other" | nil */
static int file_type(lua_State *L) {
    static const char *const names[] = {
        [CC_FILE_REGULAR] = "file", [CC_FILE_FOLDER] = "folder", [CC_FILE_OTHER] = "other"};
    cc_file_type type = cc_file_type_of(check_path(L, 1));
    if (type == CC_FILE_NONE)
        lua_pushnil(L);
    else
        lua_pushstring(L, names[type]);
    return 1;
}

static const luaL_Reg METHODS[] = {
    {"size", size}, {"truncate", truncate_to}, {"publish", publish}, {"close", close_file},
    {NULL, NULL},
};

static const luaL_Reg META[] = {
    {"__gc", close_file},
    {"__close", close_file},
    {"__tostring", to_string},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"file", open_file},
    {"file_type", file_type},
    {NULL, NULL},
};

void lcc_open_file(lua_State *L) {
    lcc_class(L, CLASS, META, METHODS);
    lcc_setfuncs(L, FUNCTIONS);
}
