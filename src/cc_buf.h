/* Growable bytes with a mandatory ceiling.
 *
 * A buffer always knows how large it may become: whatever a server sends, the
 * growth ends there with CC_BUF_FULL and the bytes so far are kept.
 * No function here ever exits or prints; out of memory is a return code. */
#ifndef CC_BUF_H
#define CC_BUF_H

#include <stddef.h>

typedef enum cc_buf_code { CC_BUF_OK = 0, CC_BUF_FULL, CC_BUF_NOMEM } cc_buf_code;

typedef struct cc_buf {
    char *data; /* NULL while empty; not zero-terminated */
    size_t len;
    size_t cap;
    size_t max; /* ceiling for len */
} cc_buf;

/* Makes an empty buffer that may hold at most max bytes. Allocates nothing. */
void cc_buf_init(cc_buf *b, size_t max);

/* Appends n bytes. On CC_BUF_FULL and CC_BUF_NOMEM the contents are unchanged. */
cc_buf_code cc_buf_add(cc_buf *b, const void *bytes, size_t n);

/* Makes room for n more bytes in one allocation, so that a known length costs no copying later. */
cc_buf_code cc_buf_reserve(cc_buf *b, size_t n);

/* Forgets the contents, keeps the memory. */
void cc_buf_clear(cc_buf *b);

/* Frees the memory and leaves an empty buffer with the same ceiling. May be called twice. */
void cc_buf_free(cc_buf *b);

#endif
