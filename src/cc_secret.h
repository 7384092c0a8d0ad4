/* Bytes that nobody may see: an API key, a password. Pure functions, neither libcurl nor Lua.
 *
 * What is composed here is wiped by whoever frees it; see cc_wipe. */
#ifndef CC_SECRET_H
#define CC_SECRET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cc_secret {
    const char *bytes; /* NULL: there is none, or it was cleared. Ends with a zero byte */
    size_t n;
} cc_secret;

/* How the key travels. */
typedef enum cc_auth { CC_AUTH_NONE = 0, CC_AUTH_BEARER, CC_AUTH_API_KEY, CC_AUTH_QUERY } cc_auth;

/* Zeroes memory, also where the compiler sees that nobody reads it again. */
void cc_wipe(void *bytes, size_t n);

/* For text that ends with a zero byte and was allocated; NULL is fine. */
void cc_wipe_text(char *text);

/* May it stand in a header? Printable ASCII without spaces, at least one byte. */
bool cc_secret_is_key(const char *bytes, size_t n);

/* Where the secret stands first in the n bytes of text: *at and *length. Plain, and with any of its
 * characters percent-encoded (once or twice) or escaped as in JSON. False if it does not. */
bool cc_secret_find(const cc_secret *s, const char *text, size_t n, size_t *at, size_t *length);

/* The header line, "Authorization: Bearer ..." or "api-key: ...". Allocated; NULL when memory is
 * out. */
char *cc_secret_header(const cc_secret *s, cc_auth how);

/* The URL with "token=..." behind its query. Allocated; NULL when memory is out. */
char *cc_secret_url(const cc_secret *s, const char *url);

#endif
