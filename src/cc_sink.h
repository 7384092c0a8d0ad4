/* Where the body of an answer goes that is to become a file.
 *
 * Only a 200 and a 206 are written, and only where they belong: nothing of a file that was begun is
 * touched by an answer that does not continue it. */
#ifndef CC_SINK_H
#define CC_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cc_buf.h"
#include "cc_file.h"

typedef struct cc_sink {
    int fd;          /* -1: there is no file, the body goes to memory */
    bool begun;      /* an answer was found fit to be written */
    int64_t offset;  /* where the file goes on */
    int64_t at;      /* where the next byte goes */
    int64_t written; /* so many bytes in this transfer */
    int64_t total;   /* of the whole file, as the answer says; -1: it does not */
    int64_t max;     /* ceiling for the whole file */
    int error;       /* errno of a write that failed */
} cc_sink;

typedef enum cc_sink_code {
    CC_SINK_OK = 0,
    CC_SINK_WHOLE, /* a 200, and the file is already begun: it stays as it is */
    CC_SINK_RANGE, /* a 206 that is not the range asked for, or of another file */
    CC_SINK_FULL,  /* larger than max */
    CC_SINK_ERROR  /* see error */
} cc_sink_code;

/* No file. */
void cc_sink_init(cc_sink *s);

/* Takes a descriptor of its own. False when none is left. */
bool cc_sink_open(cc_sink *s, const cc_file *file, int64_t offset, int64_t max);

/* Is an answer of that status for the file? Others go to memory. */
bool cc_sink_wants(const cc_sink *s, long status);

/* The answer begins. length: of its body, -1 when unknown. validator: the ETag or Last-Modified
 * that a 206 must have, NULL if it needs none. What the file holds behind the place where it goes
 * on is cut off. */
cc_sink_code cc_sink_begin(cc_sink *s, long status, const cc_buf *headers, int64_t length,
                           const char *validator);

cc_sink_code cc_sink_write(cc_sink *s, const char *bytes, size_t n);

/* Gives the descriptor back. The numbers stay. */
void cc_sink_close(cc_sink *s);

#endif
