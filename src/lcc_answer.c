#include "lcc.h"

#include <stdbool.h>

#include "cc_spec.h"

void lcc_push_bytes(lua_State *L, const cc_buf *b) {
    lua_pushlstring(L, b->len ? b->data : "", b->len);
}

/* ---- a body that stays here until it is wanted ---- */

#define CLASS "coreclaw.body"

/* Pages that were read ahead lie in memory for a while: as strings they would count as much for the
 * collector, which lets garbage grow as large as what is alive. */
static cc_buf *push_apart(lua_State *L) {
    cc_buf *b = lcc_newuserdata(L, sizeof *b);
    cc_buf_init(b, 0); /* the empty one first, so that __gc may come at any time */
    luaL_getmetatable(L, CLASS);
    lua_setmetatable(L, -2);
    return b;
}

const cc_buf *lcc_to_body(lua_State *L, int index) {
    return lcc_to_userdata(L, index, CLASS);
}

/* body:text() -> its bytes, which stay */
static int body_text(lua_State *L) {
    lcc_push_bytes(L, luaL_checkudata(L, 1, CLASS));
    return 1;
}

/* body:take() -> its bytes, once */
static int take_body(lua_State *L) {
    cc_buf *b = luaL_checkudata(L, 1, CLASS);
    lcc_push_bytes(L, b);
    cc_buf_free(b);
    return 1;
}

/* body:drop(): nobody wants them any more */
static int drop_body(lua_State *L) {
    cc_buf_free(luaL_checkudata(L, 1, CLASS));
    return 0;
}

void lcc_open_answer(lua_State *L) {
    static const luaL_Reg meta[] = {{"__gc", drop_body}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"text", body_text}, {"take", take_body}, {"drop", drop_body}, {NULL, NULL}};
    lcc_class(L, CLASS, meta, methods);
}

/* ---- answers ---- */

static void push_failure(lua_State *L, const cc_failure *f) {
    lua_createtable(L, 0, 7);
    lcc_set_string(L, "kind", cc_kind_name(f->kind));
    lcc_set_string(L, "message", f->message);
    lcc_set_integer(L, "code", f->code);
    lcc_set_string(L, "name", f->name);
    lcc_set_flag(L, "retryable", f->retryable);
    lcc_set_string(L, "sent", cc_sent_name(f->sent));
    if (f->status) lcc_set_integer(L, "status", f->status);
}

static void push_retry_after(lua_State *L, const cc_answer *a) {
    if (a->retry_after > 0)
        lua_pushinteger(L, (lua_Integer)a->retry_after);
    else
        lua_pushnil(L);
}

static void push_rest(lua_State *L, const cc_answer *a) {
    lcc_push_bytes(L, a->headers);
    if (!a->filed && a->retry_after <= 0) return;
    push_retry_after(L, a);
    if (a->filed) lcc_push_whole(L, a->written);
}

/* Protected, for it allocates: answer -> status, body, headers, retry_after, written
 * | nil, failure, headers, nil, written. What is nil at the end is left out; headers of a failure
 * and written are there where the answer went to a file. A body that was wanted apart is no string:
 * body:take() gives it. */
int lcc_push_answer(lua_State *L) {
    cc_answer *a = lua_touserdata(L, 1);
    cc_buf *apart = NULL;
    lua_settop(L, 0);
    if (a->failure->kind != CC_KIND_NONE) {
        lua_pushnil(L);
        push_failure(L, a->failure);
        if (!a->filed) return 2;
    } else {
        lua_pushinteger(L, a->status);
        if (a->apart)
            apart = push_apart(L);
        else
            lcc_push_bytes(L, a->body);
    }
    push_rest(L, a);
    if (apart) { /* last, for what was raised before must lose nothing */
        *apart = *a->body;
        cc_buf_init(a->body, a->body->max);
    }
    return lua_gettop(L);
}
