#include "cc_bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE below */
#endif

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static bool set_flags(int fd) {
    return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

static bool open_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
#else
    return pipe(ends) == 0 && set_flags(ends[0]) && set_flags(ends[1]);
#endif
}

bool cc_bell_open(cc_bell *b) {
    int ends[2] = {-1, -1};
    *b = (cc_bell){.out = -1, .in = -1, .peer = -1, .listening = -1};
    bool ok = open_pipe(ends);
    b->out = ends[0];
    b->in = ends[1];
    if (!ok) cc_bell_close(b, true);
    return ok;
}

/* Full is as good as rung. Who hung up listens no more: the pipe is left. */
void cc_bell_ring(cc_bell *b) {
    if (b->peer >= 0) {
        if (send(b->peer, "c", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) return;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        close_fd(&b->peer);
    }
    while (write(b->in, "c", 1) < 0 && errno == EINTR) continue;
}

void cc_bell_hush(cc_bell *b) {
    char bytes[64];
    while (read(b->out, bytes, sizeof bytes) > 0) continue;
}

/* ---- the socket ---- */

static void take_away(cc_bell *b) {
    if (b->path[0]) unlink(b->path);
    if (b->folder[0]) rmdir(b->folder);
    b->path[0] = b->folder[0] = '\0';
}

static bool make_folder(cc_bell *b) {
    const char *base = getenv("TMPDIR");
    if (!base || base[0] != '/' || strlen(base) > CC_BELL_PATH - 24) base = "/tmp";
    snprintf(b->folder, sizeof b->folder, "%s/coreclaw-XXXXXX", base);
    if (!mkdtemp(b->folder)) { /* 0700 */
        b->folder[0] = '\0';
        return false;
    }
    snprintf(b->path, sizeof b->path, "%s/bell", b->folder);
    return true;
}

static bool listen_at(cc_bell *b) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, b->path, strlen(b->path) + 1); /* at most 71 of 104 bytes */
    b->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    return set_flags(b->listening) && bind(b->listening, (struct sockaddr *)&a, sizeof a) == 0 &&
           listen(b->listening, 4) == 0;
}

const char *cc_bell_listen(cc_bell *b) {
    close_fd(&b->listening);
    take_away(b);
    if (make_folder(b) && listen_at(b)) return b->path;
    close_fd(&b->listening);
    take_away(b);
    return NULL;
}

bool cc_bell_accept(cc_bell *b) {
    int fd = b->listening < 0 ? -1 : accept(b->listening, NULL, NULL);
    close_fd(&b->listening);
    take_away(b);
    if (!set_flags(fd)) {
        close_fd(&fd);
        return false;
    }
#ifdef SO_NOSIGPIPE
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    close_fd(&b->peer);
    b->peer = fd;
    return true;
}

void cc_bell_close(cc_bell *b, bool own) {
    close_fd(&b->out);
    close_fd(&b->in);
    close_fd(&b->peer);
    close_fd(&b->listening);
    if (own) take_away(b);
}
