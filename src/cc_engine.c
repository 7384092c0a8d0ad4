#include "cc_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "cc_global.h"
#include "cc_loop.h"
#include "cc_request.h"
#include "cc_sys.h"
#include "cc_thread.h"

#define SLOT_BITS 20 /* a million in flight; the 32 bits of the generation stand above */
#define MAX_SLOTS (1u << SLOT_BITS)
#define MAX_SPARE 64 /* requests kept for reuse */
#define ROUNDS    16 /* of sockets in one step, so that a step ends */

typedef struct slot {
    cc_request *request; /* NULL: free */
    uint32_t generation; /* of the id that is in use, or was last */
    uint32_t next_free;
} slot;

struct cc_engine {
    pid_t pid;
    cc_engine *abandoned; /* the next one, in a forked child */
    const char *bundle;   /* the system's CA file, NULL if there is none */
    slot *slots;
    uint32_t slot_count, first_free; /* first_free == slot_count: none */
    cc_request *spare;
    int spare_count;
    long inflight;
    cc_queue done;
    bool exposed;  /* somebody watches the descriptor, so the timer must be kept */
    bool threaded; /* the loop is the thread's */
    cc_loop loop;
    cc_thread thread;
    cc_lane_limits limits;
    CURLSH *share;
    pthread_mutex_t share_lock;
};

/* ---- process ---- */

bool cc_engine_foreign(const cc_engine *e) {
    return e->pid != cc_pid();
}

/* ---- from the loop's side to the caller's ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* All that has ended. In direct mode it is only there after the loop was turned. */
static void collect(cc_engine *e) {
    cc_queue ended = {NULL, NULL};
    if (e->threaded)
        cc_thread_take(&e->thread, &ended);
    else
        cc_queue_move(&ended, &e->loop.done);
    for (cc_request *r = ended.first; r; r = r->next) {
        r->state = CC_DONE;
        e->inflight--;
    }
    cc_queue_move(&e->done, &ended);
}

/* The timer costs a system call, so it is only kept where somebody sleeps on the descriptor. */
static void keep_timer(cc_engine *e) {
    if (e->exposed && !e->threaded) cc_poll_ring_at(&e->loop.poll, cc_loop_due(&e->loop));
}

/* The same outside of step: what ended there must wake the sleeper, for nobody is about to look. */
static void keep_timer_or_ring(cc_engine *e) {
    if (e->exposed && !e->threaded && e->done.first)
        cc_poll_ring_at(&e->loop.poll, 0);
    else
        keep_timer(e);
}

void cc_engine_step(cc_engine *e) {
    for (int i = 0; !e->threaded && i < ROUNDS && cc_loop_turn(&e->loop, 0) > 0; i++) continue;
    collect(e);
    keep_timer(e);
}

static void wait_for_thread(cc_engine *e, int64_t us) {
    collect(e);
    if (e->done.first) return;
    cc_thread_wait(&e->thread, us);
    collect(e);
}

static void put_spare(cc_engine *e, cc_request *r) {
    cc_request **place = &e->spare;
    if (!r->easy && *place && (*place)->easy) place = &(*place)->next; /* behind what is ready */
    r->next = *place;
    *place = r;
    e->spare_count++;
}

/* While the server works: the easy handle that the next request needs. */
static void equip_next(cc_engine *e) {
    if (e->spare) {
        cc_request_equip(e->spare);
        return;
    }
    cc_request *r = cc_request_new(e->share, &e->loop.poll);
    if (r) put_spare(e, r);
}

/* Until something ends, a signal comes or the time is up. */
static void wait_in_loop(cc_engine *e, int64_t us) {
    if (us > 0 && e->inflight > 0 && !e->done.first) equip_next(e);
    int64_t now = cc_now_us();
    int64_t until = us < CC_NEVER - now ? now + us : CC_NEVER;
    while (!e->done.first) {
        int64_t due = earlier(until, cc_loop_due(&e->loop));
        int n = cc_loop_turn(&e->loop, due > now ? due - now : 0);
        collect(e);
        now = cc_now_us();
        if (n < 0 || now >= until) break;
    }
    keep_timer(e);
}

void cc_engine_wait(cc_engine *e, int64_t us) {
    if (e->threaded)
        wait_for_thread(e, us);
    else
        wait_in_loop(e, us);
}

/* ---- the caller: ids ---- */

static bool more_slots(cc_engine *e) {
    uint32_t count = e->slot_count ? e->slot_count * 2 : 64;
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
    if (!r) return cc_request_new(e->share, &e->loop.poll);
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
    put_spare(e, r);
}

/* Who has the loop begins to connect at once: the caller may have other things to do. */
static bool hand_over(cc_engine *e, cc_request *r) {
    r->state = CC_ACTIVE;
    e->inflight++;
    if (e->threaded) {
        cc_thread_put(&e->thread, r);
        return true;
    }
    bool ok = cc_loop_start(&e->loop, r);
    if (!ok) e->inflight--;
    collect(e);
    keep_timer_or_ring(e);
    return ok;
}

static cc_code enter(cc_engine *e, cc_request *r, cc_id *id) {
    if (!cc_request_seal(r, cc_now_us())) return CC_NOMEM;
    if (e->first_free == MAX_SLOTS) return CC_FULL;
    if (e->first_free == e->slot_count && !more_slots(e)) return CC_NOMEM;
    take_slot(e, r);
    *id = id_of(e, r);
    if (hand_over(e, r)) return CC_OK;
    give_slot(e, r);
    return CC_NOMEM;
}

cc_code cc_engine_submit(cc_engine *e, cc_request *r, cc_id *id) {
    cc_code code = enter(e, r, id);
    if (code != CC_OK) cc_engine_discard(e, r);
    return code;
}

cc_request *cc_engine_hold(cc_engine *e, cc_id *id, cc_answer *a) {
    if (!e->done.first && e->threaded) collect(e);
    cc_request *r = e->done.first;
    if (!r) return NULL;
    *id = id_of(e, r);
    *a = (cc_answer){&r->failure,        r->status,       (long long)r->retry_after,
                     &r->answer_headers, &r->answer_body, r->apart,
                     r->sink.begun,      r->sink.written};
    r->held++;
    return r;
}

static void take(cc_engine *e, cc_request *r) {
    cc_queue_take(&e->done);
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

bool cc_engine_progress(cc_engine *e, cc_id id, cc_progress *p) {
    cc_request *r = find(e, id);
    if (r && r->state == CC_ACTIVE && e->threaded)
        cc_thread_progress(&e->thread, r, p);
    else if (r)
        cc_request_progress(r, p);
    return r != NULL;
}

bool cc_engine_cancel(cc_engine *e, cc_id id) {
    cc_request *r = find(e, id);
    if (!r || r->state != CC_ACTIVE || r->unwanted) return false; /* only this side sets it */
    if (e->threaded) {
        cc_thread_cancel(&e->thread, r);
        return true;
    }
    cc_loop_cancel(&e->loop, r);
    collect(e);
    keep_timer_or_ring(e);
    return true;
}

int cc_engine_fd(cc_engine *e) {
    if (e->threaded) return e->thread.bell.out;
    e->exposed = true;
    keep_timer_or_ring(e);
    return cc_poll_fd(&e->loop.poll);
}

const char *cc_engine_listen(cc_engine *e) {
    return e->threaded ? cc_thread_listen(&e->thread) : NULL;
}

bool cc_engine_accept(cc_engine *e) {
    return e->threaded && cc_thread_accept(&e->thread);
}

long cc_engine_inflight(const cc_engine *e) {
    return e->inflight;
}

/* ---- life ---- */

/* Handles are made on one side and used on the other, freed on either, and share what they know. */
static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *user) {
    (void)easy, (void)data, (void)access;
    pthread_mutex_lock(&((cc_engine *)user)->share_lock);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *user) {
    (void)easy, (void)data;
    pthread_mutex_unlock(&((cc_engine *)user)->share_lock);
}

static bool lock_all(cc_engine *e) {
    return curl_share_setopt(e->share, CURLSHOPT_USERDATA, (void *)e) == CURLSHE_OK &&
           curl_share_setopt(e->share, CURLSHOPT_LOCKFUNC, lock_share) == CURLSHE_OK &&
           curl_share_setopt(e->share, CURLSHOPT_UNLOCKFUNC, unlock_share) == CURLSHE_OK;
}

/* What both lanes learn: names, and TLS sessions, for a resumed handshake costs a fraction. */
static bool open_share(cc_engine *e) {
    CURLSH *s = e->share = curl_share_init();
    return s && (!e->threaded || lock_all(e)) &&
           curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK &&
           curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK;
}

static void set_limits(cc_engine *e, const cc_engine_options *o) {
    e->limits = (cc_lane_limits){o->max_connections, o->max_host_connections, o->max_idle};
}

void cc_engine_limit(cc_engine *e, const cc_engine_options *o) {
    cc_lane_limits limits = {o->max_connections, o->max_host_connections, o->max_idle};
    if (e->threaded)
        cc_thread_limit(&e->thread, &limits);
    else
        cc_loop_limit(&e->loop, &limits);
}

/* The thread last: from then on the loop is its own. */
static bool open_all(cc_engine *e, bool thread) {
    e->threaded = thread; /* so that the share gets its locks */
    bool ok = cc_loop_open(&e->loop, &e->limits) && open_share(e);
    if (!ok || !thread) return ok;
    e->threaded = cc_thread_open(&e->thread, &e->loop);
    return e->threaded;
}

bool cc_engine_always_threaded(void) {
    return !CC_POLL_HAS_FD;
}

cc_engine *cc_engine_open(const cc_engine_options *options) {
    cc_global_init();
    cc_engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->pid = cc_pid();
    e->bundle = cc_global_bundle();
    pthread_mutex_init(&e->share_lock, NULL);
    set_limits(e, options);
    if (open_all(e, options->thread || !CC_POLL_HAS_FD)) return e;
    e->threaded = e->threaded && e->thread.running;
    cc_engine_close(e);
    return NULL;
}

static void free_requests(cc_engine *e) {
    for (uint32_t i = 0; i < e->slot_count; i++) {
        cc_request *r = e->slots[i].request;
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
    cc_poll_close(&e->loop.poll);
    if (e->threaded) cc_thread_abandon(&e->thread);
    e->abandoned = all;
    all = e;
}

void cc_engine_close(cc_engine *e) {
    if (!e) return;
    if (cc_engine_foreign(e)) {
        abandon(e);
        return;
    }
    if (e->threaded) cc_thread_close(&e->thread);
    cc_loop_abort(&e->loop);
    free_requests(e);
    cc_loop_close(&e->loop);
    if (e->share) curl_share_cleanup(e->share);
    pthread_mutex_destroy(&e->share_lock);
    free(e->slots);
    free(e);
}
