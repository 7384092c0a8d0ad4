#include "cc_buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 1024

void cc_buf_init(cc_buf *b, size_t max) {
    b->data = NULL;
    b->len = b->cap = 0;
    b->max = max;
}

/* Doubling keeps appending linear; the ceiling bounds the last step. */
static size_t next_cap(const cc_buf *b, size_t need) {
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need) cap = cap > b->max / 2 ? b->max : cap * 2;
    return cap > b->max ? b->max : cap;
}

static cc_buf_code grow(cc_buf *b, size_t cap) {
    char *data = realloc(b->data, cap);
    if (!data) return CC_BUF_NOMEM;
    b->data = data;
    b->cap = cap;
    return CC_BUF_OK;
}

cc_buf_code cc_buf_add(cc_buf *b, const void *bytes, size_t n) {
    if (n > b->max - b->len) return CC_BUF_FULL;
    if (n == 0) return CC_BUF_OK; /* memcpy from NULL is undefined even for no bytes */
    if (b->cap - b->len < n) {
        cc_buf_code rc = grow(b, next_cap(b, b->len + n));
        if (rc != CC_BUF_OK) return rc;
    }
    memcpy(b->data + b->len, bytes, n);
    b->len += n;
    return CC_BUF_OK;
}

cc_buf_code cc_buf_reserve(cc_buf *b, size_t n) {
    if (n > b->max - b->len) return CC_BUF_FULL;
    if (b->cap - b->len >= n) return CC_BUF_OK;
    return grow(b, b->len + n);
}

void cc_buf_clear(cc_buf *b) {
    b->len = 0;
}

void cc_buf_free(cc_buf *b) {
    free(b->data);
    cc_buf_init(b, b->max);
}
