/* Where in a text the values stand that need a hand after decoding.
 *
 * The scanner keeps one level for each open array or object. When a value is marked, the way to it
 * from the last marked one is written down as steps, so that afterwards only the tables on such a
 * way are visited, not all of them. Keys are pointers into the text. The steps may be wrong
 * where a key occurs twice in an object (the last one counts): who follows them checks what is
 * there.
 *
 * Shared by cc_json.c and its reader; inline where it is on the scanner's hot way. */
#ifndef CC_JSON_PATH_H
#define CC_JSON_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "cc_buf.h"

/* Arrays and objects within each other, both ways. Real rows have less than ten. */
#define CC_JSON_MAX_DEPTH 200

typedef enum cc_json_step {
    CC_JSON_ENTER = 0, /* into the table at key or index */
    CC_JSON_LEAVE,     /* back out of it */
    CC_JSON_INTEGERS,  /* count integers from here on (one, if it has a key) */
    CC_JSON_TAGGED,    /* a tagged string, not a float */
    CC_JSON_FLOAT      /* a tagged float */
} cc_json_step;

typedef struct cc_json_op {
    const char *key; /* NULL: in an array */
    uint32_t at;     /* length of the key, or index from 1 */
    uint32_t count : 29;
    uint32_t step : 3;
} cc_json_op;

typedef struct cc_json_level {
    const char *key; /* as in cc_json_op */
    uint32_t key_len;
    uint32_t index;
} cc_json_level;

typedef struct cc_json_path {
    cc_json_level *levels; /* CC_JSON_MAX_DEPTH + 1 of them; the first is outside of everything */
    size_t depth;          /* open arrays and objects */
    size_t entered; /* how many of them the steps so far have entered; the first needs no step */
    cc_buf ops;
    int all; /* the steps do not suffice: every value must be looked at */
} cc_json_path;

/* Allocates nothing; at most max bytes of steps are kept, then `all` is set instead. */
void cc_json_path_init(cc_json_path *p, cc_json_level *levels, size_t max);

/* Notes that the current value is of that kind. Never fails: without memory, `all` is set. */
void cc_json_path_mark(cc_json_path *p, cc_json_step kind);

/* Notes that the innermost level, which has been entered, ends. */
void cc_json_path_leave(cc_json_path *p);

static inline void cc_json_path_open(cc_json_path *p) {
    cc_json_level *l = &p->levels[++p->depth];
    l->key = NULL;
    l->index = 1;
}

static inline void cc_json_path_close(cc_json_path *p) {
    if (p->entered == p->depth) cc_json_path_leave(p);
    p->depth -= p->depth > 0;
}

static inline void cc_json_path_key(cc_json_path *p, const char *key, size_t len) {
    cc_json_level *l = &p->levels[p->depth];
    l->key = key;
    l->key_len = (uint32_t)len;
}

static inline void cc_json_path_comma(cc_json_path *p) {
    p->levels[p->depth].index++;
}

#endif
