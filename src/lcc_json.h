/* What the two halves of the JSON binding share. */
#ifndef LCC_JSON_H
#define LCC_JSON_H

#include "lcc.h"
#include "cc_json.h"

/* Upvalues of every inner function: one codec is one set of them. */
enum {
    UP_DECODE = 1, /* the library's functions */
    UP_ENCODE,
    UP_NULL,    /* the library's null */
    UP_LIST,    /* metatable of an array */
    UP_MARKS,   /* table: metatable or value -> one of lcc_json_mark */
    UP_CDATA,   /* function: LuaJIT's boxed 64 bit integer -> its digits, or nil; may be nil */
    UP_RULES,   /* cc_json_rule bits for decoding */
    UP_MAPS,    /* true: the library writes an empty table as an array */
    UP_SCRATCH, /* metatable of the buffers */
    UP_COUNT = UP_SCRATCH,
    UP_KEEPER /* of decoding only: see lcc_json.c */
};
#define LCC_UP(n) lua_upvalueindex(n)

typedef enum lcc_json_mark {
    MARK_NONE = 0,
    MARK_LIST,    /* metatable: this table is an array */
    MARK_INTEGER, /* metatable: this table holds the digits of an integer */
    MARK_NULL,    /* value: null */
    MARK_EMPTY    /* value: an empty array */
} lcc_json_mark;

/* Pushes a guard whose buffer is freed by the collector if an error passes by. [+1] */
cc_json *lcc_json_scratch(lua_State *L, unsigned rules);

/* Puts right what the library returned, on the top, for the text that g has read. g->text must
 * still be there; afterwards g is freed. Raises without memory only. */
void lcc_json_settle(lua_State *L, cc_json *g);

/* Inner functions: (value, what) -> text, and (value, what) -> copy. Raise a message with the path.
 */
int lcc_json_encode(lua_State *L);
int lcc_json_copy(lua_State *L);

#endif
