#include "cc_sys.h"

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
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
