/* What libcurl calls while a transfer runs: it touches buffers, a file and numbers of the request, and
 * tells of blocks and sockets whom they belong to; no Lua, and nothing of libcurl that could recurse. */
#ifndef CC_CALLBACK_H
#define CC_CALLBACK_H

#include "cc_request.h"

/* Sets the functions on a new easy handle. */
CURLcode cc_callback_install(cc_request *r);

/* The answer is complete. One without a body has called nobody, and makes a file all the same. */
cc_end cc_callback_complete(cc_request *r);

#endif
