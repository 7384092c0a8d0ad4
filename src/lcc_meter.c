/* coreclaw.meter: what the transfers that were submitted with it have cost. */
#include "cc_meter.h"

#include "lcc.h"

#define CLASS "coreclaw.meter"

typedef struct box {
    cc_meter *meter; /* transfers on their way own it too */
} box;

cc_meter *lcc_to_meter(lua_State *L, int index) {
    const box *b = lcc_to_userdata(L, index, CLASS);
    return b ? b->meter : NULL;
}

/* meter() -> meter */
static int new_meter(lua_State *L) {
    box *b = lcc_newuserdata(L, sizeof *b);
    b->meter = NULL; /* the empty handle first, so that __gc may come at any time */
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, -2);
    b->meter = cc_meter_new();
    return b->meter ? 1 : luaL_error(L, "meter: out of memory");
}

static int drop(lua_State *L) {
    box *b = luaL_checkudata(L, 1, CLASS);
    cc_meter_drop(b->meter);
    b->meter = NULL;
    return 0;
}

static cc_meter *check(lua_State *L) {
    box *b = luaL_checkudata(L, 1, CLASS);
    if (!b->meter) luaL_error(L, CLASS " was collected");
    return b->meter;
}

static void set_whole(lua_State *L, const char *key, int64_t value) {
    lcc_push_whole(L, value);
    lua_setfield(L, -2, key);
}

static void set_seconds(lua_State *L, const char *key, int64_t us) {
    lua_pushnumber(L, (lua_Number)us / 1e6);
    lua_setfield(L, -2, key);
}

/* read() -> a new table, with one of seconds in it */
static int read_all(lua_State *L) {
    cc_meter now = *check(L); /* tables allocate, and a collection may end transfers */
    lua_createtable(L, 0, 8);
    set_whole(L, "requests", now.requests);
    set_whole(L, "in_flight", now.requests - now.ended);
    set_whole(L, "connections", now.sum.connections);
    set_whole(L, "bytes_sent", now.sum.sent);
    set_whole(L, "bytes_received", now.sum.received);
    lua_createtable(L, 0, 5);
    set_seconds(L, "queued", now.sum.time[CC_QUEUED]);
    set_seconds(L, "connecting", now.sum.time[CC_CONNECTING]);
    set_seconds(L, "answering", now.sum.time[CC_ANSWERING]);
    set_seconds(L, "receiving", now.sum.time[CC_RECEIVING]);
    lua_setfield(L, -2, "time");
    return 1;
}

static const luaL_Reg METHODS[] = {{"read", read_all}, {NULL, NULL}};

static const luaL_Reg META[] = {{"__gc", drop}, {NULL, NULL}};

static const luaL_Reg FUNCTIONS[] = {{"meter", new_meter}, {NULL, NULL}};

void lcc_open_meter(lua_State *L) {
    lcc_class(L, CLASS, META, METHODS);
    lcc_setfuncs(L, FUNCTIONS);
}
