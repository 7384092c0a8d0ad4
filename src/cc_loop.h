/* The loop's side of an engine: the multi handles, their sockets, and limits in time.
 *
 * Whole requests come in and go out. Whoever turns the loop owns what is in it: in direct mode the
 * caller's thread does, else the thread of cc_thread.h. */
#ifndef CC_LOOP_H
#define CC_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "cc_lane.h"
#include "cc_poll.h"
#include "cc_request.h"

enum { CC_LANE_COMMON = 0, CC_LANE_ONCE, CC_LANES };

/* Tag of a descriptor that is none of libcurl's; `woken` tells of it. */
#define CC_TAG_WAKE CC_LANES

typedef struct cc_queue {
    cc_request *first, *last;
} cc_queue;

typedef struct cc_loop {
    cc_lane lanes[CC_LANES];
    cc_poll poll;
    cc_request *active; /* all that is on its way */
    cc_queue done;      /* ended, and not taken out yet */
    int64_t limit_due;  /* when a limit in time wants to be looked at */
    bool woken;
} cc_loop;

void cc_queue_put(cc_queue *q, cc_request *r);
cc_request *cc_queue_take(cc_queue *q);
/* Moves all of `from` behind `to`. */
void cc_queue_move(cc_queue *to, cc_queue *from);

/* False when memory or descriptors are out; then it must be closed all the same. */
bool cc_loop_open(cc_loop *l, const cc_lane_limits *limits);

/* Changes the number of connections from now on. */
void cc_loop_limit(cc_loop *l, const cc_lane_limits *limits);

/* Begins to connect at once. False if libcurl has no memory for it: it is the caller's again. */
bool cc_loop_start(cc_loop *l, cc_request *r);

/* Ends what is on its way; what was it is among `done` then. */
void cc_loop_cancel(cc_loop *l, cc_request *r);

/* One turn, waiting at most so many microseconds for a socket. What cc_poll_wait returned. */
int cc_loop_turn(cc_loop *l, int64_t us);

/* When there is something to do if no socket stirs before. */
int64_t cc_loop_due(const cc_loop *l);

/* Takes everything that is on its way out without a word. */
void cc_loop_abort(cc_loop *l);

/* After abort. */
void cc_loop_close(cc_loop *l);

#endif
