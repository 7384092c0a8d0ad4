/* The one error table: transport result x HTTP status x API code -> kind, sent, retryable.
 *
 * Everything here is constant data and pure functions: no allocation, no curl.h, no Lua.
 * CURLcodes are numbers here because libcurl promises never to renumber them, and so the
 * table is whole whatever header it is compiled with; spec/core/cc_error_test.c compares
 * it with the header. */
#ifndef CC_ERROR_H
#define CC_ERROR_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cc_kind {
    CC_KIND_NONE = 0, /* no error */
    CC_KIND_NETWORK,
    CC_KIND_TIMEOUT,
    CC_KIND_TLS,
    CC_KIND_CANCELLED,
    CC_KIND_TOO_LARGE,
    CC_KIND_BAD_RESPONSE,
    CC_KIND_REDIRECT,
    CC_KIND_BAD_REQUEST,
    CC_KIND_AUTHENTICATION,
    CC_KIND_FORBIDDEN,
    CC_KIND_NOT_FOUND,
    CC_KIND_RATE_LIMITED,
    CC_KIND_PLAN_LIMIT,
    CC_KIND_INSUFFICIENT_BALANCE,
    CC_KIND_WORKER_FAILED,
    CC_KIND_VERSION_UNAVAILABLE,
    CC_KIND_RUN_CONFLICT,
    CC_KIND_NOT_IMPLEMENTED,
    CC_KIND_SERVER_ERROR,
    CC_KIND_API_ERROR,
    CC_KIND_FILE, /* of this machine: no room, no permission, somebody else has it */
    CC_KIND_INTERNAL,
    CC_KIND_COUNT
} cc_kind;

/* Did the request have an effect at the other end? */
typedef enum cc_sent {
    CC_SENT_NO = 0,  /* nothing left this machine */
    CC_SENT_REFUSED, /* it arrived, and the platform's own envelope says that it did nothing */
    CC_SENT_UNKNOWN  /* it left, or may have left, and nobody can tell */
} cc_sent;

typedef enum cc_api { CC_API_V1 = 0, CC_API_V2 } cc_api;

/* One code of API.md section 19. */
typedef struct cc_api_error {
    int code;
    const char *key;
    cc_kind kind;
    bool retryable; /* repeating the same request later can help */
    cc_sent sent;
    short http[2]; /* statuses it was seen with; 0 ends the list */
} cc_api_error;

/* One CURLcode. */
typedef struct cc_transport_error {
    int code;
    const char *name; /* without CURLE_ */
    cc_kind kind;
    bool retryable;
} cc_transport_error;

typedef struct cc_verdict {
    cc_kind kind; /* CC_KIND_NONE: success */
    bool retryable;
    cc_sent sent;
    const char *key; /* of the API code, NULL if the code is not in the table */
} cc_verdict;

#define CC_MESSAGE_SIZE 400

/* How a transfer failed. Fixed size, so that telling it never fails. */
typedef struct cc_failure {
    cc_kind kind;
    bool retryable;
    cc_sent sent;
    int code;         /* CURLcode */
    const char *name; /* its name, static */
    long status;      /* HTTP status if one was read, else 0 */
    char message[CC_MESSAGE_SIZE];
} cc_failure;

/* Static names, never NULL. */
const char *cc_kind_name(cc_kind kind);
const char *cc_sent_name(cc_sent sent);

/* The tables, *n rows each. */
const cc_api_error *cc_api_errors(cc_api api, size_t *n);
const cc_transport_error *cc_transport_errors(size_t *n);

/* The row of a CURLcode; one that is unknown here gets a row of kind "internal". */
const cc_transport_error *cc_transport_lookup(int curl_code);

/* Judges an answer. has_code is false where there was no readable envelope.
 * A non-zero code decides first; a code of the other API version is understood too;
 * unknown codes are judged by HTTP status. */
cc_verdict cc_classify(cc_api api, long http_status, bool has_code, long long code);

#endif
