#include "cc_json_path.h"

#include <string.h>

void cc_json_path_init(cc_json_path *p, cc_json_level *levels, size_t max) {
    memset(p, 0, sizeof *p);
    cc_buf_init(&p->ops, max);
    p->levels = levels;
    p->levels[0].key = NULL;
    p->levels[0].index = 1;
    p->entered = 1;
}

static void give_up(cc_json_path *p) {
    p->all = 1;
    cc_buf_free(&p->ops);
}

/* A key with escapes is not what Lua will see. */
static void add(cc_json_path *p, const cc_json_level *l, cc_json_step step) {
    cc_json_op op = {l->key, l->key ? l->key_len : l->index, 1, (uint32_t)step & 7};
    if (p->all) return;
    if (l->key && memchr(l->key, '\\', l->key_len))
        give_up(p);
    else if (cc_buf_add(&p->ops, &op, sizeof op) != CC_BUF_OK)
        give_up(p);
}

/* Lists of integers are common: one step for a whole one. */
static int extend(cc_json_path *p, const cc_json_level *l) {
    enum { MOST = (1 << 29) - 1 };
    if (l->key || p->ops.len == 0) return 0;
    cc_json_op *last = (cc_json_op *)(void *)(p->ops.data + p->ops.len) - 1;
    if (last->step != CC_JSON_INTEGERS || last->key || last->at + last->count != l->index) return 0;
    if (last->count == MOST) return 0;
    last->count++;
    return 1;
}

void cc_json_path_mark(cc_json_path *p, cc_json_step kind) {
    if (p->depth == 0) give_up(p); /* the whole text is one value */
    if (p->all) return;
    for (; p->entered < p->depth; p->entered++) add(p, &p->levels[p->entered], CC_JSON_ENTER);
    const cc_json_level *l = &p->levels[p->depth];
    if (kind == CC_JSON_INTEGERS && extend(p, l)) return;
    add(p, l, kind);
}

void cc_json_path_leave(cc_json_path *p) {
    static const cc_json_level nowhere = {NULL, 0, 0};
    if (p->depth < 2) return; /* the root: nothing was entered */
    add(p, &nowhere, CC_JSON_LEAVE);
    p->entered--;
}
