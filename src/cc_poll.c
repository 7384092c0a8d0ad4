#include "cc_poll.h"

#if CC_POLL_HAS_FD

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cc_sys.h"

#define BATCH     64
#define MOST      (1 << 16) /* descriptors that have a mark */
#define FEWEST    64

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
    p->marks = NULL;
    p->room = 0;
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

/* ---- sockets ---- */

static void drop(cc_poll *p, int fd) {
    struct epoll_event e = interest(fd, 0, 0);
    epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, &e);
}

/* The number may be an old one of a socket that was closed meanwhile, or the other way round. */
static bool put(cc_poll *p, int fd, int tag, uint32_t events, bool known) {
    struct epoll_event e = interest(fd, tag, events);
    if (epoll_ctl(p->fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0) return true;
    return epoll_ctl(p->fd, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0;
}

static cc_poll_mark *mark_of(cc_poll *p, int fd) {
    return fd < p->room && p->marks[fd].adopted ? &p->marks[fd] : NULL;
}

/* It stays in the epoll when nobody wants it, and mostly is wanted for the same again. */
static void want(cc_poll *p, cc_poll_mark *m, int fd, int tag, uint32_t events) {
    m->wanted = events != 0;
    if (!m->wanted || (m->events == events && m->tag == tag)) return;
    m->events = put(p, fd, tag, events, m->events != 0) ? events : 0;
    m->tag = (uint8_t)tag;
}

void cc_poll_watch(cc_poll *p, int fd, int tag, bool in, bool out, bool known) {
    uint32_t events = (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u);
    cc_poll_mark *m = mark_of(p, fd);
    if (m)
        want(p, m, fd, tag, events);
    else if (events)
        put(p, fd, tag, events, known);
    else
        drop(p, fd);
}

static bool make_room(cc_poll *p, int fd) {
    int room = p->room ? p->room : FEWEST;
    if (fd >= MOST) return false;
    while (room <= fd) room *= 2;
    if (room == p->room) return true;
    cc_poll_mark *marks = realloc(p->marks, (size_t)room * sizeof *marks);
    if (!marks) return false;
    memset(marks + p->room, 0, (size_t)(room - p->room) * sizeof *marks);
    p->marks = marks;
    p->room = room;
    return true;
}

/* Without memory for it, it is one like others. */
void cc_poll_adopt(cc_poll *p, int fd) {
    if (make_room(p, fd)) p->marks[fd] = (cc_poll_mark){.adopted = true};
}

/* Not left to the kernel: a forked child may have it still, and then it would stay. */
void cc_poll_leave(cc_poll *p, int fd) {
    cc_poll_mark *m = mark_of(p, fd);
    if (!m) return;
    if (m->events) drop(p, fd);
    *m = (cc_poll_mark){.adopted = false};
}

/* Something has come for nobody: mostly the server closes a connection that was kept. */
static bool is_unwanted(cc_poll *p, int fd) {
    cc_poll_mark *m = mark_of(p, fd);
    if (!m || m->wanted) return false;
    drop(p, fd);
    m->events = 0;
    return true;
}

/* ---- time ---- */

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
        else if (!is_unwanted(p, fd))
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
    free(p->marks);
    p->marks = NULL;
    p->room = 0;
}

#else
typedef int cc_poll_is_elsewhere; /* cc_poll_posix.c; C wants something in a file */
#endif
