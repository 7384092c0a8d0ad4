#include "cc_poll.h"

#if CC_POLL_HAS_FD

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cc_sys.h"

#define BATCH 64

/* What epoll keeps for us: the descriptor below, the tag above. */
static struct epoll_event interest(int fd, int tag, uint32_t what) {
    struct epoll_event e = {.events = what};
    e.data.u64 = (uint64_t)tag << 32 | (uint32_t)fd;
    return e;
}

static bool add_timer(cc_poll *p) {
    struct epoll_event e = interest(p->timer, 0, EPOLLIN);
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, p->timer, &e) == 0;
}

bool cc_poll_open(cc_poll *p) {
    p->armed = CC_NEVER;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (p->fd >= 0 && p->timer >= 0 && add_timer(p)) return true;
    cc_poll_close(p);
    return false;
}

int cc_poll_fd(const cc_poll *p) {
    return p->fd;
}

void cc_poll_watch(cc_poll *p, int fd, int tag, bool in, bool out, bool known) {
    struct epoll_event e = interest(fd, tag, (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u));
    if (!in && !out) {
        epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, &e);
        return;
    }
    /* The number may be an old one of a socket that was closed meanwhile, or the other way round.
     */
    if (epoll_ctl(p->fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0) return;
    epoll_ctl(p->fd, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
}

void cc_poll_ring_at(cc_poll *p, int64_t when) {
    if (when == p->armed) return;
    p->armed = when;
    struct itimerspec t = {{0, 0}, {0, 0}};
    if (when != CC_NEVER) {
        int64_t us = when > 0 ? when : 1; /* all zero would switch it off */
        t.it_value.tv_sec = us / 1000000;
        t.it_value.tv_nsec = us % 1000000 * 1000;
    }
    timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void silence(cc_poll *p) {
    uint64_t times;
    if (read(p->timer, &times, sizeof times) > 0) p->armed = CC_NEVER;
}

static int milliseconds(int64_t us) {
    int64_t limit = (int64_t)INT32_MAX * 1000 - 1000;
    return (int)(((us > limit ? limit : us) + 999) / 1000);
}

int cc_poll_wait(cc_poll *p, cc_event *events, int max, int64_t us) {
    struct epoll_event got[BATCH];
    int n = epoll_wait(p->fd, got, max < BATCH ? max : BATCH, milliseconds(us));
    if (n < 0) return -1;
    int used = 0;
    for (int i = 0; i < n; i++) {
        uint32_t what = got[i].events;
        int fd = (int)(uint32_t)got[i].data.u64, tag = (int)(got[i].data.u64 >> 32);
        if (fd == p->timer)
            silence(p);
        else
            events[used++] =
                (cc_event){fd, tag, what & EPOLLIN, what & EPOLLOUT, what & (EPOLLERR | EPOLLHUP)};
    }
    return used;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void cc_poll_close(cc_poll *p) {
    close_fd(&p->timer);
    close_fd(&p->fd);
}

#else
typedef int cc_poll_is_elsewhere; /* cc_poll_posix.c; C wants something in a file */
#endif
