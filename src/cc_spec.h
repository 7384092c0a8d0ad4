/* What goes into an engine and what comes out of it, in words that need neither curl.h nor Lua. */
#ifndef CC_SPEC_H
#define CC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cc_buf.h"
#include "cc_error.h"
#include "cc_file.h"
#include "cc_lines.h"
#include "cc_meter.h"
#include "cc_secret.h"

typedef enum cc_code {
    CC_OK = 0,
    CC_NOMEM,
    CC_REFUSED, /* libcurl did not take an option or the request */
    CC_NO_FD,   /* no file descriptor left */
    CC_FULL     /* a million in flight */
} cc_code;

typedef struct cc_request cc_request;

/* What to send, and within which limits. All strings are borrowed and copied where needed. */
typedef struct cc_spec {
    const char *url;    /* passed cc_text_check_url */
    const char *method; /* one of cc_request_methods */
    const char *body;   /* NULL: none */
    size_t body_len;
    double connect_timeout, idle_timeout, timeout; /* seconds; 0: none */
    size_t max_body, max_headers; /* max_body counts the whole file where there is one */
    const cc_file *file;          /* where the body of a 200 or 206 goes; NULL: memory */
    int64_t offset;               /* the file is right up to here, and goes on with a 206 */
    bool once;                    /* must leave this machine at most once; excludes follow */
    bool follow;                  /* redirects of a GET, without the caller's headers */
    bool insecure;
    const char *ca_file, *ca_path;                   /* NULL: the system's */
    const char *cert_file, *key_file, *key_password; /* the client's own certificate; PEM */
    cc_secret secret;                                /* added to headers or URL as auth says */
    cc_auth auth;
    const char *proxy;             /* NULL: libcurl's environment rules; "": none */
    const char *no_proxy;          /* hosts that need none, with commas; NULL: the environment's */
    cc_meter *meter;               /* counts it; NULL: nobody does */
    cc_lines *headers, *addresses; /* in common with others; NULL: none */
    bool apart;                    /* the body is not wanted as soon as it is there */
} cc_spec;

/* How a transfer ended. Borrowed from the request. */
typedef struct cc_answer {
    const cc_failure *failure; /* kind CC_KIND_NONE: there is an answer */
    long status;
    long long retry_after; /* seconds; 0: not asked for */
    const cc_buf *headers; /* the block of the final response; of a failure only where filed */
    cc_buf *body;          /* may be taken away, before the answer is released */
    bool apart;            /* as the request wanted it */
    bool filed;            /* the body, or what came of it before a failure, went to the file */
    int64_t written;       /* bytes of it */
} cc_answer;

/* How far a transfer is. */
typedef struct cc_progress {
    int64_t bytes;         /* of the file, what was there before included; or of the body */
    int64_t total;         /* so many there will be; -1: unknown */
    const cc_buf *headers; /* of the answer that goes to the file, NULL before. Borrowed for now */
} cc_progress;

/* "GET", "HEAD", ..., NULL. */
extern const char *const cc_request_methods[];

/* Adds a header line that passed cc_text_check_header. False when memory is out. */
bool cc_request_add_header(cc_request *r, const char *line);

/* Adds an address for a host, "HOST:PORT:ADDRESS:PORT" (CURLOPT_CONNECT_TO). False when memory is
 * out. Not CURLOPT_RESOLVE, which would answer for every other request of the engine too. */
bool cc_request_add_address(cc_request *r, const char *line);

#endif
