/* What a command line needs of the system: a Ctrl-C that ends a wait and can be counted, whether somebody
 * looks at the output, and who may read a file. Nothing of it is in force until it is asked for. */
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lcc.h"

#define PATIENCE     2  /* the interrupt after so many ends the process, whatever it does */
#define USUAL_COLUMNS 80

/* How many came, how many of them ended a wait, and how many may come before one does. */
static volatile sig_atomic_t came, told, spare;
static int catching;

static void on_interrupt(int sig) {
    came++;
    if (came <= PATIENCE) return;
    signal(sig, SIG_DFL);
    raise(sig); /* delivered when this handler has returned */
}

bool lcc_interrupted(void) {
    if (!catching || came - told <= spare) return false;
    told = came;
    return true;
}

/* SA_RESTART: what reads or writes goes on; a wait for sockets ends in spite of it (signal(7)). */
static void handle(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* catch_interrupts(spare|nil): from now on, one more Ctrl-C than `spare` raises "interrupted!" out of
 * engine:wait. nil: it ends the process at once, as it does a program that has no handler. */
static int catch_interrupts(lua_State *L) {
    if (lua_isnoneornil(L, 1)) {
        handle(SIG_DFL);
        catching = 0;
        return 0;
    }
    int most = (int)luaL_checkinteger(L, 1);
    luaL_argcheck(L, most >= 0 && most < PATIENCE, 1, "0 or 1 expected");
    spare = most;
    if (catching) return 0;
    came = told = 0;
    catching = 1;
    handle(on_interrupt);
    return 0;
}

/* interrupts() -> how many came since they are caught */
static int interrupts(lua_State *L) {
    lua_pushinteger(L, came);
    return 1;
}

/* terminal(fd) -> columns, if it is a terminal */
static int terminal(lua_State *L) {
    struct winsize size;
    int fd = (int)luaL_checkinteger(L, 1);
    if (!isatty(fd)) return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = USUAL_COLUMNS;
    lua_pushinteger(L, size.ws_col);
    return 1;
}

/* An io file; NULL if it is closed. */
static FILE *to_file(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 502
    const luaL_Stream *stream = luaL_checkudata(L, index, LUA_FILEHANDLE);
    return stream->closef ? stream->f : NULL;
#else
    return *(FILE *const *)luaL_checkudata(L, index, LUA_FILEHANDLE);
#endif
}

/* file_mode(file) -> permissions, is it ours?, is it a regular file? Of an open io file, so that it is
 * the one that will be read. */
static int file_mode(lua_State *L) {
    struct stat s;
    FILE *file = to_file(L, 1);
    luaL_argcheck(L, file != NULL, 1, "an open file expected");
    if (fstat(fileno(file), &s) != 0) return 0;
    lua_pushinteger(L, (lua_Integer)(s.st_mode & 07777));
    lua_pushboolean(L, s.st_uid == geteuid());
    lua_pushboolean(L, S_ISREG(s.st_mode));
    return 3;
}

static const luaL_Reg FUNCTIONS[] = {
    {"catch_interrupts", catch_interrupts},
    {"interrupts", interrupts},
    {"terminal", terminal},
    {"file_mode", file_mode},
    {NULL, NULL},
};

void lcc_open_terminal(lua_State *L) {
    lcc_setfuncs(L, FUNCTIONS);
}
