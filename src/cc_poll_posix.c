#include "cc_poll.h"

#if !CC_POLL_HAS_FD

#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "cc_sys.h"

bool cc_poll_open(cc_poll *p) {
    *p = (cc_poll){.fds = NULL};
    return true;
}

int cc_poll_fd(const cc_poll *p) {
    (void)p;
    return -1;
}

static int find(const cc_poll *p, int fd) {
    int i = 0;
    while (i < p->count && p->fds[i].fd != fd) i++;
    return i;
}

static bool make_room(cc_poll *p) {
    int room = p->room ? p->room * 2 : 32;
    struct pollfd *fds = realloc(p->fds, (size_t)room * sizeof *fds);
    if (fds) p->fds = fds;
    int *tags = fds ? realloc(p->tags, (size_t)room * sizeof *tags) : NULL;
    if (!tags) return false;
    p->tags = tags;
    p->room = room;
    return true;
}

static void forget(cc_poll *p, int i) {
    if (i == p->count) return;
    p->count--;
    p->fds[i] = p->fds[p->count];
    p->tags[i] = p->tags[p->count];
}

/* Without memory for it a socket goes unwatched, and its transfer ends by its time limit. */
void cc_poll_watch(cc_poll *p, int fd, int tag, bool in, bool out, bool known) {
    (void)known;
    int i = find(p, fd);
    if (!in && !out) {
        forget(p, i);
        return;
    }
    if (i == p->count && p->count == p->room && !make_room(p)) return;
    if (i == p->count) p->count++;
    p->fds[i] = (struct pollfd){fd, (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)), 0};
    p->tags[i] = tag;
}

void cc_poll_adopt(cc_poll *p, int fd) {
    (void)p, (void)fd; /* a change costs no system call here */
}

void cc_poll_leave(cc_poll *p, int fd) {
    (void)p, (void)fd;
}

void cc_poll_ring_at(cc_poll *p, int64_t when) {
    (void)p, (void)when; /* nobody outside can watch */
}

static int milliseconds(int64_t us) {
    int64_t ms = us / 1000 + (us % 1000 != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

int cc_poll_wait(cc_poll *p, cc_event *events, int max, int64_t us) {
    int used = 0;
    if (poll(p->fds, (nfds_t)p->count, milliseconds(us)) < 0) return -1;
    for (int n = 0; n < p->count && used < max; n++) {
        int i = (p->first + n) % p->count;
        short got = p->fds[i].revents;
        if (got == 0) continue;
        events[used++] = (cc_event){p->fds[i].fd, p->tags[i], got & POLLIN, got & POLLOUT,
                                    got & (POLLERR | POLLHUP | POLLNVAL)};
    }
    p->first = p->count > 0 ? (p->first + 1) % p->count : 0;
    return used;
}

void cc_poll_close(cc_poll *p) {
    free(p->fds);
    free(p->tags);
    *p = (cc_poll){.fds = NULL};
}

#else
typedef int cc_poll_posix_is_not_needed; /* C wants something in a file */
#endif
