/* What the journal of paid calls is made of: lines on the disk, marks of processes, digests. */
#include <string.h>

#include "cc_append.h"
#include "cc_file.h"
#include "cc_process.h"
#include "cc_sha256.h"
#include "lcc.h"

/* append_line(path, line, sync_folder) -> true | nil, why. The line ends with a newline. */
static int append_line(lua_State *L) {
    size_t n, length;
    const char *path = luaL_checklstring(L, 1, &n);
    const char *line = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, n > 0 && strlen(path) == n, 1, "a path without zero bytes expected");
    luaL_argcheck(L, length > 0 && line[length - 1] == '\n', 2, "a line expected");
    int error = cc_append_line(path, line, length, lua_toboolean(L, 3));
    if (!error) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, cc_file_message(error));
    return 2;
}

/* process_mark(pid) -> mark | nil: there is no such process */
static int process_mark(lua_State *L) {
    char mark[160];
    if (cc_process_mark((long)luaL_checkinteger(L, 1), mark, sizeof mark))
        lua_pushstring(L, mark);
    else
        lua_pushnil(L);
    return 1;
}

/* sha256(bytes) -> hexadecimal digits */
static int sha256(lua_State *L) {
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    char hex[65];
    cc_sha256_hex(bytes, n, hex);
    lua_pushlstring(L, hex, 64);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"append_line", append_line},
    {"process_mark", process_mark},
    {"sha256", sha256},
    {NULL, NULL},
};

void lcc_open_journal(lua_State *L) {
    lcc_setfuncs(L, FUNCTIONS);
}
