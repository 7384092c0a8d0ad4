#include "cc_sys.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/random.h>
#endif

int64_t cc_now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

double cc_unix_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool from_urandom(uint64_t *bits) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, bits, sizeof *bits);
    close(fd);
    return n == (ssize_t)sizeof *bits;
}

static bool from_system(uint64_t *bits) {
#if defined(__linux__)
    if (getrandom(bits, sizeof *bits, GRND_NONBLOCK) == (ssize_t)sizeof *bits) return true;
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
    arc4random_buf(bits, sizeof *bits);
    return true;
#endif
    return from_urandom(bits);
}

double cc_random(void) {
    uint64_t bits = 0;
    if (!from_system(&bits)) { /* jitter only: a clock is better than an error */
        bits = ((uint64_t)cc_now_us() ^ ((uint64_t)getpid() << 32)) * 0x9E3779B97F4A7C15u;
    }
    return (double)(bits >> 11) * (1.0 / 9007199254740992.0); /* 53 bits: what a double holds */
}

#if defined(__linux__) && defined(MADV_WIPEONFORK)
static pid_t *kept; /* NULL: an old kernel */

static void make_kept(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, size, MADV_WIPEONFORK) == 0)
        kept = page;
    else
        munmap(page, size);
}

/* It is asked for five times with each request, and those would be more system calls than all the
 * others: so it is kept, in a page that the kernel empties in a forked child, whoever forked it. */
pid_t cc_pid(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_kept);
    if (!kept) return getpid();
    pid_t pid = __atomic_load_n(kept, __ATOMIC_RELAXED);
    if (pid != 0) return pid;
    pid = getpid();
    __atomic_store_n(kept, pid, __ATOMIC_RELAXED);
    return pid;
}
#else
pid_t cc_pid(void) {
    return getpid();
}
#endif
