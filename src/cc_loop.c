#include "cc_loop.h"

#include <stddef.h>

#include "cc_sys.h"

#define EVENTS 64

/* ---- queues ---- */

void cc_queue_put(cc_queue *q, cc_request *r) {
    r->next = NULL;
    if (q->last)
        q->last->next = r;
    else
        q->first = r;
    q->last = r;
}

cc_request *cc_queue_take(cc_queue *q) {
    cc_request *r = q->first;
    if (!r) return NULL;
    q->first = r->next;
    if (!q->first) q->last = NULL;
    r->next = NULL;
    return r;
}

void cc_queue_move(cc_queue *to, cc_queue *from) {
    if (!from->first) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    *from = (cc_queue){NULL, NULL};
}

/* ---- what is on its way ---- */

static cc_lane *lane_of(cc_loop *l, const cc_request *r) {
    return &l->lanes[r->once ? CC_LANE_ONCE : CC_LANE_COMMON];
}

static void link_in(cc_loop *l, cc_request *r) {
    r->before = NULL;
    r->after = l->active;
    if (l->active) l->active->before = r;
    l->active = r;
}

static void unlink_from(cc_loop *l, cc_request *r) {
    if (r->before)
        r->before->after = r->after;
    else
        l->active = r->after;
    if (r->after) r->after->before = r->before;
    r->before = r->after = NULL;
}

static bool enter(cc_loop *l, cc_request *r) {
    if (curl_multi_add_handle(lane_of(l, r)->multi, r->easy) != CURLM_OK) return false;
    r->past = CC_CARRIED;
    return true;
}

static void leave(cc_loop *l, cc_request *r) {
    curl_multi_remove_handle(lane_of(l, r)->multi, r->easy);
    unlink_from(l, r);
}

static void finish(cc_loop *l, cc_request *r, cc_end end, CURLcode rc) {
    cc_request_finish(r, end, rc, cc_now_us());
    leave(l, r);
    cc_request_retire(r);
    cc_queue_put(&l->done, r);
}

/* ---- sockets and time ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static bool went_on(cc_loop *l, cc_request *r) {
    if (!cc_request_redirect(r)) return false;
    int64_t now = cc_now_us();
    cc_request_end_round(r, now);
    curl_multi_remove_handle(lane_of(l, r)->multi, r->easy);
    if (!cc_request_renew(r) || !enter(l, r)) {
        r->end = CC_END_NOMEM;
        return false;
    }
    cc_request_begin_round(r, now);
    return true;
}

static void collect(cc_loop *l, cc_lane *lane) {
    CURL *easy;
    CURLcode rc;
    while ((easy = cc_lane_ended(lane, &rc))) {
        cc_request *r = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
        if (rc != CURLE_OK || !went_on(l, r)) finish(l, r, CC_END_CURL, rc);
    }
}

/* libcurl does not say whose socket it was that it forgot, so all of the lane end. */
static void give_up(cc_loop *l, cc_lane *lane) {
    lane->broken = false;
    for (cc_request *r = l->active, *after; r; r = after) {
        after = r->after;
        if (lane_of(l, r) == lane) finish(l, r, CC_END_NOMEM, CURLE_OUT_OF_MEMORY);
    }
}

static void run_lanes(cc_loop *l) {
    int64_t now = cc_now_us();
    for (int i = 0; i < CC_LANES; i++) {
        cc_lane_tick(&l->lanes[i], now);
        collect(l, &l->lanes[i]);
        if (l->lanes[i].broken) give_up(l, &l->lanes[i]);
    }
}

/* All transfers are looked at, but only when the earliest limit has come: with limits of seconds
 * and transfers of milliseconds that is next to never. */
static void run_limits(cc_loop *l) {
    int64_t now = cc_now_us(), due = CC_NEVER;
    if (now < l->limit_due) return;
    for (cc_request *r = l->active, *after; r; r = after) {
        after = r->after;
        cc_end end = cc_request_expired(r, now);
        if (end != CC_END_CURL) {
            finish(l, r, end, CURLE_OPERATION_TIMEDOUT);
            continue;
        }
        cc_request_nudge(r, now);
        due = earlier(due, cc_request_due(r, now));
    }
    l->limit_due = due;
}

static int run_sockets(cc_loop *l, int64_t us) {
    cc_event events[EVENTS];
    int n = cc_poll_wait(&l->poll, events, EVENTS, us);
    for (int i = 0; i < n; i++) {
        if (events[i].tag == CC_TAG_WAKE)
            l->woken = true;
        else
            cc_lane_act(&l->lanes[events[i].tag], &events[i]);
    }
    return n;
}

int cc_loop_turn(cc_loop *l, int64_t us) {
    int n = run_sockets(l, us);
    run_lanes(l);
    run_limits(l);
    return n;
}

int64_t cc_loop_due(const cc_loop *l) {
    return earlier(l->limit_due, earlier(l->lanes[0].due, l->lanes[1].due));
}

/* ---- coming and going ---- */

bool cc_loop_start(cc_loop *l, cc_request *r) {
    if (!enter(l, r)) return false;
    int64_t now = cc_now_us();
    link_in(l, r);
    cc_request_begin_round(r, now);
    l->limit_due = earlier(l->limit_due, cc_request_due(r, now));
    run_lanes(l); /* whoever started it may have other things to do */
    return true;
}

void cc_loop_cancel(cc_loop *l, cc_request *r) {
    finish(l, r, CC_END_CANCELLED, CURLE_ABORTED_BY_CALLBACK);
}

/* ---- life ---- */

/* A connection of the lane for what is sent once is never used again, so it keeps none. */
static cc_lane_limits limits_of(int lane, const cc_lane_limits *limits) {
    cc_lane_limits own = *limits;
    if (lane == CC_LANE_ONCE) own.idle = 1;
    return own;
}

bool cc_loop_open(cc_loop *l, const cc_lane_limits *limits) {
    *l = (cc_loop){.limit_due = CC_NEVER};
    bool ok = cc_poll_open(&l->poll);
    for (int i = 0; i < CC_LANES && ok; i++) {
        cc_lane_limits own = limits_of(i, limits);
        ok = cc_lane_open(&l->lanes[i], &l->poll, i, &own);
    }
    return ok;
}

void cc_loop_limit(cc_loop *l, const cc_lane_limits *limits) {
    for (int i = 0; i < CC_LANES; i++) {
        cc_lane_limits own = limits_of(i, limits);
        cc_lane_limit(&l->lanes[i], &own);
    }
}

void cc_loop_abort(cc_loop *l) {
    while (l->active) leave(l, l->active);
}

/* The poll after the lanes, whose goodbyes still speak to it. */
void cc_loop_close(cc_loop *l) {
    for (int i = 0; i < CC_LANES; i++) cc_lane_close(&l->lanes[i]);
    cc_poll_close(&l->poll);
}
