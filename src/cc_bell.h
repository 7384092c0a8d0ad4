/* What a thread rings when there is something to take: a pipe, or a unix socket for hosts that can
 * only watch sockets which they connected themselves (nginx). */
#ifndef CC_BELL_H
#define CC_BELL_H

#include <stdbool.h>

#define CC_BELL_PATH 64

typedef struct cc_bell {
    int out, in;   /* the pipe: `out` is readable once it rang. -1 when closed */
    int peer;      /* the connected socket that rings instead, -1 */
    int listening; /* -1 */
    char folder[CC_BELL_PATH], path[CC_BELL_PATH + 8];
} cc_bell;

/* False, and nothing left open, if the system refuses. */
bool cc_bell_open(cc_bell *b);

void cc_bell_ring(cc_bell *b);
void cc_bell_hush(cc_bell *b); /* takes the rings out of the pipe */

/* Where to connect to: a socket in a folder that only this user may enter. NULL if that fails. */
const char *cc_bell_listen(cc_bell *b);

/* After somebody connected: from now on that socket rings. False if nobody did. Never blocks. */
bool cc_bell_accept(cc_bell *b);

/* Closes everything; `own`: of this process, so that its path is taken away as well. */
void cc_bell_close(cc_bell *b, bool own);

#endif
