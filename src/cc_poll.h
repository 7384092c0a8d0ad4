/* One readable file descriptor for many sockets and a timer: with epoll and timerfd (cc_poll.c).
 *
 * Where there is no epoll, and with CC_PORTABLE, poll(2) watches the sockets (cc_poll_posix.c). Then
 * there is no such descriptor, and the loop must be a thread's, which has a pipe to show. */
#ifndef CC_POLL_H
#define CC_POLL_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__linux__) && !defined(CC_PORTABLE)
#define CC_POLL_HAS_FD 1

/* What epoll knows of a socket that cc_poll_adopt was told of. */
typedef struct cc_poll_mark {
    bool adopted, wanted; /* wanted: libcurl watches it now */
    uint8_t tag;
    uint32_t events; /* 0: it is not in the epoll */
} cc_poll_mark;

typedef struct cc_poll {
    int fd;              /* the one that the outside may watch, -1 when closed */
    int timer;           /* timerfd, -1 when closed */
    int64_t armed;       /* when the timer rings (cc_now_us), CC_NEVER if it does not */
    cc_poll_mark *marks; /* by descriptor */
    int room;            /* of marks */
} cc_poll;
#else
#define CC_POLL_HAS_FD 0
struct pollfd;
typedef struct cc_poll {
    struct pollfd *fds;
    int *tags; /* of each */
    int count, room;
    int first; /* where the next look begins: who comes late in the list must not starve */
} cc_poll;
#endif

typedef struct cc_event {
    int fd, tag;
    bool in, out, broken;
} cc_event;

#define CC_NEVER INT64_MAX

/* False, and nothing left open, if the system refuses. */
bool cc_poll_open(cc_poll *p);

/* Watches fd for reading, writing, both or neither (then it is forgotten). known: it was watched
 * before. The tag comes back with its events. */
void cc_poll_watch(cc_poll *p, int fd, int tag, bool in, bool out, bool known);

/* This socket is new, and nobody closes it without a word to cc_poll_leave before: it may be kept in
 * the epoll while no transfer uses it, for each one begins and ends with a change otherwise. */
void cc_poll_adopt(cc_poll *p, int fd);
void cc_poll_leave(cc_poll *p, int fd);

/* The descriptor that the outside may watch; -1 where there is none. */
int cc_poll_fd(const cc_poll *p);

/* Makes it readable at that time of cc_now_us. CC_NEVER switches it off. */
void cc_poll_ring_at(cc_poll *p, int64_t when);

/* Waits at most so many microseconds (rounded up to milliseconds; 0 only looks) and fills at most
 * max events. Returns their number, 0 also when the timer rang, -1 when a signal came. */
int cc_poll_wait(cc_poll *p, cc_event *events, int max, int64_t us);

/* Closes both descriptors and frees, nothing else, so that a forked child may do it too. */
void cc_poll_close(cc_poll *p);

#endif
