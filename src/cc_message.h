/* What to tell a person about a transfer that failed: where, what, and what to do about it. */
#ifndef CC_MESSAGE_H
#define CC_MESSAGE_H

#include "cc_request.h"

/* Fills r->failure from how the transfer ended. Never allocates, never shows a credential. */
void cc_message_fill(cc_request *r, cc_end end, CURLcode rc, int64_t now);

#endif
