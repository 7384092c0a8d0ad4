#include "cc_append.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cc_file.h"

#define PERMISSIONS 0600 /* what was started, when and for what is nobody else's business */
#define TRIES       10   /* for a name that comes and goes */

static int open_once(const char *path, bool *created) {
    int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags);
    if (fd >= 0 || errno != ENOENT) return fd;
    fd = open(path, flags | O_CREAT | O_EXCL, PERMISSIONS);
    *created = fd >= 0;
    return fd;
}

static int check_type(int fd) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    return S_ISREG(s.st_mode) ? 0 : ENOTSUP;
}

static int open_journal(const char *path, int *fd, bool *created) {
    for (int i = 0; i < TRIES; i++) {
        *fd = open_once(path, created);
        if (*fd >= 0) return check_type(*fd);
        if (errno != EEXIST) break;
    }
    return errno == ENXIO || errno == EISDIR ? ENOTSUP : errno;
}

/* ---- writing ---- */

/* Beyond a limit of the file's size (ulimit -f) the system does not only fail: it sends this thread
 * a signal, whose default is the end of the program. */
static ssize_t write_quietly(int fd, const char *bytes, size_t n) {
    sigset_t limit, before, pending;
    int taken;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    ssize_t done = write(fd, bytes, n);
    int error = errno;
    if (done < 0 && error == EFBIG && !sigismember(&before, SIGXFSZ) && sigpending(&pending) == 0 &&
        sigismember(&pending, SIGXFSZ))
        sigwait(&limit, &taken);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return done;
}

/* One write, so that nobody else's line gets in between. A part of it only: the disk is full, and
 * the rest would stand somewhere else. */
static int write_whole(int fd, const char *bytes, size_t n) {
    ssize_t done;
    do {
        done = write_quietly(fd, bytes, n);
    } while (done < 0 && errno == EINTR);
    if (done < 0) return errno;
    return (size_t)done == n ? 0 : ENOSPC;
}

static bool ends_line(int fd, off_t at) {
    char c = 0;
    return at <= 0 || (pread(fd, &c, 1, at - 1) == 1 && c == '\n');
}

/* ---- a line ---- */

static int write_after_newline(int fd, const char *line, size_t n) {
    char *bytes = malloc(n + 1);
    if (!bytes) return ENOMEM;
    bytes[0] = '\n';
    memcpy(bytes + 1, line, n);
    int error = write_whole(fd, bytes, n + 1);
    free(bytes);
    return error;
}

/* Between looking at the end and writing somebody may have been cut short there: our line is glued
 * to what is left of his. An append leaves the position behind what it wrote, so that can be seen;
 * then the line is written again. */
static int write_line(int fd, const char *line, size_t n) {
    if (!ends_line(fd, lseek(fd, 0, SEEK_END))) return write_after_newline(fd, line, n);
    int error = write_whole(fd, line, n);
    if (error) return error;
    off_t end = lseek(fd, 0, SEEK_CUR);
    return ends_line(fd, end - (off_t)n) ? 0 : write_after_newline(fd, line, n);
}

static int to_disk(int fd) {
    return fsync(fd) == 0 ? 0 : errno;
}

int cc_append_line(const char *path, const char *line, size_t n, bool sync_folder) {
    int fd = -1;
    bool created = false;
    int error = open_journal(path, &fd, &created);
    if (!error) error = write_line(fd, line, n);
    if (!error) error = to_disk(fd);
    if (!error && (created || sync_folder)) error = cc_file_sync_folder_of(path);
    if (fd >= 0) close(fd);
    return error;
}
