/* Many transfers behind one file descriptor.
 *
 * Two sides: the caller's (submit, next, cancel, close; knows ids) and the loop's (cc_loop.h: the
 * multi handles, sockets, limits in time). In direct mode the caller's thread turns the loop inside
 * step and wait; in thread mode a thread of its own does (cc_thread.h), and no call here waits for
 * it but close. What passes between the sides are whole requests.
 *
 * An engine belongs to the process that opened it. In a forked child only cc_engine_foreign
 * and cc_engine_close may be used, and close only closes descriptors. */
#ifndef CC_ENGINE_H
#define CC_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cc_spec.h"

typedef struct cc_engine cc_engine;

/* Requests with `once` use connections of their own, which are counted on their own. */
typedef struct cc_engine_options {
    long max_connections;      /* open at once; 0: no limit */
    long max_host_connections; /* to one host; 0: no limit; what is over it waits in line */
    long max_idle;             /* kept open for the next request */
    bool thread;               /* a thread turns the loop; always so where CC_POLL_HAS_FD is 0 */
} cc_engine_options;

/* Made by slot and generation: below 2^53, never 0, not used again for 2^32 turns of its slot. */
typedef uint64_t cc_id;

/* Has every engine a thread of its own here, asked for or not? */
bool cc_engine_always_threaded(void);

/* NULL when memory or descriptors are out. The caller closes it. */
cc_engine *cc_engine_open(const cc_engine_options *options);

/* Ends every transfer without a word and frees everything. In a forked child it closes the
 * descriptors and leaves the rest to the end of the process. NULL is fine. */
void cc_engine_close(cc_engine *e);

/* Was it opened by another process? */
bool cc_engine_foreign(const cc_engine *e);

/* A request made ready; headers may be added to it. It ends in submit or discard, and nothing else
 * may be done with the engine between. */
cc_code cc_engine_prepare(cc_engine *e, const cc_spec *spec, cc_request **out);
void cc_engine_discard(cc_engine *e, cc_request *r);

/* Hands it over. Never blocks. On any code but CC_OK it is discarded. */
cc_code cc_engine_submit(cc_engine *e, cc_request *r, cc_id *id);

/* Does what is ready now. */
void cc_engine_step(cc_engine *e);

/* The same, and before it waits at most so many microseconds until a transfer has ended.
 * Returns at once when one waits to be taken, and early when a signal comes. */
void cc_engine_wait(cc_engine *e, int64_t us);

/* The transfer that ended first and was not taken yet, or NULL. Until it is released its bytes stay
 * valid, whatever happens meanwhile (a finalizer may take it too, or close the engine). */
cc_request *cc_engine_hold(cc_engine *e, cc_id *id, cc_answer *answer);

/* The other half. take: it was read, forget it; its id is unknown from now on. Else it stays first.
 * e may be NULL if it was closed meanwhile. */
void cc_engine_release(cc_engine *e, cc_request *r, bool take);

/* False if there is no such transfer, or its answer was taken. */
bool cc_engine_progress(cc_engine *e, cc_id id, cc_progress *p);

/* True if it was in flight; it then ends with kind "cancelled", unless the thread was quicker. */
bool cc_engine_cancel(cc_engine *e, cc_id id);

/* Readable when step has something to do, and when something ended outside of step and wait. After
 * those take everything that has ended: the descriptor does not tell of it again. */
int cc_engine_fd(cc_engine *e);

/* Thread mode, for a host that cannot watch a descriptor: the path of a unix socket to connect to,
 * NULL in direct mode or if it fails. After it was connected to, accept makes it ring instead of the
 * descriptor: a byte for what there is to take. */
const char *cc_engine_listen(cc_engine *e);
bool cc_engine_accept(cc_engine *e);

/* Changes the numbers of connections; `thread` stays as it is. */
void cc_engine_limit(cc_engine *e, const cc_engine_options *options);

/* Submitted and not ended. */
long cc_engine_inflight(const cc_engine *e);

#endif
