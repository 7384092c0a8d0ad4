#include "cc_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cc_global.h"
#include "cc_lane.h"
#include "cc_poll.h"
#include "cc_request.h"
#include "cc_sys.h"

#define SLOT_BITS 20 /* a million in flight; the 32 bits of the generation stand above */
#define MAX_SLOTS (1u << SLOT_BITS)
#define MAX_SPARE 64 /* requests kept for reuse */
#define ROUNDS    16 /* of sockets in one step, so that a step ends */
#define EVENTS    64

enum { COMMON = 0, ONCE, LANES };

typedef struct slot {
    cc_request *request; /* NULL: free */
    uint32_t generation; /* of the id that is in use, or was last */
    uint32_t next_free;
} slot;

struct cc_engine {
    pid_t pid;
    cc_engine *abandoned; /* the next one, in a forked child */
    const char *bundle;   /* the system's CA file, NULL if there is none */
    /* the caller's side */
    slot *slots;
    uint32_t slot_count, first_free; /* first_free == slot_count: none */
    cc_request *spare;
    int spare_count;
    long inflight;
    cc_request *done_first, *done_last;
    bool exposed; /* somebody watches the descriptor, so the timer must be kept */
    /* the loop's side */
    cc_lane lanes[LANES];
    CURLSH *share;
    cc_poll poll;
    int64_t limit_due; /* when a limit in time wants to be looked at */
};

/* ---- process ---- */

bool cc_engine_foreign(const cc_engine *e) {
    return e->pid != getpid();
}

/* ---- the loop: sockets and time ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* When the loop has something to do if no socket stirs before. */
static int64_t next_due(const cc_engine *e) {
    return earlier(e->limit_due, earlier(e->lanes[0].due, e->lanes[1].due));
}

static cc_lane *lane_of(cc_engine *e, const cc_request *r) {
    return &e->lanes[r->once ? ONCE : COMMON];
}

/* The timer costs a system call, so it is only kept where somebody sleeps on the descriptor. */
static void keep_timer(cc_engine *e) {
    if (e->exposed) cc_poll_ring_at(&e->poll, next_due(e));
}

/* The same outside of step: what ended there must wake the sleeper, for nobody is about to look. */
static void keep_timer_or_ring(cc_engine *e) {
    if (e->exposed && e->done_first)
        cc_poll_ring_at(&e->poll, 0);
    else
        keep_timer(e);
}

/* From the loop's side to the caller's. */
static void put_done(cc_engine *e, cc_request *r) {
    r->state = CC_DONE;
    r->next = NULL;
    if (e->done_last)
        e->done_last->next = r;
    else
        e->done_first = r;
    e->done_last = r;
    e->inflight--;
}

static void finish(cc_engine *e, cc_request *r, cc_end end, CURLcode rc) {
    cc_request_finish(r, end, rc, cc_now_us());
    curl_multi_remove_handle(lane_of(e, r)->multi, r->easy);
    put_done(e, r);
}

static bool start(cc_engine *e, cc_request *r) {
    return curl_multi_add_handle(lane_of(e, r)->multi, r->easy) == CURLM_OK;
}

static bool went_on(cc_engine *e, cc_request *r) {
    if (!cc_request_redirect(r)) return false;
    curl_multi_remove_handle(lane_of(e, r)->multi, r->easy);
    if (start(e, r)) return true;
    r->end = CC_END_NOMEM;
    return false;
}

static void collect(cc_engine *e, cc_lane *lane) {
    CURL *easy;
    CURLcode rc;
    while ((easy = cc_lane_ended(lane, &rc))) {
        cc_request *r = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
        if (rc != CURLE_OK || !went_on(e, r)) finish(e, r, CC_END_CURL, rc);
    }
}

static void run_lanes(cc_engine *e) {
    int64_t now = cc_now_us();
    for (int i = 0; i < LANES; i++) {
        cc_lane_tick(&e->lanes[i], now);
        collect(e, &e->lanes[i]);
    }
}

/* All transfers are looked at, but only when the earliest limit has come: with limits of seconds
 * and transfers of milliseconds that is next to never. */
static void run_limits(cc_engine *e) {
    int64_t now = cc_now_us(), due = CC_NEVER;
    if (now < e->limit_due) return;
    for (uint32_t i = 0; i < e->slot_count; i++) {
        cc_request *r = e->slots[i].request;
        if (!r || r->state != CC_ACTIVE) continue;
        cc_end end = cc_request_expired(r, now);
        if (end != CC_END_CURL)
            finish(e, r, end, CURLE_OPERATION_TIMEDOUT);
        else
            due = earlier(due, cc_request_due(r, now));
    }
    e->limit_due = due;
}

static int run_sockets(cc_engine *e, int64_t us) {
    cc_event events[EVENTS];
    int n = cc_poll_wait(&e->poll, events, EVENTS, us);
    for (int i = 0; i < n; i++) cc_lane_act(&e->lanes[events[i].tag], &events[i]);
    return n;
}

/* One turn; what cc_poll_wait returned. */
static int turn(cc_engine *e, int64_t us) {
    int n = run_sockets(e, us);
    run_lanes(e);
    run_limits(e);
    return n;
}

void cc_engine_step(cc_engine *e) {
    for (int i = 0; i < ROUNDS && turn(e, 0) > 0; i++) continue;
    keep_timer(e);
}

/* Until something ends, a signal comes or the time is up. */
void cc_engine_wait(cc_engine *e, int64_t us) {
    int64_t now = cc_now_us();
    int64_t until = us < CC_NEVER - now ? now + us : CC_NEVER;
    while (!e->done_first) {
        int64_t due = earlier(until, next_due(e));
        int n = turn(e, due > now ? due - now : 0);
        now = cc_now_us();
        if (n < 0 || now >= until) break;
    }
    keep_timer(e);
}

/* ---- the caller: ids ---- */

static bool more_slots(cc_engine *e) {
    uint32_t count = e->slot_count ? e->slot_count * 2 : 64;
    if (count > MAX_SLOTS) return false;
    slot *s = realloc(e->slots, count * sizeof *s);
    if (!s) return false;
    for (uint32_t i = e->slot_count; i < count; i++) {
        s[i] = (slot){NULL, 0, i + 1};
    }
    e->slots = s;
    e->slot_count = count;
    return true;
}

static cc_id id_of(const cc_engine *e, const cc_request *r) {
    return ((cc_id)e->slots[r->slot].generation << SLOT_BITS) | r->slot;
}

static void take_slot(cc_engine *e, cc_request *r) {
    r->slot = e->first_free;
    slot *s = &e->slots[r->slot];
    e->first_free = s->next_free;
    s->request = r;
    if (++s->generation == 0) s->generation = 1; /* so that no id is 0 */
}

static void give_slot(cc_engine *e, cc_request *r) {
    slot *s = &e->slots[r->slot];
    s->request = NULL;
    s->next_free = e->first_free;
    e->first_free = r->slot;
}

static cc_request *find(const cc_engine *e, cc_id id) {
    uint32_t i = (uint32_t)(id & (MAX_SLOTS - 1));
    if (i >= e->slot_count || !e->slots[i].request) return NULL;
    return e->slots[i].generation == id >> SLOT_BITS ? e->slots[i].request : NULL;
}

/* ---- the caller: requests ---- */

static cc_request *new_request(cc_engine *e) {
    cc_request *r = e->spare;
    if (!r) return cc_request_new(e->share);
    e->spare = r->next;
    e->spare_count--;
    r->next = NULL;
    return r;
}

cc_code cc_engine_prepare(cc_engine *e, const cc_spec *spec, cc_request **out) {
    cc_request *r = *out = new_request(e);
    if (!r) return CC_NOMEM;
    cc_code code = cc_request_prepare(r, spec, e->bundle);
    if (code != CC_OK) cc_engine_discard(e, r);
    return code;
}

void cc_engine_discard(cc_engine *e, cc_request *r) {
    if (r->held) {
        cc_request_abandon(r);
        return;
    }
    if (e->spare_count >= MAX_SPARE) {
        cc_request_free(r);
        return;
    }
    cc_request_reset(r);
    r->next = e->spare;
    e->spare = r;
    e->spare_count++;
}

/* Both sides in one here: in direct mode the caller's thread is the loop's. */
static bool hand_over(cc_engine *e, cc_request *r, int64_t now) {
    if (!start(e, r)) return false;
    r->state = CC_ACTIVE;
    e->inflight++;
    e->limit_due = earlier(e->limit_due, cc_request_due(r, now));
    run_lanes(e); /* begins to connect at once: the caller may have other things to do */
    keep_timer_or_ring(e);
    return true;
}

static cc_code enter(cc_engine *e, cc_request *r, cc_id *id) {
    int64_t now = cc_now_us();
    if (!cc_request_seal(r, now)) return CC_NOMEM;
    if (e->first_free == e->slot_count && !more_slots(e)) return CC_FULL;
    take_slot(e, r);
    *id = id_of(e, r);
    if (hand_over(e, r, now)) return CC_OK;
    give_slot(e, r);
    return CC_REFUSED;
}

cc_code cc_engine_submit(cc_engine *e, cc_request *r, cc_id *id) {
    cc_code code = enter(e, r, id);
    if (code != CC_OK) cc_engine_discard(e, r);
    return code;
}

cc_request *cc_engine_hold(cc_engine *e, cc_id *id, cc_answer *a) {
    cc_request *r = e->done_first;
    if (!r) return NULL;
    *id = id_of(e, r);
    *a = (cc_answer){&r->failure,        r->status,       (long long)r->retry_after,
                     &r->answer_headers, &r->answer_body, r->sink.begun,
                     r->sink.written};
    r->held++;
    return r;
}

static void take(cc_engine *e, cc_request *r) {
    e->done_first = r->next;
    if (!e->done_first) e->done_last = NULL;
    give_slot(e, r);
    cc_engine_discard(e, r);
}

void cc_engine_release(cc_engine *e, cc_request *r, bool taken) {
    r->held--;
    if (!r->orphan) {
        if (taken) take(e, r);
    } else if (r->held == 0) {
        cc_request_free(r);
    }
}

bool cc_engine_progress(const cc_engine *e, cc_id id, cc_progress *p) {
    const cc_request *r = find(e, id);
    if (r) cc_request_progress(r, p);
    return r != NULL;
}

bool cc_engine_cancel(cc_engine *e, cc_id id) {
    cc_request *r = find(e, id);
    if (!r || r->state != CC_ACTIVE) return false;
    finish(e, r, CC_END_CANCELLED, CURLE_ABORTED_BY_CALLBACK);
    keep_timer_or_ring(e);
    return true;
}

int cc_engine_fd(cc_engine *e) {
    e->exposed = true;
    keep_timer_or_ring(e);
    return e->poll.fd;
}

long cc_engine_inflight(const cc_engine *e) {
    return e->inflight;
}

/* ---- life ---- */

/* What both lanes learn: names, and TLS sessions, for a resumed handshake costs a fraction. */
static bool open_share(cc_engine *e) {
    CURLSH *s = e->share = curl_share_init();
    return s && curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK;
}

/* A connection of the lane for what is sent once is never used again, so it keeps none. */
static bool open_lanes(cc_engine *e, const cc_engine_options *o) {
    cc_lane_limits limits = {o->max_connections, o->max_host_connections, o->max_idle};
    bool ok = cc_lane_open(&e->lanes[COMMON], &e->poll, COMMON, &limits);
    limits.idle = 1;
    return cc_lane_open(&e->lanes[ONCE], &e->poll, ONCE, &limits) && ok;
}

cc_engine *cc_engine_open(const cc_engine_options *options) {
    cc_global_init();
    cc_engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->pid = getpid();
    e->bundle = cc_global_bundle();
    e->poll.fd = e->poll.timer = -1;
    e->limit_due = CC_NEVER;
    if (cc_poll_open(&e->poll) && open_share(e) && open_lanes(e, options)) return e;
    cc_engine_close(e);
    return NULL;
}

static void free_requests(cc_engine *e) {
    for (uint32_t i = 0; i < e->slot_count; i++) {
        cc_request *r = e->slots[i].request;
        if (r && r->state == CC_ACTIVE) curl_multi_remove_handle(lane_of(e, r)->multi, r->easy);
        if (r && r->held)
            cc_request_abandon(r);
        else
            cc_request_free(r);
    }
    while (e->spare) {
        cc_request *r = e->spare;
        e->spare = r->next;
        cc_request_free(r);
    }
}

/* In a forked child: libcurl would say goodbye on the parent's connections. What is left to the end
 * of the process stays reachable, so that it does not look like a leak. */
static void abandon(cc_engine *e) {
    static cc_engine *all;
    cc_poll_close(&e->poll);
    e->abandoned = all;
    all = e;
}

void cc_engine_close(cc_engine *e) {
    if (!e) return;
    if (cc_engine_foreign(e)) {
        abandon(e);
        return;
    }
    free_requests(e);
    for (int i = 0; i < LANES; i++) cc_lane_close(&e->lanes[i]);
    if (e->share) curl_share_cleanup(e->share);
    cc_poll_close(&e->poll); /* after the lanes, whose goodbyes still speak to it */
    free(e->slots);
    free(e);
}
