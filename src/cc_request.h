/* One transfer: an easy handle, what is sent, and where the answer goes.
 *
 * Callbacks of libcurl end here and touch nothing but this structure, the marks of the block that
 * they read from, and for a socket that is opened the loop's poll. A request is made ready
 * by the caller, run by the engine's loop, and read by the caller again; at any time only one
 * of them has it. Requests are reused: what can be kept (handle, buffers) is. */
#ifndef CC_REQUEST_H
#define CC_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "cc_lines.h"
#include "cc_poll.h"
#include "cc_sink.h"
#include "cc_spec.h"

#define CC_MAX_REDIRECTS 5

/* PREREQ is what makes "sent" exact, and "once" certain over HTTP/2 too; it came with 7.80.0, and
 * the libcurl that is there at run time may be older than its header: see cc_global_guards.
 * Building with CC_NO_PREREQ shows what is done without it. */
#if LIBCURL_VERSION_NUM >= 0x075000 && !defined(CC_NO_PREREQ)
#define CC_HAVE_PREREQ 1
#else
#define CC_HAVE_PREREQ 0
#endif

typedef enum cc_state { CC_IDLE = 0, CC_ACTIVE, CC_DONE } cc_state;

/* What an easy handle has been through. */
typedef enum cc_past {
    CC_NEW = 0, /* nothing but what all have in common is set */
    CC_SET,     /* options of a request */
    CC_CARRIED, /* a transfer */
    CC_CLEARED  /* of what it has carried nothing is left but options, which are set anew */
} cc_past;

/* Why the loop or a callback ended a transfer, where the CURLcode cannot tell. */
typedef enum cc_end {
    CC_END_CURL = 0, /* as libcurl says */
    CC_END_CANCELLED,
    CC_END_IDLE,
    CC_END_TOTAL,
    CC_END_BODY_FULL,
    CC_END_HEADERS_FULL,
    CC_END_NOMEM,
    CC_END_SECOND_TRY,
    CC_END_REDIRECT,
    CC_END_ENOUGH, /* no failure: the rest of the body is not wanted */
    CC_END_RANGE,
    CC_END_FILE
} cc_end;

/* Progress as it is shown to another thread. */
typedef struct cc_view {
    bool asked;
    int64_t bytes, total;
    cc_buf headers; /* empty until there are some, then never changed */
} cc_view;

struct cc_request {
    CURL *easy;                    /* NULL: to be made by prepare */
    cc_past past;                  /* of the easy handle */
    CURLSH *share;                 /* borrowed; NULL: none */
    cc_poll *poll;                 /* of the loop that will run it; NULL: none */
    struct curl_slist *headers;    /* once it is sealed, with those in common behind its own */
    struct curl_slist *last;       /* of its own headers, then; NULL: it has none */
    struct curl_slist *connect_to; /* other addresses for hosts, of this request only */
    cc_lines *common_headers, *common_addresses; /* NULL: none */
    char *body;
    size_t body_len;
    cc_buf answer_headers, answer_body;
    cc_sink sink; /* takes the place of answer_body where a file is wanted and comes */
    size_t max_body;
    size_t header_bytes, max_headers; /* of all answers together, 1xx and redirects too */
    bool block_open;                  /* inside a header block */
    bool follow, once;
    bool apart;
    bool private_url; /* holds the key */
    bool sends;       /* has a body, or says that it has none */
    bool may_stall;   /* see cc_request_nudge */
    bool sized;       /* the body's first bytes have come: its length has been looked at */
    bool sealed;
    bool ended; /* the easy handle may be the next one's already */
    int redirects;
    int tries;                 /* how often libcurl was about to send; see cc_request_unsent */
    cc_end end;                /* set by a callback before it stops the transfer */
    int64_t started, deadline; /* microseconds; CC_NEVER: no total limit */
    int64_t idle_limit, moved; /* 0: no limit */
    int64_t round;             /* when libcurl was given it, or its last redirect; 0: not now */
    curl_off_t moved_bytes;
    double connect_timeout, idle_timeout, timeout; /* as given, for the messages */
    cc_failure failure;                            /* kind CC_KIND_NONE: it went well */
    long status;
    curl_off_t retry_after; /* seconds the server asked to wait; 0: it did not */
    char curl_message[CURL_ERROR_SIZE];
    cc_meter *meter;             /* the caller's side's */
    bool counted;                /* as begun */
    int64_t marks[CC_RECEIVING]; /* when a stage of this round ended; 0: not yet, or it had none */
    cc_cost cost;                /* kept where there is a meter */
    /* for the loop */
    cc_request *before, *after;
    /* for the engine and the binding: the caller's side alone */
    cc_state state;
    int held;    /* somebody is reading the answer: it must not be freed now */
    bool orphan; /* the engine is done with it; the last holder frees it */
    uint32_t slot;
    /* for whoever has it: a queue; and what a thread is told and tells, under its lock */
    cc_request *next;
    bool unwanted;
    cc_view view;
};

/* A new request with an easy handle, or NULL when memory is out. share and poll may be NULL. */
cc_request *cc_request_new(CURLSH *share, cc_poll *poll);

/* Makes the easy handle that the next transfer needs, if there is none, before it is needed.
 * Without memory there still is none. */
void cc_request_equip(cc_request *r);

/* Fills in what is to be sent. CC_OK, or why not; then it may only be reset or freed.
 * bundle is the system's CA file, NULL to leave libcurl's default. */
cc_code cc_request_prepare(cc_request *r, const cc_spec *spec, const char *bundle);

/* The last step before the loop takes it. False when memory is out. */
bool cc_request_seal(cc_request *r, int64_t now);

/* Is it certain that nothing of it was sent? Without PREREQ it never is. */
bool cc_request_unsent(const cc_request *r);

/* When the loop must look at it again, if nothing happens before: CC_NEVER or a time. */
int64_t cc_request_due(const cc_request *r, int64_t now);

/* libcurl 7.88 may not notice the end of an HTTP/2 answer that came before all of the body was
 * sent. Makes it look again where an answer has begun and nothing stirs. */
void cc_request_nudge(cc_request *r, int64_t now);

/* CC_END_TOTAL or CC_END_IDLE if a limit has passed, else CC_END_CURL. */
cc_end cc_request_expired(const cc_request *r, int64_t now);

void cc_request_progress(const cc_request *r, cc_progress *p);

/* Writes it into the view. */
void cc_request_show(cc_request *r);

/* Is the finished answer a redirect that is to be followed? Then the request is made ready for the
 * next round, without the caller's headers; false with r->end set where it must not be followed. */
bool cc_request_redirect(cc_request *r);

/* Takes its own headers away from before those in common: whoever calls is to free them. */
struct curl_slist *cc_request_take_headers(cc_request *r);

/* The client certificate is not for everybody. */
void cc_request_forget_identity(cc_request *r);

/* Between two rounds, out of the multi handle: where cc_global_stale_headers says so the request
 * goes on with a new handle. False when memory is out; then it is as before. */
bool cc_request_renew(cc_request *r);

/* libcurl gets it now; and what the round has cost, while the easy handle still knows. */
void cc_request_begin_round(cc_request *r, int64_t now);
void cc_request_end_round(cc_request *r, int64_t now);

/* Writes down how it ended, while the easy handle still knows. */
void cc_request_finish(cc_request *r, cc_end end, CURLcode rc, int64_t now);

/* Then, out of the multi handle: an easy handle that is to carry nothing further goes at once, with
 * the key that it has sent, and on the side that has the loop. (Reset does it for what never
 * began.) */
void cc_request_retire(cc_request *r);

/* Forgets the transfer, keeps what may be kept of handle and buffers for the next one. */
void cc_request_reset(cc_request *r);

/* Instead of free while it is held: gives the handle up, and leaves the bytes to the last holder.
 */
void cc_request_abandon(cc_request *r);

/* Frees everything. The easy handle must have left its multi handle. */
void cc_request_free(cc_request *r);

#endif
