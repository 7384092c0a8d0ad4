#include "cc_thread.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>

#include "cc_sys.h"

static void lock(cc_thread *t) {
    pthread_mutex_lock(&t->lock);
}

static void unlock(cc_thread *t) {
    pthread_mutex_unlock(&t->lock);
}

/* ---- the thread ---- */

/* What it could not begin has sent nothing. */
static void fail(cc_loop *l, cc_request *r, cc_end end, CURLcode rc) {
    cc_request_finish(r, end, rc, cc_now_us());
    cc_queue_put(&l->done, r);
}

static void begin(cc_loop *l, cc_request *r, bool unwanted) {
    if (unwanted)
        fail(l, r, CC_END_CANCELLED, CURLE_ABORTED_BY_CALLBACK);
    else if (!cc_loop_start(l, r))
        fail(l, r, CC_END_CURL, CURLE_OUT_OF_MEMORY);
}

static void begin_all(cc_thread *t, cc_queue *q) {
    cc_request *r;
    while ((r = cc_queue_take(q))) {
        lock(t);
        bool unwanted = r->unwanted;
        unlock(t);
        begin(t->loop, r, unwanted);
    }
}

/* Under the lock, for `unwanted` and `view` are both sides'. */
static cc_request *look_at(cc_request *r) {
    if (r->view.asked) cc_request_show(r);
    return r->unwanted ? r : NULL;
}

/* Few ask for this, and then all that is on its way is looked through. */
static void look(cc_thread *t) {
    for (cc_request *r = t->loop->active, *after; r; r = after) {
        after = r->after;
        lock(t);
        cc_request *unwanted = look_at(r);
        unlock(t);
        if (unwanted) cc_loop_cancel(t->loop, unwanted);
    }
}

typedef struct orders {
    cc_queue inbox;
    bool stop, look, limit;
    cc_lane_limits limits;
} orders;

static orders take_orders(cc_thread *t) {
    lock(t);
    cc_bell_hush(&t->wake);
    orders o = {t->inbox, t->stop, t->look, t->limit, t->limits};
    t->inbox = (cc_queue){NULL, NULL};
    t->look = t->limit = false;
    unlock(t);
    return o;
}

/* False: it is to stop. What came in meanwhile goes back, to be freed by whoever stopped it. */
static bool obey(cc_thread *t) {
    orders o = take_orders(t);
    t->loop->woken = false;
    if (o.stop) {
        lock(t);
        cc_queue_move(&t->inbox, &o.inbox);
        unlock(t);
        return false;
    }
    if (o.limit) cc_loop_limit(t->loop, &o.limits);
    begin_all(t, &o.inbox);
    if (o.look) look(t);
    return true;
}

/* Rings when the outbox was empty: whoever takes takes everything. The handles for what comes next
 * are made here, for the caller has other things to do. */
static void deliver(cc_thread *t) {
    if (!t->loop->done.first) return;
    for (cc_request *r = t->loop->done.first; r; r = r->next) cc_request_equip(r);
    lock(t);
    bool ring = !t->outbox.first;
    cc_queue_move(&t->outbox, &t->loop->done);
    if (ring) cc_bell_ring(&t->bell);
    unlock(t);
}

static void *run(void *user) {
    cc_thread *t = user;
    cc_loop *l = t->loop;
    bool going_on = true;
    while (going_on) {
        int64_t due = cc_loop_due(l), now = cc_now_us();
        int64_t us = due == CC_NEVER ? CC_NEVER : due > now ? due - now : 0;
        cc_loop_turn(l, us);
        if (l->woken) going_on = obey(t);
        deliver(t);
    }
    return NULL;
}

/* ---- the caller ---- */

/* The program's signals are for its own threads. */
static bool begin_thread(cc_thread *t) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    t->running = pthread_create(&t->id, NULL, run, t) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return t->running;
}

bool cc_thread_open(cc_thread *t, cc_loop *loop) {
    *t = (cc_thread){.loop = loop};
    bool ok = cc_bell_open(&t->bell);
    ok = cc_bell_open(&t->wake) && ok;
    pthread_mutex_init(&t->lock, NULL);
    if (ok) cc_poll_watch(&loop->poll, t->wake.out, CC_TAG_WAKE, true, false, false);
    if (ok && begin_thread(t)) return true;
    cc_thread_close(t);
    return false;
}

void cc_thread_put(cc_thread *t, cc_request *r) {
    lock(t);
    bool ring = !t->inbox.first;
    cc_queue_put(&t->inbox, r);
    unlock(t);
    if (ring) cc_bell_ring(&t->wake);
}

void cc_thread_take(cc_thread *t, cc_queue *done) {
    lock(t);
    if (t->outbox.first) cc_bell_hush(&t->bell);
    cc_queue_move(done, &t->outbox);
    unlock(t);
}

static void order(cc_thread *t) {
    t->look = true;
    unlock(t);
    cc_bell_ring(&t->wake);
}

void cc_thread_cancel(cc_thread *t, cc_request *r) {
    lock(t);
    r->unwanted = true;
    order(t);
}

void cc_thread_progress(cc_thread *t, cc_request *r, cc_progress *p) {
    lock(t);
    *p = (cc_progress){r->view.bytes, r->view.total, NULL};
    /* written once, before anybody is told of it */
    if (r->view.headers.len > 0) p->headers = &r->view.headers;
    r->view.asked = true;
    order(t);
}

void cc_thread_limit(cc_thread *t, const cc_lane_limits *limits) {
    lock(t);
    t->limits = *limits;
    t->limit = true;
    unlock(t);
    cc_bell_ring(&t->wake);
}

void cc_thread_wait(cc_thread *t, int64_t us) {
    struct pollfd p = {t->bell.out, POLLIN, 0};
    int64_t ms = us / 1000 + (us % 1000 != 0);
    poll(&p, 1, ms > INT_MAX ? INT_MAX : (int)ms);
}

const char *cc_thread_listen(cc_thread *t) {
    return cc_bell_listen(&t->bell);
}

/* What rang before goes on ringing at the new place. */
bool cc_thread_accept(cc_thread *t) {
    lock(t);
    bool ok = cc_bell_accept(&t->bell);
    if (ok && t->outbox.first) cc_bell_ring(&t->bell);
    unlock(t);
    return ok;
}

void cc_thread_close(cc_thread *t) {
    if (t->running) {
        lock(t);
        t->stop = true;
        unlock(t);
        cc_bell_ring(&t->wake);
        pthread_join(t->id, NULL);
    }
    t->running = false;
    cc_bell_close(&t->bell, true);
    cc_bell_close(&t->wake, true);
    pthread_mutex_destroy(&t->lock);
}

void cc_thread_abandon(cc_thread *t) {
    cc_bell_close(&t->bell, false);
    cc_bell_close(&t->wake, false);
}
