/* LD_PRELOAD: right after the first look at a file's end, somebody else is cut short there (TORN). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t pread(int fd, void *bytes, size_t n, off_t at) {
    static int done;
    ssize_t result = syscall(SYS_pread64, fd, bytes, n, at);
    const char *torn = getenv("TORN");
    if (!torn || done++) return result;
    int other = open(torn, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (other < 0 || write(other, "{\"torn", 6) != 6) abort();
    close(other);
    return result;
}
