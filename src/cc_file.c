#include "cc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERMISSIONS 0666 /* less the umask: the finished file is nobody's secret but the user's */
#define TRIES       10   /* to open a name that others keep taking away */

static int errno_of(int result) {
    return result < 0 ? errno : 0;
}

/* ---- opening ---- */

static int check_type(int fd) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    return S_ISREG(s.st_mode) || S_ISCHR(s.st_mode) ? 0 : ENOTSUP;
}

/* A device belongs to everybody. Where the file system has no locks there is nothing to wait for
 * either. */
static int lock(int fd) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    if (!S_ISREG(s.st_mode) || flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    return errno == EWOULDBLOCK ? EBUSY : 0;
}

/* Is the name still that of this file? */
static int check_name(int fd, const char *path) {
    struct stat own, named;
    if (fstat(fd, &own) != 0) return errno;
    if (lstat(path, &named) != 0) return errno == ENOENT ? ESTALE : errno;
    return own.st_dev == named.st_dev && own.st_ino == named.st_ino ? 0 : ESTALE;
}

/* A file with a second name is a finished one, whose publishing was cut off between link and
 * unlink. It is not ours to write to; the name is. */
static int check_links(int fd, const char *path) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    if (!S_ISREG(s.st_mode) || s.st_nlink < 2) return 0;
    return unlink(path) == 0 ? ESTALE : errno;
}

/* Between open and lock the owner before us may have renamed the file: then this is no longer the
 * one that we want, but a finished one. */
static int claim(int fd, const char *path) {
    int error = check_type(fd);
    if (!error) error = lock(fd);
    if (!error) error = check_name(fd, path);
    return error ? error : check_links(fd, path);
}

int cc_file_open(cc_file *f, const char *path) {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int error = ESTALE;
    f->fd = -1;
    for (int i = 0; i < TRIES && error == ESTALE; i++) {
        int fd = open(path, flags, PERMISSIONS);
        if (fd < 0) return errno == ENXIO ? ENOTSUP : errno;
        error = claim(fd, path);
        if (!error) f->fd = fd;
        if (error) close(fd);
    }
    return error;
}

int cc_file_share(const cc_file *f) {
    return fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
}

void cc_file_close(cc_file *f) {
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

/* ---- contents ---- */

int cc_file_size(const cc_file *f, int64_t *size) {
    struct stat s;
    if (fstat(f->fd, &s) != 0) return errno;
    *size = s.st_size;
    return 0;
}

int cc_file_truncate(const cc_file *f, int64_t size) {
    struct stat s;
    if (fstat(f->fd, &s) != 0) return errno;
    if (S_ISCHR(s.st_mode) || s.st_size == size) return 0;
    return errno_of(ftruncate(f->fd, (off_t)size));
}

int cc_file_write(int fd, const char *bytes, size_t n, int64_t at) {
    while (n > 0) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        if (done == 0) return ENOSPC;
        bytes += done;
        n -= (size_t)done;
        at += done;
    }
    return 0;
}

/* ---- the final name ---- */

static void take_over_permissions(int fd, const char *to) {
    struct stat s;
    if (stat(to, &s) != 0 || !S_ISREG(s.st_mode)) return;
    if (fchmod(fd, s.st_mode & 0777) != 0) return; /* not ours to change: then not */
}

/* A link fails where the name is taken, which a rename does not. */
static int rename_to_free_name(const char *from, const char *to) {
    struct stat s;
    if (link(from, to) == 0) {
        unlink(from); /* if this is cut off, check_links finds out */
        return 0;
    }
    if (errno == EEXIST) return EEXIST;
    if (lstat(to, &s) == 0) return EEXIST; /* a file system without links: as good as it gets */
    return errno_of(rename(from, to));
}

/* Some file systems know no such thing: that is none. */
static int sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = errno_of(fsync(fd));
    close(fd);
    return error == EINVAL || error == ENOTSUP ? 0 : error;
}

int cc_file_sync_folder_of(const char *path) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    if ((size_t)n >= sizeof folder) return ENAMETOOLONG;
    snprintf(folder, sizeof folder, "%.*s", n, n ? path : "");
    return sync_folder(n ? folder : ".");
}

int cc_file_publish(const cc_file *f, const char *from, const char *to, bool overwrite, bool sync) {
    int error = check_name(f->fd, from);
    if (error) return error;
    if (overwrite) take_over_permissions(f->fd, to);
    if (sync && fsync(f->fd) != 0) return errno;
    error = overwrite ? errno_of(rename(from, to)) : rename_to_free_name(from, to);
    if (!error && sync) cc_file_sync_folder_of(to); /* it is published: too late to fail */
    return error;
}

/* ---- looking ---- */

cc_file_type cc_file_type_of(const char *path) {
    struct stat s;
    if (stat(path, &s) != 0) return CC_FILE_NONE;
    if (S_ISREG(s.st_mode)) return CC_FILE_REGULAR;
    return S_ISDIR(s.st_mode) ? CC_FILE_FOLDER : CC_FILE_OTHER;
}

const char *cc_file_message(int error) {
    switch (error) {
    case EBUSY:
        return "somebody else is writing to it";
    case ENOTSUP:
        return "it is no regular file";
    case ELOOP:
        return "it is a symbolic link";
    case ESTALE:
        return "it was replaced by another file meanwhile";
    default:
        return strerror(error);
    }
}
