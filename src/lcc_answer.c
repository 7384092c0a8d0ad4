#include "lcc.h"

#include <stdbool.h>

#include "cc_spec.h"

void lcc_push_bytes(lua_State *L, const cc_buf *b) {
    lua_pushlstring(L, b->len ? b->data : "", b->len);
}

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

/* Protected, for it allocates: answer -> status, body, headers, retry_after, written
 * | nil, failure, headers, nil, written. What is nil at the end is left out; headers of a failure
 * and written are there where the answer went to a file. */
int lcc_push_answer(lua_State *L) {
    const cc_answer *a = lua_touserdata(L, 1);
    bool failed = a->failure->kind != CC_KIND_NONE;
    lua_settop(L, 0);
    if (failed) {
        lua_pushnil(L);
        push_failure(L, a->failure);
        if (!a->filed) return 2;
    } else {
        lua_pushinteger(L, a->status);
        lcc_push_bytes(L, a->body);
    }
    lcc_push_bytes(L, a->headers);
    if (!a->filed && a->retry_after <= 0) return 3;
    push_retry_after(L, a);
    if (!a->filed) return 4;
    lcc_push_whole(L, a->written);
    return 5;
}
