/* A thread that turns a loop, so that the caller's never waits for libcurl (TLS, names, large
 * answers). What passes between the two are whole requests, through two queues under one lock that
 * nobody holds for longer than a few assignments. */
#ifndef CC_THREAD_H
#define CC_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cc_bell.h"
#include "cc_loop.h"

typedef struct cc_thread {
    cc_loop *loop; /* the thread's alone while it runs */
    pthread_t id;
    bool running;
    cc_bell bell; /* for the caller: there is something to take. Of the lock: ring and peer */
    cc_bell wake; /* for the thread */
    /* under the lock */
    pthread_mutex_t lock;
    cc_queue inbox, outbox;
    bool stop, look, limit; /* look: a request is unwanted, or its progress is asked for */
    cc_lane_limits limits;  /* new ones, where `limit` says so */
} cc_thread;

/* False if memory, descriptors or threads are out; then it needs no close. */
bool cc_thread_open(cc_thread *t, cc_loop *loop);

/* Never block. put: the thread has it now. take: all that has ended goes behind `done`. */
void cc_thread_put(cc_thread *t, cc_request *r);
void cc_thread_take(cc_thread *t, cc_queue *done);
void cc_thread_cancel(cc_thread *t, cc_request *r);
void cc_thread_limit(cc_thread *t, const cc_lane_limits *limits);

/* As of the thread's last look at it, and asks for the next one. */
void cc_thread_progress(cc_thread *t, cc_request *r, cc_progress *p);

/* Waits at most so many microseconds until there is something to take, or a signal comes. */
void cc_thread_wait(cc_thread *t, int64_t us);

const char *cc_thread_listen(cc_thread *t);
bool cc_thread_accept(cc_thread *t);

/* Stops the thread and waits for it; requests stay where they are: in `inbox`, the loop, `outbox`.
 */
void cc_thread_close(cc_thread *t);

/* In a forked child: closes descriptors and touches nothing else. */
void cc_thread_abandon(cc_thread *t);

#endif
