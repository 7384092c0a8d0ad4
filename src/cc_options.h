/* What libcurl is told of a request. */
#ifndef CC_OPTIONS_H
#define CC_OPTIONS_H

#include "cc_request.h"

/* What is the same for every request that this handle will carry. */
CURLcode cc_options_constant(cc_request *r);

/* What is different for each: all options but headers and addresses, which are added later. The
 * body has been copied. */
CURLcode cc_options_set(cc_request *r, const cc_spec *s, const char *bundle);

#endif
